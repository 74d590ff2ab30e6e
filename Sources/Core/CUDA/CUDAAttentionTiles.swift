// What the tiled kernels read of attention's intervals. SPDX-License-Identifier: Apache-2.0

/// Intervals of the queries and, by tiles, what they have in common; one table of int32.
///
///     starts [L], ends [L]
///     per tile of 64 queries: first key that any sees, end of the last
///     the same per tile of 128
///     per tile of 64 keys: first tile of 64 queries that sees any of them, end of the last
package struct CUDAAttentionTiles {
    struct Key: Hashable {
        var intervals: AttentionIntervals
        var keys: Int
    }

    /// Queries of a tile, of a wide one, and keys of a tile.
    static let tile = 64
    static let wideTile = 128

    let queries: Int
    let keys: Int

    package init(queries: Int, keys: Int) {
        self.queries = queries
        self.keys = keys
    }

    /// Where the parts begin.
    var tiles: Int { 2 * queries }
    var wideTiles: Int { tiles + 2 * Self.count(queries, Self.tile) }
    var spans: Int { wideTiles + 2 * Self.count(queries, Self.wideTile) }

    static func count(_ rows: Int, _ tile: Int) -> Int { (rows + tile - 1) / tile }

    package func values(_ intervals: AttentionIntervals) -> [Int32] {
        let narrow = common(intervals, tile: Self.tile)
        var result = intervals.start + intervals.end
        result += narrow.joined()
        result += common(intervals, tile: Self.wideTile).joined()
        for first in stride(from: 0, to: keys, by: Self.tile) {
            let seeing = narrow.indices.filter {
                narrow[$0][0] < Int32(first + Self.tile) && narrow[$0][1] > Int32(first)
            }
            result.append(Int32(seeing.first ?? 0))
            result.append(Int32((seeing.last ?? -1) + 1))
        }
        return result
    }

    private func common(_ intervals: AttentionIntervals, tile: Int) -> [[Int32]] {
        stride(from: 0, to: queries, by: tile).map { first in
            var (low, high) = (Int32(keys), Int32(0))
            for query in first..<min(queries, first + tile) {
                let (start, end) = (intervals.start[query], intervals.end[query])
                guard start < end else { continue }
                low = min(low, start)
                high = max(high, end)
            }
            return [low, high]
        }
    }
}
