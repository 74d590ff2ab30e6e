// Attention by Hopper's warpgroup products. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Rows of a block's own, a warpgroup for each half.
    private static let ownRows = 128
    private static let threads = 384
    /// Rows of a tile that walks by, and tiles on their way, as `attention_sm90.cuh` has them.
    private static let tile = 128
    private static let stages = 5
    /// From so many keys that a query sees, on average, large tiles are worth it.
    private static let leastKeys = 256

    /// Whether attention takes the kernels of Hopper's warpgroup products.
    func usesHopperAttention(_ x: CUDATileOperands, _ intervals: AttentionIntervals?) -> Bool {
        guard computeCapability == "9.0", x.size == 64, x.queries >= Self.leastKeys else {
            return false
        }
        guard let intervals else { return x.keys >= Self.leastKeys }
        let seen = zip(intervals.start, intervals.end).reduce(0) { $0 + max(0, Int($1.1 - $1.0)) }
        return seen >= Self.leastKeys * x.queries
    }

    func warpgroupForward(
        _ x: CUDATileOperands, _ intervals: AttentionIntervals?, into output: Tensor,
        _ logSumExp: Tensor
    ) {
        let layout = CUDAAttentionTiles(queries: x.queries, keys: x.keys)
        launch(
            kernel("attention_forward", in: .attentionSM90),
            grid: (CUDAAttentionTiles.count(x.queries, Self.ownRows), x.pairs, 1),
            block: (Self.threads, 1, 1),
            shared: shared(own: Self.ownRows, numbers: Self.stages * Self.tile),
            arguments(x, table(intervals, layout), at: layout.tiles) + [
                .tensor(output), .int(output.dtype == .float32 ? 1 : 0), .tensor(logSumExp),
            ] + strides(output))
    }

    func warpgroupGradient(
        _ x: CUDATileOperands, _ intervals: AttentionIntervals?, dy: Tensor, output: Tensor,
        logSumExp: Tensor, dscale: Tensor?, into result: (dq: Tensor, dk: Tensor, dv: Tensor)
    ) {
        let layout = CUDAAttentionTiles(queries: x.queries, keys: x.keys)
        let table = table(intervals, layout)
        let common = arguments(x, table, at: layout.tiles)
        let numbers = Tensor.empty([2] + logSumExp.shape, device: self)
        let isFloat = CUDAArgument.int(result.dq.dtype == .float32 ? 1 : 0)
        let block = (Self.threads, 1, 1)
        launch(
            kernel("attention_dq", in: .attentionGradientSM90),
            grid: (CUDAAttentionTiles.count(x.queries, Self.ownRows), x.pairs, 1), block: block,
            shared: shared(own: 2 * Self.ownRows, numbers: Self.stages * Self.tile + 8),
            common + [
                .tensor(output), .tensor(dy), .tensor(logSumExp), .tensor(numbers),
                .tensor(result.dq), isFloat, .optional(dscale),
            ] + strides(output) + strides(dy) + strides(result.dq))
        launch(
            kernel("attention_dkv", in: .attentionGradientSM90),
            grid: (CUDAAttentionTiles.count(x.keys, Self.ownRows), x.pairs, 1), block: block,
            shared: shared(own: 2 * Self.ownRows, numbers: Self.stages * 5 * Self.tile),
            common + [
                .tensor(dy), .tensor(numbers), part(table, at: layout.spans),
                .tensor(result.dk), .tensor(result.dv), isFloat,
            ] + strides(dy) + strides(result.dk) + strides(result.dv))
    }

    /// Bytes: rows of a block's own and two operands' tiles on their way, 128 bytes each, float32
    /// numbers, two barriers a stage.
    private func shared(own: Int, numbers: Int) -> Int {
        128 * (own + 2 * Self.stages * Self.tile) + 4 * numbers + 16 * Self.stages
    }
}
