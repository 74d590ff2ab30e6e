// Attention on the tensor cores. SPDX-License-Identifier: Apache-2.0

/// What the tiled kernels take beside queries, keys and values.
struct CUDATileOperands {
    var q: Tensor
    var k: Tensor
    var v: Tensor
    /// 1/|q| and 1/|k| [B, H, L] and the heads' scales [H], for attention by cosine similarity.
    var unit: (inverseQ: Tensor, inverseK: Tensor, scale: Tensor)?
    var scale: Float

    var pairs: Int { q.shape[0] * q.shape[1] }
    var heads: Int { q.shape[1] }
    var queries: Int { q.shape[2] }
    var keys: Int { k.shape[2] }
    var size: Int { q.shape[3] }
}

extension CUDADevice {
    /// Blocks may be this many in a grid's second dimension.
    private static let mostPairs = 65_535
    /// From this many queries on, twice the rows a block read keys and values half as often.
    private static let wideQueries = 2048
    static let mostTables = 64

    /// Whether attention of these shapes runs on the tensor cores.
    func usesTensorCores(_ q: Tensor, _ k: Tensor) -> Bool {
        precision == .bfloat16 && [32, 64, 128].contains(q.shape[3])
            && q.shape[0] * q.shape[1] <= Self.mostPairs && k.count > 0
    }

