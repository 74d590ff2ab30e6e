// Layer normalisation and gated residuals on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Widths, in units of 128, of rows that stay in registers, and those that have a kernel for all
    /// gradients in one pass.
    private static let registerWidths = [1, 2, 3, 4, 6, 8, 12, 16]
    private static let onePassWidths = [1, 2, 3, 4, 6, 8]

    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float
    ) -> (y: Tensor, statistics: Tensor) {
        layerNorm(
            x, gain: gain, offset: offset, shift: shift, share: share, epsilon: epsilon,
            as: .float32)
    }

    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float,
        as dtype: DType
    ) -> (y: Tensor, statistics: Tensor) {
        let (x, gain, shift) = (vectorAligned(x), alignedRows(gain), alignedRows(shift))
        let (rows, width) = (x.shape[0], x.shape[1])
        let y = Tensor.empty(x.shape, dtype: dtype, device: self)
        let statistics = Tensor.empty([2, rows], device: self)
        let fitting = Self.registerWidths.first { 128 * $0 >= width }
        let vectors = width % 4 == 0 ? fitting ?? 0 : 0
        launch(
            kernel("layer_norm_\(suffix(dtype))_\(vectors)", in: .layernorm),
            grid: ((rows + 7) / 8, 1, 1),
            block: (256, 1, 1), isEarly: true, .tensor(x), .optional(gain),
            .long(gain?.strides[0] ?? 0),
            .float(offset), .optional(shift), .long(shift?.strides[0] ?? 0), .tensor(y),
            .tensor(statistics), .int(rows), .int(width), .int(share), .float(epsilon))
        return (y, statistics)
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor) {
        let result = layerNormGradient(
            dy, x, gain: gain, offset: offset, share: share, statistics: statistics, before: nil)
        return (result.dx, result.dgain, result.dshift)
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor,
        before: Tensor?
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor, isTotal: Bool) {
        let (rows, width) = (x.shape[0], x.shape[1])
        guard width % 4 == 0, let vectors = Self.onePassWidths.first(where: { 128 * $0 >= width })
        else {
            let wide = dy.dtype == .float32 ? dy : cast(dy, to: .float32)
            let (dx, dgain, dshift) = layerNormGradientOfAnyWidth(
                wide, x, gain: gain?.contiguous(), offset: offset, share: share,
                statistics: statistics)
            return (dx, dgain, dshift, false)
        }
        let (dy, x, gain) = (vectorAligned(dy), vectorAligned(x), alignedRows(gain))
        let before = vectorAligned(before)
        let dx = Tensor.empty(x.shape, device: self)
        let groups = rows / max(1, share)
        let parts = max(1, min(multiprocessors * 4 / max(1, groups), share / 16))
        let sums = Tensor.empty([2, groups * parts, width], device: self)
        launch(
            kernel("layer_norm_gradient_\(suffix(dy.dtype))_\(vectors)", in: .layernorm),
            grid: (groups * parts, 1, 1), block: (256, 1, 1), .tensor(dy), .tensor(x),
            .optional(gain), .long(gain?.strides[0] ?? 0), .float(offset), .tensor(statistics),
            .optional(before), .tensor(dx), .tensor(sums), .int(rows), .int(width), .int(share),
            .int(parts))
        let totals = total(sums, groups: 2 * groups, parts: parts)
            .reshaped([2, groups, width]).split(axis: 0, sizes: [1, 1])
        return (dx, totals[0].squeezed(0), totals[1].squeezed(0), before != nil)
    }

    private func layerNormGradientOfAnyWidth(
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
            rows: rows, share: share, columns: (width + 31) / 32, multiprocessors: multiprocessors)
        let dgain = Tensor.empty([sums.groups * sums.parts, width], device: self)
        let dshift = Tensor.empty([sums.groups * sums.parts, width], device: self)
        launch(
            kernel("layer_norm_gain_gradient", in: .normalization), grid: sums.grid,
            block: (256, 1, 1), .tensor(dy), .tensor(x), .tensor(statistics), .tensor(dgain),
            .tensor(dshift), .int(rows), .int(width), .int(share), .int(sums.parts))
        return (
            dx, total(dgain, groups: sums.groups, parts: sums.parts),
            total(dshift, groups: sums.groups, parts: sums.parts)
        )
    }

    public func gatedResidual(
        _ x: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> Tensor {
        let (x, branch, gate) = (vectorAligned(x), vectorAligned(branch), alignedRows(gate))
        let y = Tensor.empty(x.shape, device: self)
        launch(
            kernel("gated_residual_\(suffix(branch.dtype))", in: .layernorm),
            grid: ((x.count + 1023) / 1024, 1, 1), block: (256, 1, 1), .tensor(x),
            .tensor(branch), .tensor(gate), .long(gate.strides[0]), .tensor(y), .long(x.count),
            .int(x.shape[1]), .int(share))
        return y
    }

    public func gatedResidualGradient(
        _ dy: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> (dbranch: Tensor, dgate: Tensor) {
        let (dy, branch, gate) = (vectorAligned(dy), vectorAligned(branch), alignedRows(gate))
        let (rows, width) = (branch.shape[0], branch.shape[1])
        let dbranch = Tensor.empty(branch.shape, dtype: branch.dtype, device: self)
        let sums = RowSums(
            rows: rows, share: share, columns: (width + 63) / 64, multiprocessors: multiprocessors)
        let dgate = Tensor.empty([sums.groups * sums.parts, width], device: self)
        launch(
            kernel("gated_residual_gradient_\(suffix(branch.dtype))", in: .layernorm),
            grid: sums.grid, block: (256, 1, 1), .tensor(dy), .tensor(branch), .tensor(gate),
            .long(gate.strides[0]), .tensor(dbranch), .tensor(dgate), .int(width), .int(share),
            .int(sums.parts))
        return (dbranch, total(dgate, groups: sums.groups, parts: sums.parts))
    }

    /// Sums [groups, width] from those of the parts.
    private func total(_ sums: Tensor, groups: Int, parts: Int) -> Tensor {
        if parts == 1 { return sums }
        let width = sums.shape[sums.rank - 1]
        let result = Tensor.empty([groups, width], device: self)
        launch(
            kernel("add_row_parts", in: .layernorm), grid: ((result.count + 255) / 256, 1, 1),
            block: (256, 1, 1), .tensor(sums), .tensor(result), .int(groups), .int(parts),
            .int(width))
        return result
    }

    private func suffix(_ dtype: DType) -> String { dtype == .bfloat16 ? "bf16" : "f32" }

    /// Rows [groups, C], apart by any stride, that 16-byte accesses can start at where C allows them.
    func alignedRows(_ x: Tensor) -> Tensor {
        let isAligned =
            x.strides[1] == 1 && x.strides[0] % 4 == 0 && UInt(bitPattern: x.address) % 16 == 0
        return isAligned ? x : vectorAligned(x.contiguous())
    }

    private func alignedRows(_ x: Tensor?) -> Tensor? { x.map { alignedRows($0) } }
}

/// How sums over the rows that share a gain are dealt out to blocks of some columns.
private struct RowSums {
    let groups: Int
    /// Blocks for the rows of one group; by the shape alone, so that sums are always the same.
    let parts: Int
    let grid: (Int, Int, Int)

    init(rows: Int, share: Int, columns: Int, multiprocessors: Int) {
        groups = rows / max(1, share)
        parts = max(1, min(multiprocessors * 8 / max(1, groups * columns), share / 32))
        grid = (groups * parts, columns, 1)
    }
}
