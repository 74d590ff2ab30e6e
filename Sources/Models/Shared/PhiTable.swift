// Which phi convolution serves which scale.
// SPDX-License-Identifier: Apache-2.0

/// The "partially shared" assignment of phi convolutions to scales.
///
/// The scale k of K takes the tick nearest to k/(K−1), the first on ties; with four convolutions
/// the ticks are 1/12, 13/36, 23/36, 11/12. At K = 10 two scales are exact ties in real arithmetic
/// and the published model follows what floating point made of them, so published counts are a
/// table and never recomputed.
package enum PhiTable {
    private static let published: [Int: [Int]] = [
        4: [0, 1, 2, 3],
        5: [0, 1, 2, 2, 3],
        6: [0, 0, 1, 2, 3, 3],
        7: [0, 0, 1, 2, 2, 3, 3],
        8: [0, 0, 1, 1, 2, 2, 3, 3],
        9: [0, 0, 1, 1, 2, 2, 2, 3, 3],
        10: [0, 0, 1, 1, 1, 2, 2, 3, 3, 3],
        14: [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3],
    ]

    /// The phi index of every scale.
    package static func indices(scaleCount: Int, phiCount: Int) -> [Int] {
        if phiCount == 4, let row = published[scaleCount] { return row }
        guard scaleCount > 1, phiCount > 1 else {
            return [Int](repeating: 0, count: scaleCount)
        }
        let margin = 1 / Double((phiCount == 4 ? 3 : 2) * phiCount)
        let ticks = (0..<phiCount).map {
            margin + (1 - 2 * margin) * Double($0) / Double(phiCount - 1)
        }
        return (0..<scaleCount).map { scale in
            let position = Double(scale) / Double(scaleCount - 1)
            var best = 0
            for index in ticks.indices
            where abs(ticks[index] - position) < abs(ticks[best] - position) {
                best = index
            }
            return best
        }
    }
}
