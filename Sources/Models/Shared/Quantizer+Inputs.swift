// What the transformers are fed in training.
// SPDX-License-Identifier: Apache-2.0
import Core

extension Quantizer {
    /// Teacher-forcing input of the next-scale tower (`idxBl_to_ns_input`).
    ///
    /// For every scale k ≥ 1: R^area of f̂ accumulated over the scales before it.
    /// - Parameter tokens: per scale, int32 [B, p_k²]; the last is not needed.
    /// - Returns: [B, L − 1, Z].
    public func nextScaleInput(_ tokens: [Tensor]) -> Tensor {
        withoutGradients {
            var fhat: Tensor?
            var parts: [Tensor] = []
            for scale in 0..<(configuration.scaleCount - 1) {
                let h = contribution(tokens[scale], scale: scale)
                let sum = fhat.map { $0 + h } ?? h
                fhat = sum
                parts.append(Self.rows(down(sum, scale: scale + 1)))
            }
            return Tensor.concatenated(parts, axis: 1)
        }
    }

    /// What a scale's own map adds to f̂, brought back to its own grid.
    ///
    /// - Parameter tokens: int32 [B, p_k²].
    /// - Returns: rows [B, p_k², Z].
    public func ownContribution(_ tokens: Tensor, scale: Int) -> Tensor {
        Self.rows(down(contribution(tokens, scale: scale), scale: scale))
    }

    /// Teacher-forcing input of the mask tower (`idxBl_to_mask_input`): every scale's own
    /// contribution, not accumulated.
    ///
    /// - Parameter tokens: per scale, int32 [B, p_k²].
    /// - Returns: [B, L − 1, Z].
    public func maskInput(_ tokens: [Tensor]) -> Tensor {
        withoutGradients {
            Tensor.concatenated(
                (1..<configuration.scaleCount).map { ownContribution(tokens[$0], scale: $0) },
                axis: 1)
        }
    }
}
