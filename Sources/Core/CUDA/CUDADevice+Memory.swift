// Memory and transfers on CUDA. SPDX-License-Identifier: Apache-2.0
import CCUDA

extension CUDADevice {
    public func allocate(byteCount: Int) -> Storage {
        let address =
            perform { () throws(CUDAError) in try memory.take(byteCount) } ?? CUDAMemory.nothing
        // Device addresses are only ever handed to the driver; no host code reads through them.
        let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address))
        guard let pointer else { preconditionFailure("the driver allocated at address 0") }
        return Storage(address: pointer, byteCount: byteCount, device: self) {
            [self] pointer, _ in
            lock.withLock { memory.give(UInt64(UInt(bitPattern: pointer))) }
        }
    }

    public func upload(_ bytes: UnsafeRawBufferPointer, to storage: Storage) {
        precondition(bytes.count <= storage.byteCount, "upload: \(bytes.count) bytes")
        guard bytes.count > 0 else { return }
        perform { () throws(CUDAError) in
            let address = try storage.deviceAddress("upload")
            storage.forgetDerived()
            guard let capture else {
                return try timed("upload", .bytes(Double(bytes.count))) { () throws(CUDAError) in
                    try staging.upload(bytes, to: address, stream: stream)
                }
            }
            capture.touch(storage, memory)
            followsKernel = false
            let copy = try capture.hostCopy(of: bytes)
            try CUDAError.check(
                ccuda_upload(address, copy, bytes.count, stream),
                "copy \(bytes.count) bytes to its memory")
        }
    }

    public func download(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) {
        let size = tensor.count * tensor.dtype.byteCount
        precondition(tensor.isContiguous && size <= bytes.count, "download: \(size) bytes")
        let target = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
        guard size > 0 else { return }
        let done: Void? = perform { () throws(CUDAError) in
            if capture != nil {
                throw .failed(
                    operation: "capture a graph", reason: "a value was read back inside it")
            }
            let start = try tensor.storage.deviceAddress("download")
            try timed("download", .bytes(Double(size))) { () throws(CUDAError) in
                try staging.download(
                    from: start + UInt64(tensor.offset * tensor.dtype.byteCount), into: target,
                    stream: stream)
            }
        }
        if done == nil { target.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    public func reading(_ tensor: Tensor) -> () -> [UInt8] {
        let size = tensor.count * tensor.dtype.byteCount
        guard size > 0, size <= CUDAStaging.slotSize, profile == nil, tensor.isContiguous else {
            var values = [UInt8](repeating: 0, count: size)
            values.withUnsafeMutableBytes { download(tensor.contiguous(), into: $0) }
            return { [values] in values }
        }
        let slot = perform { () throws(CUDAError) in
            if capture != nil {
                throw .failed(
                    operation: "capture a graph", reason: "a value was read back inside it")
            }
            let start = try tensor.storage.deviceAddress("download")
            followsKernel = false
            return try staging.beginDownload(
                from: start + UInt64(tensor.offset * tensor.dtype.byteCount), count: size,
                stream: stream)
        }
        return { [self] in
            var values = [UInt8](repeating: 0, count: size)
            guard let slot else { return values }
            values.withUnsafeMutableBytes { bytes in
                _ = perform { () throws(CUDAError) in try staging.finish(slot, into: bytes) }
            }
            return values
        }
    }

    public func clear(_ storage: Storage) {
        guard storage.byteCount > 0 else { return }
        perform { () throws(CUDAError) in
            storage.forgetDerived()
            capture?.touch(storage, memory)
            let address = try storage.deviceAddress("clear")
            try timed("clear", .bytes(Double(storage.byteCount))) { () throws(CUDAError) in
                try CUDAError.check(
                    ccuda_fill8(address, 0, storage.byteCount, stream),
                    "clear \(storage.byteCount) bytes")
            }
        }
    }

    public func full(_ shape: [Int], _ value: Float) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        guard result.count > 0 else { return result }
        perform { () throws(CUDAError) in
            let address = try result.storage.deviceAddress("full")
            try timed("fill", .bytes(4 * Double(result.count))) { () throws(CUDAError) in
                try CUDAError.check(
                    ccuda_fill32(address, value.bitPattern, result.count, stream),
                    "fill \(result.count) elements")
            }
        }
        return result
    }

    /// Bytes in tensors now, the most there were, and bytes asked of the driver.
    public var memoryUse: (inUse: Int, peak: Int, reserved: Int) {
        lock.withLock { (memory.inUse, memory.peak, memory.reserved) }
    }
}

extension Storage {
    /// The address as the driver takes it.
    ///
    /// - Throws: ``CUDAError/neverComputed(operation:)`` when there is no memory behind it.
    func deviceAddress(_ operation: String) throws(CUDAError) -> UInt64 {
        let value = UInt64(UInt(bitPattern: address))
        guard CUDAMemory.isReal(value) else { throw .neverComputed(operation: operation) }
        return value
    }
}
