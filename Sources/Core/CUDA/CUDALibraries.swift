// CUDA's libraries: what each is good for, whether it can be opened.
// SPDX-License-Identifier: Apache-2.0
import CCUDA
import Foundation

/// A library opened at run time.
public enum CUDALibrary: String, Sendable, CaseIterable {
    case driver, compiler, products, communication

    /// For people.
    public var fileName: String {
        switch self {
        case .driver: "libcuda.so.1"
        case .compiler: "libnvrtc.so.13"
        case .products: "libcublasLt.so.13"
        case .communication: "libnccl.so.2"
        }
    }

    /// What it is needed for.
    public var purpose: String {
        switch self {
        case .driver: "any use of an NVIDIA GPU"
        case .compiler: "compiling the kernels for the GPU found"
        case .products: "matrix products on the GPU"
        case .communication: "training on several GPUs"
        }
    }

    /// What a package that brings it is called.
    public var package: String {
        switch self {
        case .driver: "NVIDIA's driver"
        case .compiler, .products: "the CUDA toolkit 12 or 13"
        case .communication: "NCCL 2"
        }
    }

    var code: ccuda_library {
        switch self {
        case .driver: CCUDA_DRIVER
        case .compiler: CCUDA_NVRTC
        case .products: CCUDA_BLAS
        case .communication: CCUDA_NCCL
        }
    }

    /// Opens it, once for the process.
    ///
    /// - Throws: ``CUDAError/missingLibrary(_:reason:)``.
    func open() throws(CUDAError) {
        let folders = Self.folders(ProcessInfo.processInfo.environment).joined(separator: ":")
        guard ccuda_open(code, folders) == 0 else {
            throw .missingLibrary(self, reason: String(cString: ccuda_problem(code)))
        }
    }

    /// The file or name it was opened by; nil if it cannot be.
    public var path: String? {
        do { try open() } catch { return nil }
        return String(cString: ccuda_path(code))
    }

    /// Where libraries are looked for after the system's own places.
    package static func folders(_ environment: [String: String]) -> [String] {
        var folders = (environment["WORKBENCH_CUDA_LIBS"] ?? "").split(separator: ":")
            .map(String.init)
        if let home = environment["CUDA_HOME"], !home.isEmpty { folders.append("\(home)/lib64") }
        return folders + [
            "/usr/local/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib",
        ]
    }
}
