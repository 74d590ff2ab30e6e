// What can go wrong on a CUDA device, and its sentences. SPDX-License-Identifier: Apache-2.0

/// A CUDA device cannot be used, or work given to it failed.
public enum CUDAError: Error, Equatable, Sendable {
    /// A library could not be opened.
    case missingLibrary(CUDALibrary, reason: String)
    /// The driver is there and finds no GPU, or not the one asked for.
    case noSuchDevice(wanted: Int, found: Int)
    /// The GPU is older than the kernels need.
    case unsupportedDevice(name: String, capability: String)
    /// A call of a library failed.
    case failed(operation: String, reason: String)
    /// A CUDA source does not compile.
    case compilation(source: String, log: String)
    /// Memory ran out.
    case outOfMemory(wanted: Int, held: Int, free: Int, total: Int)
    /// A tensor was used whose computation had failed before.
    case neverComputed(operation: String)
    /// A kernel was given a tensor of another device.
    case otherDevice(operation: String, device: String)
    /// The environment names a rank or size that cannot be.
    case badRank(variable: String, value: String)
}

extension CUDAError {
    /// Whether what was asked for is not to be had, as opposed to work that failed.
    public var isInput: Bool {
        switch self {
        case .missingLibrary, .noSuchDevice, .unsupportedDevice, .badRank: true
        case .failed, .compilation, .outOfMemory, .neverComputed, .otherDevice: false
        }
    }
}

extension CUDAError: CustomStringConvertible {
    /// What failed, why, what to do.
    public var description: String {
        switch self {
        case .missingLibrary(let library, let reason):
            return "\(library.fileName) could not be opened (\(reason)). It is needed for "
                + "\(library.purpose). Install \(library.package), or name the folder that holds "
                + "it in WORKBENCH_CUDA_LIBS."
        case .noSuchDevice(let wanted, let found):
            return found == 0
                ? "The CUDA driver finds no GPU; `nvidia-smi` shows what it sees."
                : "There is no GPU number \(wanted): the CUDA driver finds \(found), "
                    + "numbered from 0."
        case .unsupportedDevice(let name, let capability):
            return "\(name) has compute capability \(capability); the kernels need 8.0 or later. "
                + "Use --device cpu."
        case .failed(let operation, let reason):
            return "The GPU could not \(operation): \(reason)."
        case .compilation(let source, let log):
            return "The CUDA source \(source) does not compile for this GPU:\n\(log)"
        case .outOfMemory(let wanted, let held, let free, let total):
            return "The GPU's memory ran out: \(Self.size(wanted)) more were asked for, "
                + "\(Self.size(held)) are in use by this program, \(Self.size(free)) of "
                + "\(Self.size(total)) are free. Use a smaller batch, or --device cpu."
        case .neverComputed(let operation):
            return "\(operation) was given a tensor that could not be computed before; "
                + "load the model again."
        case .otherDevice(let operation, let device):
            return
                "\(operation) was given a tensor of another device (\(device)); a model and what "
                + "it is given must be on one device."
        case .badRank(let variable, let value):
            return "\(variable) is \(value): the rank must be a whole number from 0 to below the "
                + "number of processes."
        }
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 10 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB"
    }
}
