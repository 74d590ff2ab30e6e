// The "did you mean" of error messages: the valid name closest to what was typed.
// SPDX-License-Identifier: Apache-2.0

/// Returns the candidate closest to `name`, if one is close enough to be a likely slip.
///
/// Close is a third of the longer name's letters wrong (``EditDistance``), at least 1; a name of two
/// letters or more that begins a candidate is one slip away. The first of equally close candidates
/// wins.
///
/// - Complexity: O(candidates × name length × candidate length).
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    var best: (distance: Int, name: String)?
    for candidate in candidates {
        var distance = EditDistance.between(name, candidate)
        if name.count >= 2, candidate.lowercased().hasPrefix(name.lowercased()) {
            distance = min(distance, 1)
        }
        guard distance <= max(1, max(name.count, candidate.count) / 3) else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
    }
    return best?.name
}
