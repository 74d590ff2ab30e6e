// Elementwise kernels, copies and conversions on CUDA. SPDX-License-Identifier: Apache-2.0
import CCUDA

extension UnaryOperation {
    /// The kernel's name, and the numbers it takes.
    fileprivate var kernel: (name: String, p: Float, q: Float) {
        switch self {
        case .negate: ("negate", 0, 0)
        case .exp: ("exp", 0, 0)
        case .log: ("log", 0, 0)
        case .sqrt: ("sqrt", 0, 0)
        case .reciprocal: ("reciprocal", 0, 0)
        case .square: ("square", 0, 0)
        case .abs: ("abs", 0, 0)
        case .relu: ("relu", 0, 0)
        case .sigmoid: ("sigmoid", 0, 0)
        case .tanh: ("tanh", 0, 0)
        case .silu: ("silu", 0, 0)
        case .geluTanh: ("geluTanh", 0, 0)
        case .addScalar(let c): ("addScalar", c, 0)
        case .multiplyScalar(let c): ("multiplyScalar", c, 0)
        case .clamp(let low, let high): ("clamp", low, high)
        }
    }
}

extension CUDADevice {
    /// Blocks of 256 threads for `work` units, each thread striding over the rest beyond a few waves.
    func gridStride(_ work: Int) -> (Int, Int, Int) {
        (max(1, min((work + 255) / 256, multiprocessors * 32)), 1, 1)
    }

