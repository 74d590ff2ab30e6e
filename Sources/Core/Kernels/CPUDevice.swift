// The CPU: memory, threads, elementary kernels. SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation

/// The CPU device: C kernels over a thread pool, matrix products by OpenBLAS.
///
/// One family of kernels per file, `CPUDevice+Family.swift`.
public final class CPUDevice: Device, @unchecked Sendable {
    /// The device that tensors are made on unless another is given; as many threads as cores.
    public static let shared = CPUDevice()

    /// Threads used by kernels and by OpenBLAS.
    public let threads: Int
    package let pool: OpaquePointer?
    /// Whether 3 × 3 convolutions may take Winograd's path; else they are sums of products.
    let transformsConvolutions: Bool
    /// Bytes of an activation above which a convolution that is not fused with what stands before it
    /// goes by bands of rows, of at most an eighth of that.
    let bandLimit: Int
    private let memory = MemoryCache(
        limit: 512 << 20, largeLimit: Int(ProcessInfo.processInfo.physicalMemory / 4))
    let resamplingMatrices = ResamplingCache(limit: 512)

    /// Creates a device.
    ///
    /// - Parameter threads: workers, the caller counted; as many as cores when nil.
    public convenience init(threads: Int? = nil) {
        self.init(threads: threads, bandLimit: 256 << 20)
    }

    /// The reference for Winograd's error: `transformsConvolutions` false; for bands another
    /// `bandLimit` than 256 MB, which no activation of a picture up to 512 pixels reaches.
    package init(
        threads: Int? = nil, transformsConvolutions: Bool = true, bandLimit: Int = 256 << 20
    ) {
        self.transformsConvolutions = transformsConvolutions
        self.bandLimit = bandLimit
        let wanted = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
        pool = ck_pool_create(Int32(wanted))
        self.threads = pool.map { Int(ck_pool_threads($0)) } ?? 1
        BLAS.setThreads(self.threads)
    }

    deinit { ck_pool_destroy(pool) }

    public var name: String { "CPU, \(threads) thread\(threads == 1 ? "" : "s")" }

    // MARK: Memory

    public func allocate(byteCount: Int) -> Storage {
        let memory = memory
        let block = memory.take(byteCount)
        return Storage(address: block, byteCount: byteCount, device: self) { address, count in
            memory.give(address, byteCount: count)
        }
    }

    public func releaseUnusedMemory() { memory.releaseUnused() }

    public func upload(_ bytes: UnsafeRawBufferPointer, to storage: Storage) {
        precondition(bytes.count <= storage.byteCount, "upload: \(bytes.count) bytes")
        if let base = bytes.baseAddress {
            storage.address.copyMemory(from: base, byteCount: bytes.count)
        }
    }

    public func download(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) {
        let size = tensor.count * tensor.dtype.byteCount
        precondition(tensor.isContiguous && size <= bytes.count, "download: \(size) bytes")
        withExtendedLifetime(tensor.storage) {
            if size > 0 { bytes.baseAddress?.copyMemory(from: tensor.address, byteCount: size) }
        }
    }

    public func clear(_ storage: Storage) {
        storage.address.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
    }

    public func full(_ shape: [Int], _ value: Float) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        ck_fill_f32(result.floatAddress, result.count, value)
        return result
    }

    public func copy(_ source: Tensor, into destination: Tensor) {
        requireShapes(
            source.shape == destination.shape && source.dtype == destination.dtype, "copy",
            [source.shape, destination.shape])
        let (shape, strides) = Shape.collapse(
            source.shape, [source.strides, destination.strides])
        withExtendedLifetime((source.storage, destination.storage)) {
            ck_copy_strided(
                pool, Int32(shape.count), shape, source.address, strides[0], destination.address,
                strides[1], Int32(source.dtype.byteCount))
        }
    }

    public func add(_ source: Tensor, into destination: Tensor) {
        requireShapes(
            source.shape == destination.shape && source.dtype == .float32, "add",
            [source.shape, destination.shape])
        let (shape, strides) = Shape.collapse(
            source.shape, [source.strides, destination.strides])
        withExtendedLifetime((source.storage, destination.storage)) {
            ck_add_strided(
                pool, Int32(shape.count), shape, source.floatAddress, strides[0],
                destination.floatAddress, strides[1])
        }
    }
}

extension Tensor {
    /// The first element for a float32 kernel.
    package var floatAddress: UnsafeMutablePointer<Float> {
        precondition(
            dtype == .float32 && device is CPUDevice,
            "a float32 kernel of the CPU was given \(dtype) on \(device.name)")
        return address.assumingMemoryBound(to: Float.self)
    }

    /// The first element for an int32 kernel.
    package var int32Address: UnsafeMutablePointer<Int32> {
        precondition(
            dtype == .int32 && device is CPUDevice,
            "an int32 kernel of the CPU was given \(dtype) on \(device.name)")
        return address.assumingMemoryBound(to: Int32.self)
    }
}
