// Products of few rows and what stands between them on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// The kernel's limit of rows.
    private static let mostRows = 80
    /// Up to this many rows it is ahead of the library; of narrow results with a long inner dimension, which
    /// are few tiles for the library, up to its limit, if the weight is small.
    private static let fewRows = 32
    private static let narrowWidth = 1536
    /// Columns of a block's tile and values of a stage, as `skinny.cu` has them.
    private static let tile = 32
    private static let depth = 128
    /// Stages by sixteens of rows.
    private static let stages = [8, 6, 5, 4, 3]

    private enum Mode: Int { case parts, float32, bfloat16, gelu }

    /// linear or GELU of it by the kernel for few rows.
    ///
    /// - Returns: false where it is not made for these shapes, and nothing was done.
    func skinnyLinear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, into result: Tensor, activates: Bool
    ) -> Bool {
        let (columns, inner) = (weight.shape[0], weight.shape[1])
        // With fewer tiles most of the GPU would wait for a few long sums.
        guard x.shape[0] <= Self.fewRows,
            columns / Self.tile >= multiprocessors / 3 || inner <= 512,
            let operands = operands(x, weight, bias)
        else { return false }
        let mode: Mode = activates ? .gelu : result.dtype == .float32 ? .float32 : .bfloat16
        multiply(operands, bias: bias, into: result, mode: mode, splits: 1)
        return true
    }

    /// Operands as the kernel reads them; nil where the shapes are not for it.
    private func operands(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> (
        x: Tensor, weight: Tensor
    )? {
        let (rows, columns, inner) = (x.shape[0], weight.shape[0], weight.shape[1])
        guard Self.usesPassKernels, precision == .bfloat16, rows > 0, rows <= Self.mostRows,
            columns % Self.tile == 0,
            inner % 8 == 0, inner > 0, weight.isContiguous,
            bias.map({ $0.dtype == .float32 && $0.isContiguous }) ?? true,
            weight.dtype == .float32 || weight.dtype == .bfloat16
        else { return nil }
        return (vectorAligned(operand(x).contiguous()), vectorAligned(operand(weight)))
    }

    private func multiply(
        _ operands: (x: Tensor, weight: Tensor), bias: Tensor?, into result: Tensor, mode: Mode,
        splits: Int
    ) {
        let (rows, columns) = (operands.x.shape[0], operands.weight.shape[0])
        let inner = operands.weight.shape[1]
        let steps = (inner + Self.depth - 1) / Self.depth
        let share = (steps + splits - 1) / splits * Self.depth
        let sixteens = (rows + 15) / 16
        launch(
            kernel("skinny_product_\(sixteens)", in: .skinny),
            grid: (columns / Self.tile, splits, 1), block: (256, 1, 1),
            shared: Self.stages[sixteens - 1] * (Self.tile + 16 * sixteens) * Self.depth * 2,
            isEarly: isConstant(operands.weight),
            [
                .tensor(operands.x), .tensor(operands.weight), .optional(bias), .tensor(result),
                .int(rows), .int(columns), .int(inner), .int(share), .int(mode.rawValue),
            ])
    }

    /// Whether no work of the graph that is being captured, nor any before it, writes a weight.
    private func isConstant(_ weight: Tensor) -> Bool {
        lock.withLock {
            guard let capture else { return false }
            let address = UInt64(UInt(bitPattern: weight.storage.address))
            return capture.isConstant(weight.storage)
                && !memory.isOwned(address, by: capture.pool)
        }
    }

    public func projectedResidual(
        _ x: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, _ next: ResidualModulation
    ) -> (h: Tensor, normed: Tensor) {
        let (rows, width) = (x.shape[0], x.shape[1])
        let isNarrow =
            Self.usesPassKernels && precision == .bfloat16 && width % 4 == 0 && width <= 4096
        guard isNarrow else { return composedResidual(x, input, weight, bias, next) }
        let inner = weight.shape[1]
        if rows <= Self.fewRows || width <= Self.narrowWidth && inner <= 2 * width,
            let operands = operands(input, weight, bias)
        {
            let steps = (inner + Self.depth - 1) / Self.depth
            // A block for every multiprocessor, or two where both have much to do.
            var wanted = min(steps, max(1, multiprocessors * Self.tile / width))
            if steps >= 24 * wanted { wanted *= 2 }
            let share = (steps + wanted - 1) / wanted
            let splits = (steps + share - 1) / share
            let parts = Tensor.empty([splits, rows, width], device: self)
            multiply(operands, bias: nil, into: parts, mode: .parts, splits: splits)
            return residualNorm(x, parts: parts, splits: splits, bias: bias, next)
        }
        let parts = parts(rows: rows, columns: width, inner: inner)
        if parts > 1, weight.isContiguous, bias.dtype == .float32, bias.isContiguous {
            let sums = partialProducts(
                operand(input.contiguous()), operand(weight), parts: parts)
            return residualNorm(x, parts: sums, splits: parts, bias: bias, next)
        }
        return residualNorm(
            x, parts: linear(input, weight, bias, as: .bfloat16), splits: 0, bias: nil, next)
    }

    /// Into how many parts the library's sums are cut, so that its tiles are enough for the GPU.
    private func parts(rows: Int, columns: Int, inner: Int) -> Int {
        let tiles = ((rows + 127) / 128) * ((columns + 127) / 128)
        // Partial sums cost their writing and reading.
        return [4, 2].first {
            tiles * $0 <= multiprocessors && inner / $0 >= 1024 && inner % (8 * $0) == 0
                && $0 * rows * columns <= 900_000
        } ?? 1
    }

    /// - Parameters:
    ///   - parts: partial sums [splits, rows, C] in float32, or with no splits the branch in bfloat16.
    private func residualNorm(
        _ x: Tensor, parts: Tensor, splits: Int, bias: Tensor?, _ next: ResidualModulation
    ) -> (h: Tensor, normed: Tensor) {
        let (rows, width) = (x.shape[0], x.shape[1])
        let (x, bias) = (vectorAligned(x), vectorAligned(bias))
        let (gate, gain) = (alignedRows(next.gate), alignedRows(next.gain))
        let shift = alignedRows(next.shift)
        let h = Tensor.empty(x.shape, device: self)
        let y = Tensor.empty(x.shape, dtype: .bfloat16, device: self)
        launch(
            kernel("residual_norm", in: .skinny), grid: (rows, 1, 1), block: (256, 1, 1),
            isEarly: true,
            [
                .tensor(x), .optional(splits > 0 ? parts : nil),
                .optional(splits > 0 ? nil : parts), .int(splits), .optional(bias),
                .tensor(gate), .long(gate.strides[0]), .tensor(gain), .long(gain.strides[0]),
                .tensor(shift), .long(shift.strides[0]), .tensor(h), .tensor(y), .int(rows),
                .int(width), .int(next.share), .float(next.epsilon),
            ])
        return (h, y)
    }

    public func cosineAttention(_ qkv: Tensor, scale: Tensor, epsilon: Float) -> Tensor? {
        let (b, l, h, d) = (qkv.shape[0], qkv.shape[1], qkv.shape[3], qkv.shape[4])
        // More work is worth norms of its own, found once.
        guard Self.usesPassKernels, precision == .bfloat16, d == 32 || d == 64, qkv.count > 0,
            l <= 512, b * h * ((l + 63) / 64) <= 8 * multiprocessors
        else { return nil }
        let packed = vectorAligned(bfloat16(qkv))
        let output = Tensor.empty([b, l, h, d], dtype: .bfloat16, device: self)
        let tiles = (l + 63) / 64
        // All tiles of keys fit into shared memory: two halves of a block share them out.
        let isHalved = (2...4).contains(tiles)
        launch(
            kernel("cosine_attention_\(isHalved ? "halves_" : "")\(d)", in: .skinny),
            grid: (tiles, b * h, 1), block: (isHalved ? 256 : 128, 1, 1),
            shared: isHalved ? (1 + 2 * tiles) * 128 * (d + 8) : 0, isEarly: true,
            [.tensor(packed), .tensor(scale), .tensor(output), .int(l), .int(h), .float(epsilon)])
        return output
    }
}
