// The "did you mean" of error messages: the valid name closest to what was typed.
// SPDX-License-Identifier: Apache-2.0

/// Returns the candidate closest to `name`, if one is close enough to be a likely slip.
///
/// Distance is the optimal string alignment distance (insert, delete, replace, exchange of
/// neighbours; each costs 1) without regard to case. A candidate counts as close up to a third of
/// the longer name's length, and at least 1. The first of equally close candidates wins.
///
/// - Complexity: O(candidates × name length × candidate length).
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    let typed = Array(name.lowercased())
    var best: (distance: Int, name: String)?
    for candidate in candidates {
        let other = Array(candidate.lowercased())
        let distance = alignmentDistance(typed, other)
        guard distance <= max(1, max(typed.count, other.count) / 3) else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
    }
    return best?.name
}

private func alignmentDistance(_ a: [Character], _ b: [Character]) -> Int {
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var twoBack = [Int](repeating: 0, count: b.count + 1)
    var back = Array(0...b.count)
    for i in 1...a.count {
        var row = [Int](repeating: i, count: b.count + 1)
        for j in 1...b.count {
            let replaced = back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
            row[j] = min(back[j] + 1, row[j - 1] + 1, replaced)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                row[j] = min(row[j], twoBack[j - 2] + 1)
            }
        }
        twoBack = back
        back = row
    }
    return back[b.count]
}
