// Compiling kernels for the device found, once: NVRTC and a cache on disk.
// SPDX-License-Identifier: Apache-2.0
import CCUDA
import Foundation

/// A kernel ready to be launched; without a function when it could not be compiled.
struct CUDAKernel: @unchecked Sendable {
    let name: String
    let function: UnsafeMutableRawPointer?
}

/// Compiled kernels in memory and, across starts, in `$XDG_CACHE_HOME/workbench/cuda`.
///
/// Used under the device's lock, with its context current.
final class CUDAKernelCache {
    private struct Key: Hashable {
        var source: CUDASource
        var name: String
    }

    /// What kernels are compiled for.
    let architecture: String
    private let folder: String?
    private var modules: [CUDASource: UnsafeMutableRawPointer] = [:]
    private var kernels: [Key: CUDAKernel] = [:]

    init(major: Int, minor: Int, folder: String?) {
        architecture = Self.architecture(major: major, minor: minor)
        self.folder = folder
    }

    deinit { for module in modules.values { _ = ccuda_module_unload(module) } }

    /// Instructions of one generation only (`a`) exist from 9.0 on.
    package static func architecture(major: Int, minor: Int) -> String {
        "sm_\(major)\(minor)\(major >= 9 ? "a" : "")"
    }

    /// `$XDG_CACHE_HOME/workbench/cuda`, by default in `~/.cache`; nil when neither is known.
    package static func defaultFolder(_ environment: [String: String]) -> String? {
        if let root = environment["XDG_CACHE_HOME"], root.hasPrefix("/") {
            return "\(root)/workbench/cuda"
        }
        return environment["HOME"].map { "\($0)/.cache/workbench/cuda" }
    }

    /// The name of a compiled source: everything that decides its bytes goes into the digest.
    package static func fileName(
        source: String, text: String, architecture: String, compiler: String
    ) -> String {
        let digest = SHA256.hexDigest(of: Array("\(architecture)\n\(compiler)\n\(text)".utf8))
        return "\(source)-\(architecture)-\(digest.prefix(32)).cubin"
    }

    /// Whether nothing is compiled for this architecture yet, in memory or on disk.
    var compilesAtFirstUse: Bool {
        guard modules.isEmpty else { return false }
        let files = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) }
        return !(files ?? []).contains { $0.contains("-\(architecture)-") }
    }

    func kernel(_ name: String, in source: CUDASource) throws(CUDAError) -> CUDAKernel {
        let key = Key(source: source, name: name)
        if let found = kernels[key] { return found }
        let module = try module(source)
        var function: UnsafeMutableRawPointer?
        try CUDAError.check(ccuda_function(module, name, &function), "find kernel \(name)")
        let kernel = CUDAKernel(name: name, function: function)
        kernels[key] = kernel
        return kernel
    }

    private func module(_ source: CUDASource) throws(CUDAError) -> UnsafeMutableRawPointer {
        if let found = modules[source] { return found }
        let text = source.text
        var (major, minor): (Int32, Int32) = (0, 0)
        try CUDAError.check(ccuda_nvrtc_version(&major, &minor), "ask NVRTC for its version")
        let file = folder.map { folder in
            "\(folder)/"
                + Self.fileName(
                    source: source.rawValue, text: text, architecture: architecture,
                    compiler: "\(major).\(minor)")
        }
        if let file, let stored = try? [UInt8](Data(contentsOf: URL(filePath: file))),
            let module = try? load(stored)
        {
            modules[source] = module
            return module
        }
        let image = try Self.compile(source, text: text, architecture: architecture)
        let module = try load(image)
        modules[source] = module
        if let folder, let file {
            // A cache that cannot be written costs seconds at the next start, nothing else.
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            try? AtomicWrite.write(image, to: file)
        }
        return module
    }

    private func load(_ image: [UInt8]) throws(CUDAError) -> UnsafeMutableRawPointer {
        var module: UnsafeMutableRawPointer?
        let status = image.withUnsafeBytes { ccuda_module_load($0.baseAddress, &module) }
        try CUDAError.check(status, "load kernels")
        guard let module else {
            throw .failed(operation: "load kernels", reason: "the driver gave none")
        }
        return module
    }

    /// Machine code for a source.
    package static func compile(
        _ source: CUDASource, text: String, architecture: String
    ) throws(CUDAError) -> [UInt8] {
        let texts = ["--gpu-architecture=\(architecture)", "--std=c++17"]
        let options = texts.map { strdup($0) }
        defer { for option in options { free(option) } }
        var image: UnsafeMutableRawPointer?
        var size = 0
        var log: UnsafeMutablePointer<CChar>?
        let pointers = options.map { UnsafePointer<CChar>($0) }
        let status = ccuda_compile(
            text, "\(source.rawValue).cu", pointers, Int32(pointers.count), &image, &size, &log)
        defer {
            free(image)
            free(log)
        }
        guard status == 0, let image else {
            throw .compilation(
                source: "\(source.rawValue).cu",
                log: log.map { String(cString: $0) } ?? "NVRTC error \(status)")
        }
        return [UInt8](UnsafeRawBufferPointer(start: image, count: size))
    }
}

extension CUDAError {
    /// Throws unless a driver call succeeded.
    static func check(_ status: Int32, _ operation: String) throws(CUDAError) {
        guard status != 0 else { return }
        throw .failed(operation: operation, reason: reason(status))
    }

    static func reason(_ status: Int32) -> String {
        guard status != CCUDA_ABSENT else { return "the library lacks a function" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            ccuda_error_text(status, text.baseAddress, text.count)
            return text.baseAddress.map { String(cString: $0) } ?? "error \(status)"
        }
    }
}
