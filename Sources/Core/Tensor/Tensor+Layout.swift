// Views and rearrangements. SPDX-License-Identifier: Apache-2.0

extension Tensor {
    /// The same elements in another shape; one entry may be −1. Copies only when strides force it.
    public func reshaped(_ newShape: [Int]) -> Tensor {
        var target = newShape
        if let hole = target.firstIndex(of: -1) {
            let known = target.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
            requireShapes(known > 0 && count % known == 0, "reshaped", [shape, newShape])
            target[hole] = count / known
        }
        requireShapes(target.reduce(1, *) == count, "reshaped", [shape, newShape])
        let source = isContiguous ? self : contiguous()
        let oldShape = shape
        let view = source.view(
            shape: target, strides: Shape.contiguousStrides(target), offset: source.offset)
        return recorded(view, inputs: [source]) { [.init($0.contiguous().reshaped(oldShape))] }
    }

    /// Dimensions in another order, as a view.
    public func permuted(_ order: [Int]) -> Tensor {
        requireShapes(order.sorted() == Array(0..<rank), "permuted", [shape, order])
        let view = view(
            shape: order.map { shape[$0] }, strides: order.map { strides[$0] }, offset: offset)
        var inverse = [Int](repeating: 0, count: rank)
        for (i, d) in order.enumerated() { inverse[d] = i }
        return recorded(view, inputs: [self]) { [inverse] in [.init($0.permuted(inverse))] }
    }

