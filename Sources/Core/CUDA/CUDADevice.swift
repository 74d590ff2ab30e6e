// The CUDA device: context, stream, launches, errors. SPDX-License-Identifier: Apache-2.0
import CCUDA
import Foundation

/// One NVIDIA GPU: kernels compiled by NVRTC, matrix products by cuBLASLt, all opened at run time.
///
/// Work is given to one stream in the order of the calls and nothing waits for it but `download`,
/// so the memory of a tensor may be used again as soon as its storage is gone. Methods of ``Device``
/// cannot throw: the first failure is kept, later work is skipped (downloads give zeros), and
/// ``throwPendingError()`` reports it to whoever runs the computation.
/// One family of kernels per file, `CUDADevice+Family.swift`.
public final class CUDADevice: Device, @unchecked Sendable {
    /// How products (linear, matmul, convolution, attention) read their operands; sums are float32.
    public enum Precision: String, Sendable, CaseIterable {
        /// No TF32: what the CPU computes, to rounding.
        case float32
        /// Operands rounded to bfloat16, for the tensor cores.
        case bfloat16
    }

    /// The driver's number of the GPU.
    public let ordinal: Int
    public let name: String
    /// For people and benchmarks: "9.0".
    public let computeCapability: String
    /// Streaming multiprocessors.
    public let multiprocessors: Int
    /// Most shared memory a block may ask for, in bytes.
    let sharedMemoryPerBlock: Int

    let lock = NSRecursiveLock()
    let stream: UnsafeMutableRawPointer
    let memory: CUDAMemory
    let staging: CUDAStaging
    let products: CUDAProducts
    let profile: CUDAProfile?
    let resamplingMatrices = ResamplingCache(limit: 512)
    private let context: UnsafeMutableRawPointer
    private let kernels: CUDAKernelCache
    private var pending: CUDAError?
    private var chosenPrecision: Precision
    private var deterministic = false
    var capture: CUDACapture?
    /// Whether a sampler's passes run on the kernels that are made for few rows, one of which may start
    /// before the one ahead of it has ended; if not, on those of training.
    static let usesPassKernels = true
    /// Whether kernels may start before those ahead of them have ended.
    private let startsEarly: Bool
    /// Whether the last work given to the stream was a kernel of ours; under the lock.
    var followsKernel = false
    /// Tables of intervals that attention has met; under the lock.
    var attentionTables: [CUDAAttentionTiles.Key: Tensor] = [:]
    var attentionItems: [CUDAAttentionTiles.Key: CUDAAttentionItemTables] = [:]
    /// Matrices of resizing that have been met, and counts for `arrivals(_:)`; under the lock.
    var resamplingTables: [ResamplingTable.Key: ResamplingTable] = [:]
    var arrivalCounts: Tensor?

