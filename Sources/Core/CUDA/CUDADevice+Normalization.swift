// Normalisation on CUDA. SPDX-License-Identifier: Apache-2.0

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
        let (dy, x) = (vectorAligned(dy), vectorAligned(x))
        let (batch, channels) = (x.shape[0], x.shape[1])
        let (width, plane) = (channels / groups, x.shape[2...].reduce(1, *))
        let dx = Tensor.empty(x.shape, device: self)
        let dweight = Tensor.empty([channels], device: self)
        let dbias = Tensor.empty([channels], device: self)
        let sums = Tensor.empty([2, batch, channels], device: self)
        launch(
            kernel("group_norm_sums", in: .normalization), grid: (batch * channels, 1, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(statistics), .tensor(sums), .int(channels), .int(groups), .int(plane),
            .int(silu ? 1 : 0))
        launch(
            kernel("group_norm_input_gradient", in: .normalization),
            grid: (batch * groups, (width * plane + Self.piece - 1) / Self.piece, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(statistics), .tensor(sums), .tensor(dx), .int(groups), .int(width),
            .int(plane), .int(silu ? 1 : 0))
        launch(
            kernel("group_norm_weight_gradient", in: .normalization),
            grid: ((channels + 63) / 64, 1, 1), block: (64, 1, 1), .tensor(sums),
            .tensor(dweight), .tensor(dbias), .int(batch), .int(channels))
        return (dx, dweight, dbias)
    }

    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float
    ) -> (y: Tensor, statistics: Tensor) {
        let (x, gain, shift) = (vectorAligned(x), vectorAligned(gain), vectorAligned(shift))
        let (rows, width) = (x.shape[0], x.shape[1])
        let y = Tensor.empty(x.shape, device: self)
        let statistics = Tensor.empty([2, rows], device: self)
        launch(
            kernel("layer_norm", in: .normalization), grid: ((rows + 7) / 8, 1, 1),
            block: (256, 1, 1), .tensor(x), .optional(gain), .float(offset), .optional(shift),
            .tensor(y), .tensor(statistics), .int(rows), .int(width), .int(share),
            .float(epsilon))
        return (y, statistics)
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor) {
        let (dy, x, gain) = (vectorAligned(dy), vectorAligned(x), vectorAligned(gain))
        let (rows, width) = (x.shape[0], x.shape[1])
        let dx = Tensor.empty(x.shape, device: self)
        launch(
            kernel("layer_norm_input_gradient", in: .normalization),
            grid: ((rows + 7) / 8, 1, 1), block: (256, 1, 1), .tensor(dy), .tensor(x),
            .optional(gain), .float(offset), .tensor(statistics), .tensor(dx), .int(rows),
            .int(width), .int(share))
        let sums = RowSums(
            rows: rows, width: width, share: share, multiprocessors: multiprocessors)
        let dgain = Tensor.empty([sums.groups * sums.parts, width], device: self)
        let dshift = Tensor.empty([sums.groups * sums.parts, width], device: self)
        launch(
            kernel("layer_norm_gain_gradient", in: .normalization), grid: sums.grid,
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(statistics), .tensor(dgain),
            .tensor(dshift), .int(rows), .int(width), .int(share), .int(sums.parts))
        return (dx, total(dgain, sums), total(dshift, sums))
    }

    public func gatedResidual(
        _ x: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> Tensor {
        let (x, branch, gate) = (vectorAligned(x), vectorAligned(branch), vectorAligned(gate))
        let y = Tensor.empty(x.shape, device: self)
        let perBlock = x.shape[1] % 4 == 0 ? 1024 : 256
        launch(
            kernel("gated_residual", in: .normalization),
            grid: ((x.count + perBlock - 1) / perBlock, 1, 1), block: (256, 1, 1), .tensor(x),
            .tensor(branch), .tensor(gate), .tensor(y), .long(x.count), .int(x.shape[1]),
            .int(share))
        return y
    }

    public func gatedResidualGradient(
        _ dy: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> (dbranch: Tensor, dgate: Tensor) {
        let (rows, width) = (branch.shape[0], branch.shape[1])
        let dbranch = Tensor.empty(branch.shape, device: self)
        let sums = RowSums(
            rows: rows, width: width, share: share, multiprocessors: multiprocessors)
        let dgate = Tensor.empty([sums.groups * sums.parts, width], device: self)
        launch(
            kernel("gated_residual_gradient", in: .normalization), grid: sums.grid,
            block: (256, 1, 1), .tensor(dy), .tensor(branch), .tensor(gate), .tensor(dbranch),
            .tensor(dgate), .int(width), .int(share), .int(sums.parts))
        return (dbranch, total(dgate, sums))
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

    /// Sums [groups, width] from those of the parts.
    private func total(_ parts: Tensor, _ sums: RowSums) -> Tensor {
        if sums.parts == 1 { return parts }
        let width = parts.shape[1]
        let result = Tensor.empty([sums.groups, width], device: self)
        launch(
            kernel("add_row_parts", in: .normalization),
            grid: ((result.count + 255) / 256, 1, 1), block: (256, 1, 1), .tensor(parts),
            .tensor(result), .int(sums.groups), .int(sums.parts), .int(width))
        return result
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

/// How sums over the rows that share a gain are dealt out to blocks of 32 columns.
private struct RowSums {
    let groups: Int
    /// Blocks for the rows of one group; by the shape alone, so that sums are always the same.
    let parts: Int
    let grid: (Int, Int, Int)

    init(rows: Int, width: Int, share: Int, multiprocessors: Int) {
        groups = rows / max(1, share)
        let columns = (width + 31) / 32
        let wanted = multiprocessors * 8 / max(1, groups * columns)
        parts = max(1, min(wanted, share / 32))
        grid = (groups * parts, columns, 1)
    }
}
