// The quantizer's training forward: loss and straight-through estimate.
// SPDX-License-Identifier: Apache-2.0
import Core

extension Quantizer {
    /// What the training forward gives.
    public struct TrainingOutput: Sendable {
        /// f̂ in value, the identity to f in gradient; [B, Z, P, P].
        public var straightThrough: Tensor
        /// (1/K)·Σ_k [ β·mean((sg(f̂_k) − f)²) + mean((f̂_k − sg(f))²) ].
        public var loss: Tensor
        /// Per scale, int32 [B, p_k²].
        public var tokens: [Tensor]
        /// Per scale, the rows that were quantized, [B·p_k², Z]; what dead codes restart from.
        public var residualRows: [Tensor]
    }

    /// Quantizes with gradients: the codebook and phi learn from the second term of the loss, the
    /// encoder from the first and, through the identity, from what follows.
    ///
    /// - Parameters:
    ///   - f: [B, Z, P, P].
    ///   - commitment: β, the published 0.25.
    /// Source: VAR's `VectorQuantizer2.forward`.
    public func trainingForward(_ f: Tensor, commitment: Float = 0.25) -> TrainingOutput {
        let target = f.detached()
        var residual = target
        var fhat: Tensor?
        var loss: Tensor?
        var tokens: [Tensor] = []
        var rows: [Tensor] = []
        for scale in 0..<configuration.scaleCount {
            let scaleRows = withoutGradients {
                let rows = Self.rows(down(residual, scale: scale))
                return rows.reshaped([rows.shape[0] * rows.shape[1], rows.shape[2]]).contiguous()
            }
            let codes = nearestCodes(scaleRows, codebook: codebook.value)
                .reshaped([f.shape[0], scaleRows.shape[0] / f.shape[0]])
            let h = contribution(codes, scale: scale)
            let sum = fhat.map { $0 + h } ?? h
            residual = withoutGradients { residual - h.detached() }
            let term =
                (sum.detached() - f).square().mean() * commitment
                + (sum - target).square().mean()
            loss = loss.map { $0 + term } ?? term
            fhat = sum
            tokens.append(codes)
            rows.append(scaleRows)
        }
        let value = (fhat ?? target).detached()
        return TrainingOutput(
            straightThrough: (value - target) + f,
            loss: (loss ?? Tensor(0)) * (1 / Float(configuration.scaleCount)),
            tokens: tokens, residualRows: rows)
    }
}