    /// Opens a GPU.
    ///
    /// - Throws: ``CUDAError`` when a library, the driver or the GPU is missing.
    public init(ordinal: Int = 0, precision: Precision = .bfloat16) throws(CUDAError) {
        for library in [CUDALibrary.driver, .compiler, .products] { try library.open() }
        var (count, version): (Int32, Int32) = (0, 0)
        try CUDAError.check(ccuda_initialize(&count, &version), "start the driver")
        guard ordinal >= 0, ordinal < Int(count) else {
            throw .noSuchDevice(wanted: ordinal, found: Int(count))
        }
        var found = ccuda_description()
        try CUDAError.check(ccuda_describe(Int32(ordinal), &found), "describe GPU \(ordinal)")
        let gpu = withUnsafeBytes(of: &found.name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let capability = "\(found.major).\(found.minor)"
        guard found.major >= 8 else {
            throw .unsupportedDevice(name: gpu, capability: capability)
        }
        var context: UnsafeMutableRawPointer?
        try CUDAError.check(
            ccuda_context_create(Int32(ordinal), &context), "make a context on \(gpu)")
        try CUDAError.check(ccuda_context_use(context), "use the context on \(gpu)")
        var stream: UnsafeMutableRawPointer?
        try CUDAError.check(ccuda_stream_create(&stream), "make a stream")
        guard let context, let stream else {
            throw .failed(operation: "make a context on \(gpu)", reason: "the driver gave none")
        }
        self.ordinal = ordinal
        self.context = context
        self.stream = stream
        name = "CUDA, \(gpu)"
        computeCapability = capability
        multiprocessors = Int(found.multiprocessors)
        sharedMemoryPerBlock = Int(found.shared_per_block)
        startsEarly = Self.usesPassKernels && found.major >= 9
        chosenPrecision = precision
        kernels = CUDAKernelCache(
            major: Int(found.major), minor: Int(found.minor),
            folder: CUDAKernelCache.defaultFolder(ProcessInfo.processInfo.environment))
        memory = CUDAMemory()
        staging = CUDAStaging()
        products = try CUDAProducts()
        profile = try CUDAProfile.asked(
            ProcessInfo.processInfo.environment, ordinal: ordinal)
    }

    public var firstUseNotice: String? {
        guard lock.withLock({ kernels.compilesAtFirstUse }) else { return nil }
        return "The first work on this GPU compiles its kernels: seconds to a minute, once."
    }

    /// How products read their operands; changed between passes only.
    public var precision: Precision {
        get { lock.withLock { chosenPrecision } }
        set { lock.withLock { chosenPrecision = newValue } }
    }

    /// Whether kernels whose sums depend on the order of arrival (float atomics) are avoided.
    public var isDeterministic: Bool {
        get { lock.withLock { deterministic } }
        set { lock.withLock { deterministic = newValue } }
    }

    // MARK: Errors

    public func throwPendingError() throws {
        let error = lock.withLock {
            defer { pending = nil }
            return pending
        }
        if let error { throw error }
    }

    /// Whether earlier work failed and the rest is to be skipped.
    var hasFailed: Bool { lock.withLock { pending != nil } }

    /// The same, for callers that hold the lock.
    var pendingIsNil: Bool { pending == nil }

    /// Keeps the first failure.
    func fail(_ error: CUDAError) {
        lock.withLock { if pending == nil { pending = error } }
    }

    /// Runs driver calls with the context current, one thread at a time; skipped after a failure.
    ///
    /// - Returns: nil when skipped or failed.
    @discardableResult
    func perform<R>(_ body: () throws(CUDAError) -> R) -> R? {
        lock.lock()
        defer { lock.unlock() }
        guard pending == nil else { return nil }
        do {
            try CUDAError.check(ccuda_context_use(context), "use the context")
            return try body()
        } catch {
            pending = error
            return nil
        }
    }

    // MARK: Launches

    /// A kernel by name; an empty one after a failure.
    func kernel(_ name: String, in source: CUDASource) -> CUDAKernel {
        perform { () throws(CUDAError) in try kernels.kernel(name, in: source) }
            ?? CUDAKernel(name: name, function: nil)
    }

    /// Gives a kernel to the stream; nothing happens for an empty grid.
    func launch(
        _ kernel: CUDAKernel, grid: (Int, Int, Int), block: (Int, Int, Int), shared: Int = 0,
        isEarly: Bool = false, _ arguments: CUDAArgument...
    ) {
        launch(
            kernel, grid: grid, block: block, shared: shared, isEarly: isEarly, arguments)
    }

    /// The same with the arguments in an array.
    ///
    /// - Parameter isEarly: whether it may start in a graph before the kernel ahead of it has ended: it
    ///   waits by itself, and reads nothing before that may change.
    func launch(
        _ kernel: CUDAKernel, grid: (Int, Int, Int), block: (Int, Int, Int), shared: Int = 0,
        isEarly: Bool = false, _ arguments: [CUDAArgument]
    ) {
        launch(
            kernel, grid: grid, block: block, shared: shared, isEarly: isEarly, maps: [], arguments)
    }

    /// The same for a kernel whose first parameters are maps of tensors.
    func launch(
        _ kernel: CUDAKernel, grid: (Int, Int, Int), block: (Int, Int, Int), shared: Int,
        isEarly: Bool = false, maps: [CUDATensorMap], _ arguments: [CUDAArgument]
    ) {
        guard grid.0 > 0, grid.1 > 0, grid.2 > 0 else { return }
        perform { () throws(CUDAError) in
            var slots: [UInt64] = []
            slots.reserveCapacity(arguments.count)
            for argument in arguments {
                if case .tensor(let tensor) = argument {
                    slots.append(try address(of: tensor, for: kernel))
                } else {
                    slots.append(argument.slot)
                }
            }
            var encoded: [ccuda_tensor_map] = []
            for map in maps {
                encoded.append(map.description(try address(of: map.tensor, for: kernel)))
            }
            let grid = [UInt32(grid.0), UInt32(grid.1), UInt32(grid.2)]
            let block = [UInt32(block.0), UInt32(block.1), UInt32(block.2)]
            let launch =
                isEarly && capture != nil && followsKernel && startsEarly
                ? ccuda_launch_early : ccuda_launch
            try timed("\(kernel.name) \(grid[0])×\(grid[1])×\(grid[2])") { () throws(CUDAError) in
                let status =
                    maps.isEmpty
                    ? launch(
                        kernel.function, grid, block, UInt32(shared), stream, slots,
                        Int32(slots.count))
                    : ccuda_launch_mapped(
                        kernel.function, grid, block, UInt32(shared), stream, encoded,
                        Int32(encoded.count), slots, Int32(slots.count))
                try CUDAError.check(status, "run \(kernel.name), grid \(grid), block \(block)")
            }
            followsKernel = true
        }
    }

    /// The address that a kernel gets; a graph being captured keeps the tensor.
    private func address(of tensor: Tensor, for kernel: CUDAKernel) throws(CUDAError) -> UInt64 {
        guard tensor.storage.device === self else {
            throw .otherDevice(operation: kernel.name, device: tensor.device.name)
        }
        let address = UInt64(UInt(bitPattern: tensor.address))
        guard CUDAMemory.isReal(address) else {
            throw .neverComputed(operation: kernel.name)
        }
        capture?.touch(tensor.storage, memory)
        return address
    }

    /// Waits until everything given to the stream is done.
    public func synchronize() {
        perform { () throws(CUDAError) in
            try CUDAError.check(ccuda_stream_wait(stream), "finish its work")
        }
    }
}

/// One argument of a kernel.
enum CUDAArgument {
    /// The address of a tensor's first element.
    case tensor(Tensor)
    /// Any device address; 0 for none.
    case pointer(UInt64)
    case int(Int32)
    case long(Int64)
    case float(Float)

    /// The value in the low bytes of eight, as a little-endian processor lays it out.
    var slot: UInt64 {
        switch self {
        case .tensor(let tensor): UInt64(UInt(bitPattern: tensor.address))
        case .pointer(let address): address
        case .int(let value): UInt64(UInt32(bitPattern: value))
        case .long(let value): UInt64(bitPattern: value)
        case .float(let value): UInt64(value.bitPattern)
        }
    }

    /// A tensor that may be missing.
    static func optional(_ tensor: Tensor?) -> CUDAArgument {
        tensor.map { .tensor($0) } ?? .pointer(0)
    }

    /// A count that must fit 32 bits.
    static func int(_ value: Int) -> CUDAArgument { .int(Int32(value)) }

    /// A count of any size.
    static func long(_ value: Int) -> CUDAArgument { .long(Int64(value)) }
}