    func tiledAttention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, logSumExp: Tensor) {
        let operands = CUDATileOperands(q: rows(q), k: rows(k), v: rows(v), unit: nil, scale: scale)
        let output = emptyRows(like: q)
        if output.count == 0 {
            return (output, Tensor.empty(Array(q.shape.dropLast()), device: self))
        }
        return (output, forward(operands, intervals, into: output))
    }

    func tiledAttentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, output: Tensor, logSumExp: Tensor,
        scale: Float, intervals: AttentionIntervals?,
        into result: (dq: Tensor, dk: Tensor, dv: Tensor)
    ) {
        gradient(
            CUDATileOperands(q: rows(q), k: rows(k), v: rows(v), unit: nil, scale: scale),
            intervals,
            dy: rows(dy), output: rows(output), logSumExp: logSumExp, dscale: nil, into: result)
    }

    public func cosineAttention(
        _ qkv: Tensor, scale: Tensor, epsilon: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, gradient: @Sendable (Tensor) -> (dqkv: Tensor, dscale: Tensor))? {
        let (b, l, h, d) = (qkv.shape[0], qkv.shape[1], qkv.shape[3], qkv.shape[4])
        guard qkv.count > 0, usesTensorCores(part(qkv, 0), part(qkv, 1)) else { return nil }
        let packed = vectorAligned(bfloat16(qkv))
        let inverse = Tensor.empty([2, b, h, l], device: self)
        launch(
            kernel("attention_norms_\(d)", in: .attentionBF16),
            grid: ((l + 7) / 8, b, 1), block: (256, 1, 1), .tensor(packed), .tensor(inverse),
            .int(l), .int(h), .float(epsilon))
        let operands = CUDATileOperands(
            q: part(packed, 0), k: part(packed, 1), v: part(packed, 2),
            unit: (
                inverse.narrowed(axis: 0, start: 0, length: 1),
                inverse.narrowed(axis: 0, start: 1, length: 1), scale
            ), scale: 1)
        let output = Tensor.empty([b, l, h, d], dtype: .bfloat16, device: self)
        let logSumExp = forward(operands, intervals, into: output.transposed(1, 2))
        return (
            output,
            { [self] dy in
                let dqkv = Tensor.empty(qkv.shape, dtype: qkv.dtype, device: self)
                let tiles = CUDAAttentionTiles.count(l, CUDAAttentionTiles.tile)
                let sums = Tensor.empty([h, b * tiles], device: self)
                gradient(
                    operands, intervals, dy: rows(dy.transposed(1, 2)),
                    output: output.transposed(1, 2), logSumExp: logSumExp, dscale: sums,
                    into: (part(dqkv, 0), part(dqkv, 1), part(dqkv, 2)))
                return (dqkv, sum(sums, outer: h, length: b * tiles, inner: 1, scale: 1))
            }
        )
    }

    /// Queries, keys or values [B, H, L, D] of a projection [B, L, 3, H, D].
    private func part(_ x: Tensor, _ index: Int) -> Tensor {
        x.narrowed(axis: 2, start: index, length: 1).squeezed(2).transposed(1, 2)
    }

    // MARK: Launches

    /// Returns log Σ e^z [B, H, L].
    private func forward(
        _ x: CUDATileOperands, _ intervals: AttentionIntervals?, into output: Tensor
    ) -> Tensor {
        let logSumExp = Tensor.empty([x.q.shape[0], x.heads, x.queries], device: self)
        if usesHopperAttention(x, intervals) {
            warpgroupForward(x, intervals, into: output, logSumExp)
            return logSumExp
        }
        let isWide = x.queries >= Self.wideQueries && x.size <= 64
        let tile = isWide ? CUDAAttentionTiles.wideTile : CUDAAttentionTiles.tile
        let layout = CUDAAttentionTiles(queries: x.queries, keys: x.keys)
        let table = table(intervals, layout)
        launch(
            kernel("attention_forward_\(isWide ? "wide_" : "")\(x.size)", in: .attentionBF16),
            grid: (CUDAAttentionTiles.count(x.queries, tile), x.pairs, 1),
            block: (128, 1, 1), shared: shared(x.size, rows: tile + 256, numbers: 128),
            arguments(x, table, at: isWide ? layout.wideTiles : layout.tiles) + [
                .tensor(output), .int(output.dtype == .float32 ? 1 : 0), .tensor(logSumExp),
            ] + strides(output))
        return logSumExp
    }

    private func gradient(
        _ x: CUDATileOperands, _ intervals: AttentionIntervals?, dy: Tensor, output: Tensor,
        logSumExp: Tensor, dscale: Tensor?, into result: (dq: Tensor, dk: Tensor, dv: Tensor)
    ) {
        if !isDeterministic, usesHopperAttention(x, intervals) {
            return warpgroupGradient(
                x, intervals, dy: dy, output: output, logSumExp: logSumExp, dscale: dscale,
                into: result)
        }
        let layout = CUDAAttentionTiles(queries: x.queries, keys: x.keys)
        let table = table(intervals, layout)
        let common = arguments(x, table, at: layout.tiles)
        let delta = Tensor.empty(logSumExp.shape, device: self)
        let isFloat = CUDAArgument.int(result.dq.dtype == .float32 ? 1 : 0)
        launch(
            kernel("attention_dq_\(x.size)", in: .attentionGradientBF16),
            grid: (CUDAAttentionTiles.count(x.queries, CUDAAttentionTiles.tile), x.pairs, 1),
            block: (128, 1, 1), shared: shared(x.size, rows: 384, numbers: 132),
            common + [
                .tensor(output), .tensor(dy), .tensor(logSumExp), .tensor(delta),
                .tensor(result.dq), isFloat, .optional(dscale),
            ] + strides(output) + strides(dy) + strides(result.dq))
        launch(
            kernel("attention_dkv_\(x.size)", in: .attentionGradientBF16),
            grid: (CUDAAttentionTiles.count(x.keys, CUDAAttentionTiles.tile), x.pairs, 1),
            block: (128, 1, 1), shared: shared(x.size, rows: 384, numbers: 640),
            common + [
                .tensor(dy), .tensor(logSumExp), .tensor(delta), part(table, at: layout.spans),
                .tensor(result.dk), .tensor(result.dv), isFloat,
            ] + strides(dy) + strides(result.dk) + strides(result.dv))
    }

    /// Bytes: rows of bf16 padded by 8, then float32 numbers.
    private func shared(_ size: Int, rows: Int, numbers: Int) -> Int {
        2 * rows * (size + 8) + 4 * numbers
    }

    func arguments(_ x: CUDATileOperands, _ table: Tensor?, at tiles: Int) -> [CUDAArgument] {
        arguments(x, table, part(table, at: tiles))
    }

    /// What all kernels of attention begin with.
    ///
    /// - Parameter parts: the kernel's table of tiles or items.
    func arguments(
        _ x: CUDATileOperands, _ table: Tensor?, _ parts: CUDAArgument
    ) -> [CUDAArgument] {
        [
            .tensor(x.q), .tensor(x.k), .tensor(x.v), .optional(x.unit?.inverseQ),
            .optional(x.unit?.inverseK), .optional(x.unit?.scale), part(table, at: 0),
            parts, .int(x.heads), .int(x.queries), .int(x.keys), .float(x.scale),
        ] + strides(x.q) + strides(x.k) + strides(x.v)
    }

    func part(_ table: Tensor?, at start: Int) -> CUDAArgument {
        .optional(table.map { $0.narrowed(axis: 0, start: start, length: $0.count - start) })
    }

    /// The table of some intervals; the same few masks come again and again.
    func table(_ intervals: AttentionIntervals?, _ layout: CUDAAttentionTiles) -> Tensor? {
        guard let intervals else { return nil }
        let key = CUDAAttentionTiles.Key(intervals: intervals, keys: layout.keys)
        if let found = lock.withLock({ attentionTables[key] }) { return found }
        let values = layout.values(intervals)
        let made = Tensor(int32: values, shape: [values.count], device: self)
        lock.withLock {
            // What a graph makes belongs to the graph.
            guard capture == nil, pendingIsNil else { return }
            if attentionTables.count >= Self.mostTables { attentionTables = [:] }
            attentionTables[key] = made
        }
        return made
    }

    /// A bfloat16 copy [B, H, L, D] whose rows can be read in 16-byte pieces.
    private func rows(_ x: Tensor) -> Tensor {
        let converted = bfloat16(x)
        let isReadable =
            converted.strides[3] == 1 && UInt(bitPattern: converted.address) % 16 == 0
            && converted.strides.dropLast().allSatisfy { $0 % 8 == 0 }
        if isReadable { return converted }
        let s = x.shape
        let dense = Tensor.empty([s[0], s[2], s[1], s[3]], dtype: .bfloat16, device: self)
            .transposed(1, 2)
        copy(converted, into: dense)
        return dense
    }
}
