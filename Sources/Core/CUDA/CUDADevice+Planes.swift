// Resizing and pooling on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func resized(_ x: Tensor, height: Int, width: Int, method: ResizeMethod) -> Tensor {
        func key(_ from: Int, _ to: Int) -> ResamplingTable.Key {
            .init(from: from, to: to, method: method, isAdjoint: false)
        }
        return resample(x, rows: key(x.shape[1], height), columns: key(x.shape[2], width))
    }

    public func resizedGradient(
        _ dy: Tensor, height: Int, width: Int, method: ResizeMethod
    ) -> Tensor {
        func key(_ from: Int, _ to: Int) -> ResamplingTable.Key {
            .init(from: from, to: to, method: method, isAdjoint: true)
        }
        return resample(dy, rows: key(height, dy.shape[1]), columns: key(width, dy.shape[2]))
    }

    private func resample(
        _ x: Tensor, rows: ResamplingTable.Key, columns: ResamplingTable.Key
    ) -> Tensor {
        let (r, c) = (table(rows), table(columns))
        let result = Tensor.empty([x.shape[0], r.to, c.to], device: self)
        if result.count == 0 { return result }
        launchOverResults(
            "resize_planes", result.count, isEarly: true, .tensor(x), .tensor(result),
            .long(result.count),
            .int(x.shape[1]), .int(x.shape[2]), .int(r.to), .int(c.to), .tensor(r.first),
            .tensor(r.count), .tensor(r.weights), .int(r.width), .tensor(c.first),
            .tensor(c.count), .tensor(c.weights), .int(c.width))
        return result
    }

    /// A matrix in the device's memory: a few hundred numbers, and the same ones at every step.
    func table(_ key: ResamplingTable.Key) -> ResamplingTable {
        if let found = lock.withLock({ resamplingTables[key] }) { return found }
        let pair = resamplingMatrices.pair(from: key.from, to: key.to, key.method)
        let matrix = key.isAdjoint ? pair.adjoint : pair.forward
        let made = ResamplingTable(
            to: matrix.to, width: matrix.width,
            first: Tensor(int32: matrix.first, shape: [matrix.to], device: self),
            count: Tensor(int32: matrix.count, shape: [matrix.to], device: self),
            weights: Tensor(matrix.weights, shape: [matrix.weights.count], device: self))
        lock.withLock {
            // What a graph makes belongs to the graph.
            guard capture == nil, pendingIsNil else { return }
            if resamplingTables.count >= 512 { resamplingTables = [:] }
            resamplingTables[key] = made
        }
        return made
    }

    /// One thread a result.
    private func launchOverResults(
        _ name: String, _ count: Int, isEarly: Bool = false, _ arguments: CUDAArgument...
    ) {
        launch(
            kernel(name, in: .planes), grid: ((count + 255) / 256, 1, 1), block: (256, 1, 1),
            isEarly: isEarly, arguments)
    }

    public func upsampledNearest2x(_ x: Tensor) -> Tensor {
        let result = Tensor.empty([x.shape[0], 2 * x.shape[1], 2 * x.shape[2]], device: self)
        if result.count == 0 { return result }
        launchOverResults(
            "upsample_nearest_2x", result.count, .tensor(x), .tensor(result), .long(result.count),
            .long(x.shape[2]))
        return result
    }

    public func upsampledNearest2xGradient(_ dy: Tensor) -> Tensor {
        let result = Tensor.empty([dy.shape[0], dy.shape[1] / 2, dy.shape[2] / 2], device: self)
        if result.count == 0 { return result }
        launchOverResults(
            "sum_2x2", result.count, .tensor(dy), .tensor(result), .long(result.count),
            .long(result.shape[2]))
        return result
    }

    public func maxPool2D(
        _ x: Tensor, size: Int, stride: Int
    ) -> (values: Tensor, positions: Tensor) {
        let shape = pooledShape(x.shape, size, stride)
        let values = Tensor.empty(shape, device: self)
        let positions = Tensor.empty(shape, dtype: .int32, device: self)
        if values.count == 0 { return (values, positions) }
        launchOverResults(
            "max_pool", values.count, .tensor(x), .tensor(values), .tensor(positions),
            .long(values.count), .int(x.shape[1]), .int(x.shape[2]), .int(shape[1]),
            .int(shape[2]), .int(size), .int(stride))
        return (values, positions)
    }

    public func maxPool2DGradient(_ dy: Tensor, positions: Tensor, shape: [Int]) -> Tensor {
        let result = Tensor.zeros(shape, device: self)
        if dy.count == 0 { return result }
        let pooled = dy.shape[1] * dy.shape[2]
        let pixels = shape[1] * shape[2]
        if isDeterministic {
            launchOverResults(
                "max_pool_gradient_in_order", shape[0], .tensor(dy), .tensor(positions),
                .tensor(result), .long(shape[0]), .long(pooled), .long(pixels))
        } else {
            launchOverResults(
                "max_pool_gradient", dy.count, .tensor(dy), .tensor(positions), .tensor(result),
                .long(dy.count), .long(pooled), .long(pixels))
        }
        return result
    }

    public func averagePool2D(_ x: Tensor, size: Int, stride: Int) -> Tensor {
        let result = Tensor.empty(pooledShape(x.shape, size, stride), device: self)
        if result.count == 0 { return result }
        launchOverResults(
            "average_pool", result.count, .tensor(x), .tensor(result), .long(result.count),
            .int(x.shape[1]), .int(x.shape[2]), .int(result.shape[1]), .int(result.shape[2]),
            .int(size), .int(stride))
        return result
    }

    public func averagePool2DGradient(
        _ dy: Tensor, shape: [Int], size: Int, stride: Int
    ) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        if result.count == 0 { return result }
        launchOverResults(
            "average_pool_gradient", result.count, .tensor(dy), .tensor(result),
            .long(result.count), .int(shape[1]), .int(shape[2]), .int(dy.shape[1]),
            .int(dy.shape[2]), .int(size), .int(stride))
        return result
    }

    private func pooledShape(_ shape: [Int], _ size: Int, _ stride: Int) -> [Int] {
        [shape[0], (shape[1] - size) / stride + 1, (shape[2] - size) / stride + 1]
    }
}

/// A matrix of resizing in a device's memory.
struct ResamplingTable {
    struct Key: Hashable {
        var from: Int
        var to: Int
        var method: ResizeMethod
        var isAdjoint: Bool
    }

    let to: Int
    let width: Int
    let first: Tensor
    let count: Tensor
    let weights: Tensor
}
