// How much every scale counts in the next-scale loss.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The weighting of token cross-entropies over the scales.
public enum LossWeighting: String, Sendable, CaseIterable, Codable {
    /// HMAR's "lognorm": a Gaussian density of the reversed relative sides, despite the name.
    case lognorm
    /// Every scale counts the same: 1/p_k² per token, not normalised over scales.
    case equal
    /// Every token counts the same: 1/L (VAR).
    case uniform

    /// The weight of every token of the sequence, length L; the loss is Σ_i w_i·CE_i.
    ///
    /// With ρ_k = p_k/p_{K−1}, μ and σ mean and sample deviation of ρ:
    /// `w_k = q_k/Σq, q_k = exp(−((ρ_{K−1−k} − μ)/σ)²/2)`, divided by p_k² for each token.
    /// Source: HMAR (arXiv 2506.04421), loss weighting; the published code for the formula.
    public func tokenWeights(patchNums: [Int]) -> [Float] {
        let counts = patchNums.map { $0 * $0 }
        let total = counts.reduce(0, +)
        let perScale: [Double]
        switch self {
        case .uniform:
            perScale = counts.map { Double($0) / Double(total) }
        case .equal:
            perScale = counts.map { _ in 1 }
        case .lognorm:
            perScale = Self.logNormal(patchNums)
        }
        return zip(perScale, counts).flatMap { weight, count in
            [Float](repeating: Float(weight / Double(count)), count: count)
        }
    }

    /// The normalised weight of every scale under `lognorm`.
    static func logNormal(_ patchNums: [Int]) -> [Double] {
        guard patchNums.count > 1, let last = patchNums.last else {
            return patchNums.map { _ in 1 }
        }
        let sides = patchNums.map { Double($0) / Double(last) }
        let mean = sides.reduce(0, +) / Double(sides.count)
        let squares = sides.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Double(sides.count - 1)).squareRoot()
        let densities = sides.reversed().map { side -> Double in
            let z = (side - mean) / deviation
            return exp(-z * z / 2)
        }
        let sum = densities.reduce(0, +)
        return densities.map { $0 / sum }
    }
}
