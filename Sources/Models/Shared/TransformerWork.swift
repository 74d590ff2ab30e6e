// How many floating-point operations a picture takes in the transformer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Floating-point operations of a scale-by-scale transformer, a multiply and an add counted as two.
///
/// Matrix products and attention; what is linear in the activations (norms, GELU, residuals) is left
/// out, below 1 %.
package struct TransformerWork: Sendable {
    private let configuration: TransformerConfiguration

    package init(_ configuration: TransformerConfiguration) { self.configuration = configuration }

    private var width: Double { Double(configuration.width) }
    private var depth: Double { Double(configuration.depth) }

    /// Linear layers of all blocks over a number of rows: 24·C² a row and block.
    package func blocks(rows: Int) -> Double { 24 * width * width * depth * Double(rows) }

    /// Attention of one sequence in all blocks: 4·C a pair and block.
    package func attention(queries: Int, keys: Int) -> Double {
        4 * width * depth * Double(queries) * Double(keys)
    }

    /// The head over a number of rows.
    package func head(rows: Int) -> Double {
        2 * width * Double(configuration.vocabulary) * Double(rows)
    }

    /// Modulations of all blocks and of the head for a number of conditions.
    package func modulation(conditions: Int) -> Double {
        2 * width * width * (6 * depth + 2) * Double(conditions)
    }

    /// One pass over a map without its modulations.
    ///
    /// - Parameters:
    ///   - queries: tokens of the map.
    ///   - keys: tokens that each of them sees.
    ///   - sequences: pictures, doubled under guidance.
    package func pass(queries: Int, keys: Int, sequences: Int) -> Double {
        let rows = queries * sequences
        return blocks(rows: rows) + head(rows: rows)
            + Double(sequences) * attention(queries: queries, keys: keys)
    }

    /// Forward and backward pass over all maps of a batch: three times the forward pass.
    package func trainingStep(batch: Int, isCausal: Bool) -> Double {
        var seen = 0
        let pairs = configuration.tokenCounts.reduce(0.0) { sum, count in
            seen += count
            return sum + attention(queries: count, keys: isCausal ? seen : count)
        }
        let rows = configuration.tokenCount
        return 3 * Double(batch)
            * (blocks(rows: rows) + head(rows: rows) + pairs + modulation(conditions: 1))
    }

    /// Passes of one picture with guidance.
    ///
    /// - Parameters:
    ///   - rows: S_k of every scale.
    ///   - variant: VAR sees all coarser maps.
    ///   - mode: fast mode leaves out the unconditional half in mask steps and at scale 0.
    /// - Returns: per scale, the operations of every pass.
    package func passes(
        rows: [[Int]], variant: SamplingVariant, mode: ComputeMode
    ) -> [[Double]] {
        var seen = 0
        return rows.enumerated().map { scale, row in
            let count = configuration.tokenCounts[scale]
            seen += count
            return row.indices.map { step in
                let isHalved = variant != .var && mode == .fast && (step > 0 || scale == 0)
                return pass(
                    queries: count, keys: variant == .var ? seen : count,
                    sequences: isHalved ? 1 : 2)
            }
        }
    }

    /// A picture as the published samplers compute it: both guidance halves and all modulations anew
    /// in every pass.
    package func published(rows: [[Int]], variant: SamplingVariant) -> Double {
        let passes = passes(rows: rows, variant: variant, mode: .exact).flatMap { $0 }
        return passes.reduce(0, +) + Double(passes.count) * modulation(conditions: 2)
    }
}