    public func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        let (name, p, q) = operation.kernel
        if x.count == 0 { return y }
        launch(
            kernel("unary_\(name)", in: .elementwise), grid: gridStride((x.count + 3) / 4),
            block: (256, 1, 1), isEarly: true, .tensor(x), .tensor(y), .long(x.count), .float(p),
            .float(q))
        return y
    }

    public func unaryGradient(
        _ operation: UnaryOperation, x: Tensor, y: Tensor, dy: Tensor
    ) -> Tensor {
        let dx = Tensor.empty(x.shape, device: self)
        let (name, p, q) = operation.kernel
        if x.count == 0 { return dx }
        launch(
            kernel("unary_gradient_\(name)", in: .elementwise),
            grid: gridStride((x.count + 3) / 4), block: (256, 1, 1), .tensor(x), .tensor(y),
            .tensor(dy), .tensor(dx), .long(x.count), .float(p), .float(q))
        return dx
    }

    public func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor) -> Tensor {
        let shape = Shape.broadcast(a.shape, b.shape, operation: "\(operation)")
        let result = Tensor.empty(shape, device: self)
        if result.count == 0 { return result }
        if a.shape == shape, b.shape == shape, a.isContiguous, b.isContiguous {
            launch(
                kernel("binary_\(operation)", in: .elementwise),
                grid: gridStride((result.count + 3) / 4), block: (256, 1, 1), isEarly: true,
                .tensor(a),
                .tensor(b), .tensor(result), .long(result.count))
            return result
        }
        let walk = CUDAWalk(
            shape,
            [
                Shape.broadcastStrides(a, to: shape), Shape.broadcastStrides(b, to: shape),
                result.strides,
            ])
        guard let walk, walk.fits else {
            fail(.failed(operation: "\(operation)", reason: "\(shape) is too large or too strided"))
            return result
        }
        launchStrided(
            "binary_strided_\(operation)", count: result.count,
            [.tensor(a), .tensor(b), .tensor(result), .long(result.count)] + walk.extents
                + walk.strides(0) + walk.strides(1))
        return result
    }

    public func copy(_ source: Tensor, into destination: Tensor) {
        requireShapes(
            source.shape == destination.shape && source.dtype == destination.dtype, "copy",
            [source.shape, destination.shape])
        if source.count == 0 { return }
        written(destination)
        if source.isContiguous, destination.isContiguous {
            copyBytes(source, into: destination)
            return
        }
        if transpose(source, into: destination) { return }
        guard
            let walk = CUDAWalk(source.shape, [source.strides, destination.strides])?
                .widened(
                    elementSize: source.dtype.byteCount, to: [16, 8, 4, 2],
                    addresses: [source.address, destination.address]), walk.fits
        else {
            fail(
                .failed(
                    operation: "copy", reason: "\(source.shape) is too large or too strided"))
            return
        }
        launchStrided(
            "copy_strided_\(walk.elementSize)", count: walk.count,
            [.tensor(source), .tensor(destination), .long(walk.count)] + walk.extents
                + walk.strides(0) + walk.strides(1))
    }

    private func copyBytes(_ source: Tensor, into destination: Tensor) {
        perform { () throws(CUDAError) in
            capture?.touch(source.storage, memory)
            capture?.touch(destination.storage, memory)
            let size = source.dtype.byteCount
            let from = try source.storage.deviceAddress("copy") + UInt64(source.offset * size)
            let to =
                try destination.storage.deviceAddress("copy") + UInt64(destination.offset * size)
            try timed("copy", .bytes(2 * Double(source.count * size))) { () throws(CUDAError) in
                try CUDAError.check(
                    ccuda_copy(to, from, source.count * size, stream),
                    "copy \(source.count * size) bytes")
            }
        }
    }

    /// A batch of transposed matrices of 4-byte elements into dense ones, through shared memory.
    private func transpose(_ source: Tensor, into destination: Tensor) -> Bool {
        guard source.dtype.byteCount == 4, destination.isContiguous else { return false }
        let (shape, strides) = Shape.collapse(
            source.shape, [source.strides, destination.strides])
        // As read: rows run along the last dimension of the result.
        let rank = shape.count
        guard rank == 2 || rank == 3, strides[0][rank - 2] == 1 else { return false }
        let (columns, rows) = (shape[rank - 2], shape[rank - 1])
        let batch = rank == 3 ? shape[0] : 1
        guard rows >= 16, columns >= 16, batch < 65_536, (rows + 31) / 32 < 65_536 else {
            return false
        }
        launch(
            kernel("transpose_4", in: .elementwise),
            grid: ((columns + 31) / 32, (rows + 31) / 32, batch), block: (32, 8, 1), isEarly: true,
            .tensor(source), .tensor(destination), .int(rows), .int(columns),
            .long(strides[0][rank - 1]), .long(rank == 3 ? strides[0][0] : 0))
        return true
    }

    public func add(_ source: Tensor, into destination: Tensor) {
        requireShapes(
            source.shape == destination.shape && source.dtype == .float32
                && destination.dtype == .float32, "add", [source.shape, destination.shape])
        if source.count == 0 { return }
        written(destination)
        if source.isContiguous, destination.isContiguous {
            launch(
                kernel("add_into", in: .elementwise), grid: gridStride((source.count + 3) / 4),
                block: (256, 1, 1), isEarly: true, .tensor(source), .tensor(destination),
                .long(source.count))
            return
        }
        guard
            let walk = CUDAWalk(source.shape, [source.strides, destination.strides])?
                .widened(
                    elementSize: 4, to: [16], addresses: [source.address, destination.address]),
            walk.fits
        else {
            fail(
                .failed(operation: "add", reason: "\(source.shape) is too large or too strided"))
            return
        }
        launchStrided(
            walk.elementSize == 16 ? "add_strided_4" : "add_strided_1", count: walk.count,
            [.tensor(source), .tensor(destination), .long(walk.count)] + walk.extents
                + walk.strides(0) + walk.strides(1))
    }

    private func launchStrided(_ name: String, count: Int, _ arguments: [CUDAArgument]) {
        launch(
            kernel(name, in: .elementwise), grid: gridStride(count), block: (256, 1, 1),
            isEarly: true, arguments)
    }

    public func cast(_ tensor: Tensor, to dtype: DType) -> Tensor {
        let result = Tensor.empty(tensor.shape, dtype: dtype, device: self)
        if tensor.count == 0 { return result }
        if tensor.dtype == dtype {
            copy(tensor, into: result)
        } else if tensor.dtype == .float32, dtype == .bfloat16 {
            launch(
                kernel("cast_bf16", in: .elementwise), grid: gridStride((tensor.count + 7) / 8),
                block: (256, 1, 1), isEarly: true, .tensor(tensor), .tensor(result),
                .long(tensor.count))
        } else {
            launch(
                kernel("cast_any", in: .elementwise), grid: gridStride(tensor.count),
                block: (256, 1, 1), isEarly: true, .tensor(tensor), .tensor(result),
                .long(tensor.count),
                .int(tensor.dtype.kernelCode), .int(dtype.kernelCode))
        }
        return result
    }

    // MARK: bfloat16 copies

    /// A float32 tensor's elements in bfloat16, with the same strides.
    ///
    /// The copy is of the whole storage and is kept beside it until that is written to, so that a
    /// weight is converted once per step and an activation once for its forward and backward products.
    func bfloat16(_ x: Tensor) -> Tensor {
        if x.dtype == .bfloat16 { return x }
        precondition(x.dtype == .float32, "bfloat16 of a \(x.dtype) tensor")
        let isOutside = isOutsideOfGraph(x.storage)
        let found = lock.withLock { mayHaveChanged(x.storage) ? nil : x.storage.companion }
        if let found { return over(found, x) }
        let count = x.storage.byteCount / 4
        let whole = Tensor(storage: x.storage, dtype: .float32, shape: [count])
        let copy = cast(whole, to: .bfloat16).storage
        // What a graph captured is not computed yet.
        lock.withLock { if !isOutside, pendingIsNil { x.storage.companion = copy } }
        return over(copy, x)
    }

    private func over(_ storage: Storage, _ x: Tensor) -> Tensor {
        Tensor(
            storage: storage, dtype: .bfloat16, shape: x.shape, strides: x.strides,
            offset: x.offset)
    }

    /// Whether a graph is being captured that reads a storage which is not its own.
    ///
    /// A graph derives at each replay what comes from outside of it: by then that may hold other values
    /// than the copy that exists now.
    private func isOutsideOfGraph(_ storage: Storage) -> Bool {
        lock.withLock {
            capture.map {
                !memory.isOwned(UInt64(UInt(bitPattern: storage.address)), by: $0.pool)
            } ?? false
        }
    }

    /// Whether replays of the graph being captured may find other values in a storage than now.
    private func mayHaveChanged(_ storage: Storage) -> Bool {
        isOutsideOfGraph(storage) && !(capture?.isConstant(storage) ?? false)
    }

    /// A copy of a tensor in another layout, kept with its storage until that is written in place.
    ///
    /// - Parameters:
    ///   - layout: all that decides the copy's bytes beside those of the storage.
    ///   - keeps: whether it will be asked for again; a copy that exists is used in any case.
    func packed(
        _ x: Tensor, _ layout: PackedLayout, shape: [Int], keeps: Bool, _ make: () -> Tensor
    ) -> Tensor {
        let isOutside = isOutsideOfGraph(x.storage)
        let found = lock.withLock { mayHaveChanged(x.storage) ? nil : x.storage.packed[layout] }
        if let found {
            return Tensor(storage: found, dtype: .bfloat16, shape: shape)
        }
        let made = make()
        lock.withLock {
            if keeps, !isOutside, pendingIsNil { x.storage.packed[layout] = made.storage }
        }
        return made
    }

    /// Drops a copy that nobody will ask for any more.
    func unpack(_ x: Tensor, _ layout: PackedLayout) {
        lock.withLock { x.storage.packed[layout] = nil }
    }

    /// Forgets what was derived from a storage that is about to be written in place.
    func written(_ tensor: Tensor) { lock.withLock { tensor.storage.forgetDerived() } }
}

extension DType {
    /// As `cast_any` numbers the types.
    fileprivate var kernelCode: Int {
        switch self {
        case .float32: 0
        case .float16: 1
        case .bfloat16: 2
        case .int32: 3
        case .int64: 4
        case .uint8: 5
        }
    }
}
