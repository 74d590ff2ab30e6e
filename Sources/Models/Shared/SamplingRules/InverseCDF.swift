// Sampling by the inverse of the cumulative distribution.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Draws with given uniform numbers: the first code i with Σ_{j ≤ i} p_j > u · Σ p, in double.
public struct InverseCDF: TokenSampler, Sendable {
    /// One list per call; each holds `batch · count` numbers in [0, 1).
    private let uniforms: [[Double]]
    private var call = 0

    /// - Throws: ``SamplingError/outOfRange(name:found:allowed:)`` for a number outside [0, 1).
    public init(uniforms: [[Double]]) throws(SamplingError) {
        for list in uniforms {
            for u in list where !(u >= 0 && u < 1) {
                throw .outOfRange(name: "a uniform number", found: "\(u)", allowed: "0 to below 1")
            }
        }
        self.uniforms = uniforms
    }

    public mutating func sample(_ table: LogitTable) throws -> [Int32] {
        let rows = table.batch * table.count
        let list = call < uniforms.count ? uniforms[call] : []
        guard list.count >= rows else {
            throw SamplingError.tooFewUniforms(call: call, found: list.count, needed: rows)
        }
        call += 1
        return (0..<rows).map { Self.draw(table, row: $0, uniform: list[$0]) }
    }

    /// One draw from the softmax of a filtered row.
    static func draw(_ table: LogitTable, row: Int, uniform: Double) -> Int32 {
        let n = table.vocabulary
        return table.filtered.withUnsafeBufferPointer { all in
            Int32(
                CategoricalSampling.draw(
                    UnsafeBufferPointer(rebasing: all[(row * n)..<((row + 1) * n)]),
                    uniform: uniform))
        }
    }
}
