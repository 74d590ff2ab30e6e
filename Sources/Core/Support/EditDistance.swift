// How many slips lie between two words.
// SPDX-License-Identifier: Apache-2.0

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
public enum EditDistance {
    /// The number of edits between two words, upper and lower case alike.
    ///
    /// - Complexity: O(n·m) time.
    public static func between(_ first: String, _ second: String) -> Int {
        let a = Array(first.lowercased())
        let b = Array(second.lowercased())
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var older: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                var best = min(
                    previous[j] + 1, row[j - 1] + 1,
                    previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                )
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, older[j - 2] + 1)
                }
                row.append(best)
            }
            older = previous
            previous = row
        }
        return previous[b.count]
    }
}
