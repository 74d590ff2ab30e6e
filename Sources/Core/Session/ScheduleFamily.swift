// Generators of schedule rows. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A rule that spreads the p_k² tokens of a scale over its passes.
///
/// Every family is given by the share of tokens still masked after a fraction x of the passes, as
/// MaskGIT's mask ratio (arXiv 2202.04200, section 3.3).
public enum ScheduleFamily: String, Sendable, CaseIterable, Codable {
    /// cos(πx/2): few tokens first, many last.
    case cosine
    /// 1 − x: the same number in every pass.
    case linear
    /// 1 − x²: between linear and cosine.
    case square
    /// One token in every pass but the last, which takes the rest.
    case allAtEnd

    /// S_k for `tokenCount` tokens with `maskSteps` mask steps after the next-scale pass.
    ///
    /// With n = tokenCount, J = maskSteps and left₀ = n: for s = 0…J, left is
    /// `⌊n · ratio((s+1)/(J+1))⌋` (0 for s = J) held within [0, previous − 1]; the difference to
    /// the previous value is emitted, and the row ends early when nothing is left. The entries
    /// are positive and sum to `tokenCount`.
    /// - Precondition: `tokenCount ≥ 1`, `maskSteps ≥ 0`.
    public func row(tokenCount n: Int, maskSteps: Int) -> [Int] {
        precondition(n >= 1 && maskSteps >= 0, "row of \(n) tokens in \(maskSteps) mask steps")
        var row: [Int] = []
        var previous = n
        for s in 0...maskSteps {
            var left = 0
            if s < maskSteps {
                left = remaining(n, passesDone: s + 1, passes: maskSteps + 1)
            }
            left = max(0, min(left, previous - 1))
            row.append(previous - left)
            previous = left
            if left == 0 { break }
        }
        return row
    }

    private func remaining(_ n: Int, passesDone: Int, passes: Int) -> Int {
        let x = Double(passesDone) / Double(passes)
        switch self {
        case .cosine: return Int((Double(n) * cos(Double.pi / 2 * x)).rounded(.down))
        case .linear: return n - (n * passesDone) / passes
        case .square: return Int((Double(n) * (1 - x * x)).rounded(.down))
        case .allAtEnd: return n - passesDone
        }
    }
}
