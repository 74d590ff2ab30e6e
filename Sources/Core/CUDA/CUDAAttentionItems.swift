// What blocks of attention by warpgroup products take. SPDX-License-Identifier: Apache-2.0

/// Items of attention over intervals: neighbouring rows for one block, and what of the other side they see.
///
/// A long run of queries with the same interval, a token map, begins an item of its own, so that few blocks walk
/// over two maps.
package struct CUDAAttentionItems {
    /// Rows of an item at most, as the kernels have them, and rows of a warpgroup.
    static let mostQueries = 192
    static let mostKeys = 128
    private static let group = 64
    /// Rows with the same interval that are worth an item's beginning.
    private static let leastRun = 256

    /// Eight numbers an item: its first query and the end of its queries; for each 64 of them the first key that any
    /// sees and the end of the last.
    package private(set) var queryItems: [Int32] = []
    /// Four numbers an item: its first key and the end of its keys; the first query that sees any of them, rounded
    /// down to a multiple of 64, and the end of the last.
    package private(set) var keyItems: [Int32] = []

    package var queryCount: Int { queryItems.count / (2 + 2 * Self.mostQueries / Self.group) }
    package var keyCount: Int { keyItems.count / 4 }

    package init(_ intervals: AttentionIntervals, keys: Int) {
        let (start, end) = (intervals.start, intervals.end)
        /// Keys that any of some queries sees.
        func seen(_ queries: Range<Int>) -> (first: Int32, end: Int32) {
            var (first, last) = (Int32(keys), Int32(0))
            for query in queries where start[query] < end[query] {
                first = min(first, start[query])
                last = max(last, end[query])
            }
            return (first, last)
        }
        let cuts = Self.cuts(intervals)
        for rows in Self.parts(of: start.count, cuts, Self.mostQueries) {
            queryItems += [Int32(rows.lowerBound), Int32(rows.upperBound)]
            for first in stride(from: 0, to: Self.mostQueries, by: Self.group) {
                let from = min(rows.lowerBound + first, rows.upperBound)
                let own = seen(from..<min(from + Self.group, rows.upperBound))
                queryItems += [own.first, own.end]
            }
        }
        let tiles = stride(from: 0, to: start.count, by: Self.group).map {
            seen($0..<min($0 + Self.group, start.count))
        }
        // Keys are those of as many queries, or their maps' borders are not known.
        let keyCuts = start.count == keys ? cuts : []
        for rows in Self.parts(of: keys, keyCuts, Self.mostKeys) {
            let seeing = tiles.indices.filter {
                tiles[$0].first < Int32(rows.upperBound) && tiles[$0].end > Int32(rows.lowerBound)
            }
            let first = Self.group * (seeing.first ?? 0)
            let last = min(start.count, Self.group * ((seeing.last ?? -1) + 1))
            keyItems += [rows.lowerBound, rows.upperBound, first, last].map(Int32.init)
        }
    }

    /// Where long runs of equal intervals begin and end, without the first and the last row.
    private static func cuts(_ intervals: AttentionIntervals) -> [Int] {
        var (result, first, followsLong): ([Int], Int, Bool) = ([], 0, false)
        let count = intervals.start.count
        while first < count {
            let next =
                (first + 1..<count).first {
                    intervals.start[$0] != intervals.start[first]
                        || intervals.end[$0] != intervals.end[first]
                } ?? count
            let isLong = next - first >= leastRun
            if isLong || followsLong, first > 0 { result.append(first) }
            (first, followsLong) = (next, isLong)
        }
        return result
    }

    private static func parts(of count: Int, _ cuts: [Int], _ most: Int) -> [Range<Int>] {
        zip([0] + cuts, cuts + [count]).flatMap { first, end in
            stride(from: first, to: end, by: most).map { $0..<min($0 + most, end) }
        }
    }
}

/// The items of one mask in a device's memory.
struct CUDAAttentionItemTables {
    let queries: Tensor
    let queryCount: Int
    let keys: Tensor
    let keyCount: Int

    init(_ items: CUDAAttentionItems, on device: CUDADevice) {
        queries = Tensor(
            int32: items.queryItems, shape: [items.queryItems.count], device: device)
        queryCount = items.queryCount
        keys = Tensor(int32: items.keyItems, shape: [items.keyItems.count], device: device)
        keyCount = items.keyCount
    }
}