    /// Two dimensions exchanged, as a view; negative axes count from the end.
    public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
        var order = Array(0..<rank)
        order.swapAt(resolved(first), resolved(second))
        return permuted(order)
    }

    /// `length` entries of one dimension from `start`, as a view.
    public func narrowed(axis: Int, start: Int, length: Int) -> Tensor {
        let axis = resolved(axis)
        requireShapes(
            start >= 0 && length >= 0 && start + length <= shape[axis], "narrowed",
            [shape, [axis, start, length]])
        var newShape = shape
        newShape[axis] = length
        let first = length == 0 ? offset : offset + start * strides[axis]
        let view = view(shape: newShape, strides: strides, offset: first)
        let fullShape = shape
        return recorded(view, inputs: [self]) { dy in
            [.init(dy, placedAt: start, axis: axis, in: fullShape)]
        }
    }

    /// Consecutive pieces of one dimension, as views.
    public func split(axis: Int, sizes: [Int]) -> [Tensor] {
        let axis = resolved(axis)
        requireShapes(sizes.reduce(0, +) == shape[axis], "split", [shape, sizes])
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return narrowed(axis: axis, start: start, length: size)
        }
    }

    /// Read as if repeated along dimensions of size 1, as a view.
    public func expanded(to newShape: [Int]) -> Tensor {
        requireShapes(
            Shape.broadcast(shape, newShape, operation: "expanded") == newShape, "expanded",
            [shape, newShape])
        let view = view(
            shape: newShape, strides: Shape.broadcastStrides(self, to: newShape), offset: offset)
        let oldShape = shape
        return recorded(view, inputs: [self]) { [.init($0.summed(to: oldShape))] }
    }

    /// A dimension of size 1 inserted before `axis`.
    public func unsqueezed(_ axis: Int) -> Tensor {
        let position = axis < 0 ? axis + rank + 1 : axis
        var newShape = shape
        newShape.insert(1, at: position)
        var newStrides = strides
        newStrides.insert(1, at: position)
        let view = view(shape: newShape, strides: newStrides, offset: offset)
        return recorded(view, inputs: [self]) { [.init($0.squeezed(position))] }
    }

    /// A dimension of size 1 taken out.
    public func squeezed(_ axis: Int) -> Tensor {
        let position = resolved(axis)
        requireShapes(shape[position] == 1, "squeezed", [shape, [axis]])
        var newShape = shape
        newShape.remove(at: position)
        var newStrides = strides
        newStrides.remove(at: position)
        let view = view(shape: newShape, strides: newStrides, offset: offset)
        return recorded(view, inputs: [self]) { [.init($0.unsqueezed(position))] }
    }

    /// The same values row-major without gaps; itself if it is so already.
    public func contiguous() -> Tensor {
        if isContiguous { return self }
        let copy = Tensor.empty(shape, dtype: dtype, device: device)
        device.copy(detached(), into: copy)
        return recorded(copy, inputs: [self]) { [.init($0)] }
    }

    /// A feature map [B, C, H, W] as the vectors of its pixels [B, H·W, C], a view unless rows of the map are apart.
    public var pixelRows: Tensor {
        requireShapes(rank == 4, "pixelRows", [shape])
        if strides[1] == 1, dtype != .float32 {
            return permuted([0, 2, 3, 1]).reshaped([shape[0], shape[2] * shape[3], shape[1]])
        }
        return reshaped([shape[0], shape[1], shape[2] * shape[3]]).transposed(1, 2)
    }

    /// The other way round: [B, H·W, C] as a view [B, C, H, W].
    public func featureMap(height: Int, width: Int) -> Tensor {
        requireShapes(
            rank == 3 && shape[1] == height * width, "featureMap", [shape, [height, width]])
        return reshaped([shape[0], height, width, shape[2]]).permuted([0, 3, 1, 2])
    }

    /// The values in another type; a gradient passes between float types only.
    public func cast(to newType: DType) -> Tensor {
        if newType == dtype { return self }
        let converted = device.cast(detached().contiguous(), to: newType)
        guard dtype == .float32 || newType == .float32 else { return converted }
        return recorded(converted, inputs: [self]) { [dtype] in
            [.init($0.cast(to: .float32).cast(to: dtype))]
        }
    }

    /// Zeros added before and after one dimension.
    public func padded(axis: Int, before: Int, after: Int) -> Tensor {
        if before == 0 && after == 0 { return self }
        let axis = resolved(axis)
        requireShapes(before >= 0 && after >= 0, "padded", [shape, [axis, before, after]])
        var newShape = shape
        newShape[axis] += before + after
        let result = Tensor.zeros(newShape, dtype: dtype, device: device)
        let length = shape[axis]
        device.copy(
            detached(), into: result.narrowed(axis: axis, start: before, length: length))
        return recorded(result, inputs: [self]) {
            [.init($0.narrowed(axis: axis, start: before, length: length))]
        }
    }

    /// Tensors laid one after the other along a dimension they already have.
    public static func concatenated(_ parts: [Tensor], axis: Int) -> Tensor {
        precondition(!parts.isEmpty, "concatenated: nothing given")
        let axis = parts[0].resolved(axis)
        var shape = parts[0].shape
        for part in parts.dropFirst() {
            var comparable = part.shape
            if comparable.count == shape.count { comparable[axis] = shape[axis] }
            requireShapes(
                comparable == shape && part.dtype == parts[0].dtype, "concatenated",
                parts.map(\.shape))
        }
        shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
        let result = Tensor.empty(shape, dtype: parts[0].dtype, device: parts[0].device)
        var starts: [Int] = []
        var start = 0
        for part in parts {
            let length = part.shape[axis]
            starts.append(start)
            result.device.copy(
                part.detached(), into: result.narrowed(axis: axis, start: start, length: length))
            start += length
        }
        let lengths = parts.map { $0.shape[axis] }
        return recorded(result, inputs: parts) { [starts] dy in
            zip(starts, lengths).map {
                .init(dy.narrowed(axis: axis, start: $0, length: $1))
            }
        }
    }

    /// Tensors of equal shape laid along a new dimension.
    public static func stacked(_ parts: [Tensor], axis: Int) -> Tensor {
        concatenated(parts.map { $0.unsqueezed(axis) }, axis: axis)
    }
}
