// Which tokens are masked in a training step of phase 2.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// ⌈γ·p_k²⌉ random positions of every map but the first, shared by the batch.
///
/// Source: HMAR (arXiv 2506.04421), masked prediction.
struct MaskPattern {
    /// L − 1 flags; the first map is not counted.
    let flags: [Bool]

    /// Indices of the masked positions, counted without the first map.
    var positions: [Int32] { flags.indices.filter { flags[$0] }.map { Int32($0) } }

    init(patchNums: [Int], ratio: Double, generator: inout RandomGenerator) {
        var flags: [Bool] = []
        for side in patchNums.dropFirst() {
            let count = side * side
            let masked = min(count, Int((ratio * Double(count)).rounded(.up)))
            var part = [Bool](repeating: false, count: count)
            for position in generator.permutation(count).prefix(masked) { part[position] = true }
            flags += part
        }
        self.flags = flags
    }
}
