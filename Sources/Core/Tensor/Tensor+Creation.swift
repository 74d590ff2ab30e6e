// Making tensors and reading them back. SPDX-License-Identifier: Apache-2.0

extension Tensor {
    /// Copies float values to a device, row-major.
    ///
    /// - Precondition: `values.count` is the product of `shape`.
    public init(_ values: [Float], shape: [Int], device: any Device = currentDevice) {
        requireShapes(values.count == shape.reduce(1, *), "Tensor", [[values.count], shape])
        let storage = device.allocate(byteCount: 4 * values.count)
        values.withUnsafeBytes { device.upload($0, to: storage) }
        self.init(storage: storage, dtype: .float32, shape: shape)
    }

    /// Copies 32-bit integers (indices, labels, tokens) to a device, row-major.
    public init(int32 values: [Int32], shape: [Int], device: any Device = currentDevice) {
        requireShapes(values.count == shape.reduce(1, *), "Tensor", [[values.count], shape])
        let storage = device.allocate(byteCount: 4 * values.count)
        values.withUnsafeBytes { device.upload($0, to: storage) }
        self.init(storage: storage, dtype: .int32, shape: shape)
    }

    /// A scalar.
    public init(_ value: Float, device: any Device = currentDevice) {
        self.init([value], shape: [], device: device)
    }

    /// Uninitialised memory for a kernel to fill.
    package static func empty(
        _ shape: [Int], dtype: DType = .float32, device: any Device
    ) -> Tensor {
        let storage = device.allocate(byteCount: shape.reduce(1, *) * dtype.byteCount)
        return Tensor(storage: storage, dtype: dtype, shape: shape)
    }

    /// All zero bits.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: any Device = currentDevice
    ) -> Tensor {
        let tensor = empty(shape, dtype: dtype, device: device)
        device.clear(tensor.storage)
        return tensor
    }

    /// Every element the same float.
    public static func full(
        _ shape: [Int], _ value: Float, device: any Device = currentDevice
    ) -> Tensor {
        device.full(shape, value)
    }

    /// Normal deviates drawn from a generator.
    public static func normal(
        _ shape: [Int], mean: Float = 0, standardDeviation: Float = 1,
        generator: inout RandomGenerator, device: any Device = currentDevice
    ) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in
            mean + standardDeviation * Float(generator.nextNormal())
        }
        return Tensor(values, shape: shape, device: device)
    }

    /// Uniform deviates in [low, high).
    public static func uniform(
        _ shape: [Int], low: Float = 0, high: Float = 1, generator: inout RandomGenerator,
        device: any Device = currentDevice
    ) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in
            low + (high - low) * generator.nextFloat()
        }
        return Tensor(values, shape: shape, device: device)
    }

    // MARK: Reading back

    /// The values row-major as floats; halves are widened, integers converted.
    public func floats() -> [Float] {
        let source = (dtype == .float32 ? detached() : detached().cast(to: .float32)).contiguous()
        return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            source.device.download(source, into: UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    /// The values row-major as 32-bit integers.
    ///
    /// - Precondition: an integer type; 64-bit values fit 32 bits.
    public func int32s() -> [Int32] {
        let source = detached().contiguous()
        func read<T: FixedWidthInteger>(_: T.Type) -> [Int32] {
            let values = [T](unsafeUninitializedCapacity: count) { buffer, filled in
                source.device.download(source, into: UnsafeMutableRawBufferPointer(buffer))
                filled = count
            }
            return values.map { Int32($0) }
        }
        switch dtype {
        case .int32: return read(Int32.self)
        case .int64: return read(Int64.self)
        case .uint8: return read(UInt8.self)
        case .float32, .float16, .bfloat16:
            preconditionFailure("int32s() of a \(dtype) tensor")
        }
    }

    /// The value of a tensor with one element.
    public func item() -> Float {
        requireShapes(count == 1, "item", [shape])
        return floats()[0]
    }

    /// Reads contiguous float32 host memory in place.
    ///
    /// - Precondition: contiguous float32 on the CPU.
    public func withUnsafeFloats<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R
    {
        precondition(
            dtype == .float32 && isContiguous, "withUnsafeFloats of \(dtype) strides \(strides)")
        let pointer = address.assumingMemoryBound(to: Float.self)
        return try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(start: pointer, count: count))
        }
    }
}
