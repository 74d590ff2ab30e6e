// Group and l2 normalisation on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Floats that a block of the group kernels takes.
    private static let piece = 8192

    public func groupNorm(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float, silu: Bool
    ) -> (y: Tensor, statistics: Tensor) {
        let x = vectorAligned(x)
        let (batch, width) = (x.shape[0], x.shape[1] / groups)
        let plane = x.shape[2...].reduce(1, *)
        let pieces = (width * plane + Self.piece - 1) / Self.piece
        let y = Tensor.empty(x.shape, device: self)
        let statistics = Tensor.empty([2, batch, groups], device: self)
        if pieces == 1 {
            launch(
                kernel("group_norm_of_piece", in: .normalization), grid: (batch * groups, 1, 1),
                block: (256, 1, 1), .tensor(x), .tensor(weight), .tensor(bias), .tensor(y),
                .tensor(statistics), .int(groups), .int(width), .int(plane), .float(epsilon),
                .int(silu ? 1 : 0))
            return (y, statistics)
        }
        let moments = Tensor.empty([batch * groups, pieces, 2], device: self)
        let grid = (batch * groups, pieces, 1)
        launch(
            kernel("group_moments", in: .normalization), grid: grid, block: (256, 1, 1),
            .tensor(x), .tensor(moments), .int(width * plane))
        launch(
            kernel("group_norm", in: .normalization), grid: grid, block: (256, 1, 1), .tensor(x),
            .tensor(moments), .tensor(weight), .tensor(bias), .tensor(y), .tensor(statistics),
            .int(groups), .int(width), .int(plane), .float(epsilon), .int(silu ? 1 : 0))
        return (y, statistics)
    }

    public func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor) {
        let result = groupNormGradient(
            dy, x, weight, bias, statistics: statistics, groups: groups, silu: silu, before: nil)
        return (result.dx, result.dweight, result.dbias)
    }

    public func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool, before: Tensor?
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor, isTotal: Bool) {
        let (dy, x, before) = (vectorAligned(dy), vectorAligned(x), vectorAligned(before))
        let (batch, channels) = (x.shape[0], x.shape[1])
        let (width, plane) = (channels / groups, x.shape[2...].reduce(1, *))
        let dx = Tensor.empty(x.shape, device: self)
        let dweight = Tensor.empty([channels], device: self)
        let dbias = Tensor.empty([channels], device: self)
        let sums = Tensor.empty([2, batch, channels], device: self)
        launch(
            kernel("group_norm_sums", in: .normalization), grid: (batch * channels, 1, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(statistics), .tensor(sums), .tensor(dweight), .tensor(dbias),
            .tensor(arrivals(channels)), .int(channels), .int(groups), .int(plane),
            .int(silu ? 1 : 0))
        launch(
            kernel("group_norm_input_gradient", in: .normalization),
            grid: (batch * groups, (width * plane + Self.piece - 1) / Self.piece, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(statistics), .tensor(sums), .optional(before), .tensor(dx), .int(groups),
            .int(width), .int(plane), .int(silu ? 1 : 0))
        return (dx, dweight, dbias, before != nil)
    }

    public func l2Normalized(_ x: Tensor, epsilon: Float) -> (y: Tensor, norms: Tensor) {
        let y = Tensor.empty(x.shape, device: self)
        let norms = Tensor.empty([x.shape[0]], device: self)
        launch(
            kernel("l2_normalize", in: .normalization), grid: ((x.shape[0] + 7) / 8, 1, 1),
            block: (256, 1, 1), .tensor(x), .tensor(y), .tensor(norms), .int(x.shape[0]),
            .int(x.shape[1]), .float(epsilon))
        return (y, norms)
    }

    public func l2NormalizedGradient(
        _ dy: Tensor, y: Tensor, norms: Tensor, epsilon: Float
    ) -> Tensor {
        let (rows, width) = (norms.count, y.count / max(1, norms.count))
        let dx = Tensor.empty(y.shape, device: self)
        launch(
            kernel("l2_normalize_gradient", in: .normalization), grid: ((rows + 7) / 8, 1, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(y), .tensor(norms), .tensor(dx), .int(rows),
            .int(width), .float(epsilon))
        return dx
    }

    // MARK: Sums by the last block

    /// Zeros by which blocks that share a sum find out which of them comes last; kernels leave zeros.
    func arrivals(_ count: Int) -> Tensor {
        if let found = lock.withLock({ arrivalCounts }), found.count >= count { return found }
        let made = Tensor.zeros([max(4096, count)], dtype: .int32, device: self)
        lock.withLock { if capture == nil, pendingIsNil { arrivalCounts = made } }
        return made
    }

    // MARK: Alignment

    /// Itself, or a copy that 16-byte accesses can start at.
    func vectorAligned(_ x: Tensor) -> Tensor {
        if UInt(bitPattern: x.address) % 16 == 0 { return x }
        let copied = Tensor.empty(x.shape, dtype: x.dtype, device: self)
        copy(x, into: copied)
        return copied
    }

    func vectorAligned(_ x: Tensor?) -> Tensor? { x.map { vectorAligned($0) } }
}
