// Attention by Hopper's warpgroup products. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// A block's rows, threads and stages, as `attention_sm90.cu` and `attention_gradient_sm90.cu` have them.
    private static let forward = (
        ownRows: CUDAAttentionItems.mostQueries, threads: 512, stages: 5
    )
    private static let gradient = (
        ownRows: CUDAAttentionItems.mostKeys, threads: 384, stages: 3
    )
    /// Rows of a tile that walks by, 128 bytes each.
    private static let tile = 128
    /// From so many keys that a query sees, on average, large tiles are worth it.
    private static let leastKeys = 320

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
        let (ownRows, threads, stages) = Self.forward
        let items = items(intervals, layout)
        let blocks = items?.queryCount ?? CUDAAttentionTiles.count(x.queries, ownRows)
        // Two tiles of queries, keys and values on their way, the keys' norms, barriers.
        let shared =
            128 * (2 * ownRows + 2 * stages * Self.tile) + 4 * stages * Self.tile + 16 * stages
            + 16
        launch(
            kernel("attention_forward", in: .attentionSM90),
            grid: (min(blocks * x.pairs, multiprocessors), 1, 1), block: (threads, 1, 1),
            shared: shared,
            arguments(x, table(intervals, layout), .optional(items?.queries)) + [
                .int(blocks), .int(x.pairs), .tensor(output),
                .int(output.dtype == .float32 ? 1 : 0),
                .tensor(logSumExp),
            ] + strides(output))
    }

    /// Keys' and values' gradients by tiles of keys, which add to float32 sums for the queries; these sums'
    /// order is that in which blocks come.
    func warpgroupGradient(
        _ x: CUDATileOperands, _ intervals: AttentionIntervals?, dy: Tensor, output: Tensor,
        logSumExp: Tensor, dscale: Tensor?, into result: (dq: Tensor, dk: Tensor, dv: Tensor)
    ) {
        let layout = CUDAAttentionTiles(queries: x.queries, keys: x.keys)
        let (table, items) = (table(intervals, layout), items(intervals, layout))
        let (ownRows, threads, stages) = Self.gradient
        let tiles = CUDAAttentionTiles.count(x.queries, CUDAAttentionTiles.tile)
        let numbers = Tensor.empty([x.pairs, x.queries, 4], device: self)
        let sums = Tensor.empty([x.pairs, tiles, 64 * x.size], device: self)
        let isFloat = CUDAArgument.int(result.dq.dtype == .float32 ? 1 : 0)
        launch(
            kernel("attention_before", in: .attentionGradientSM90), grid: (tiles, x.pairs, 1),
            block: (256, 1, 1),
            [
                .tensor(output), .tensor(dy), .tensor(logSumExp), .optional(x.unit?.inverseQ),
                .tensor(numbers), .tensor(sums), .int(x.heads), .int(x.queries),
            ] + strides(output) + strides(dy))
        // Keys, values, two tiles of ds, queries and dy on their way with six numbers a row, barriers.
        let shared =
            128 * (2 * ownRows + 4 * Self.tile + 2 * stages * Self.tile)
            + 24 * stages * Self.tile + 16 * stages + 16
        launch(
            kernel("attention_gradients", in: .attentionGradientSM90),
            grid: (items?.keyCount ?? CUDAAttentionTiles.count(x.keys, ownRows), x.pairs, 1),
            block: (threads, 1, 1), shared: shared,
            arguments(x, table, .optional(items?.keys)) + [
                .tensor(dy), .tensor(numbers), .tensor(sums),
                .tensor(result.dk), .tensor(result.dv), isFloat,
            ] + strides(dy) + strides(result.dk) + strides(result.dv))
        launch(
            kernel("attention_after", in: .attentionGradientSM90), grid: (tiles, x.pairs, 1),
            block: (128, 1, 1),
            [
                .tensor(x.q), .optional(x.unit?.inverseQ), .optional(x.unit?.scale),
                .tensor(sums), .tensor(result.dq), isFloat, .optional(dscale), .int(x.heads),
                .int(x.queries), .float(x.scale),
            ] + strides(x.q) + strides(result.dq))
    }

    /// The items of some intervals, kept as their table is.
    private func items(
        _ intervals: AttentionIntervals?, _ layout: CUDAAttentionTiles
    ) -> CUDAAttentionItemTables? {
        guard let intervals else { return nil }
        let key = CUDAAttentionTiles.Key(intervals: intervals, keys: layout.keys)
        if let found = lock.withLock({ attentionItems[key] }) { return found }
        let made = CUDAAttentionItemTables(
            CUDAAttentionItems(intervals, keys: layout.keys), on: self)
        lock.withLock {
            // What a graph makes belongs to the graph.
            guard capture == nil, pendingIsNil else { return }
            if attentionItems.count >= Self.mostTables { attentionItems = [:] }
            attentionItems[key] = made
        }
        return made
    }
}
