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
        /// Mean over the scales of ``CodeEntropy/penalty(rows:codebook:codes:)``; nil where it was
        /// not asked for.
        public var entropyPenalty: Tensor?
    }

    /// Quantizes with gradients: the codebook and phi learn from the second term of the loss, the
    /// encoder from the first and, through the identity, from what follows.
    ///
    /// - Parameters:
    ///   - f: [B, Z, P, P].
    ///   - commitment: β, the published 0.25.
    ///   - keptScales: how many scales of every picture f̂ consists of for what follows; all when
    ///     nil. The loss and the tokens always have all.
    ///   - entropy: what the entropy penalty's gradient reaches; nil computes none.
    ///   - parallel: processes that have the other parts of the batch.
    /// Source: VAR's `VectorQuantizer2.forward`; leaving out fine scales: Li et al., "ImageFolder",
    /// arXiv 2410.01756.
    public func trainingForward(
        _ f: Tensor, commitment: Float = 0.25, keptScales: [Int]? = nil,
        entropy: CodeEntropy.Reach? = nil, parallel: DataParallel = .single
    ) -> TrainingOutput {
        let target = f.detached()
        var residual = target
        var fhat: Tensor?
        var kept: Tensor?
        var loss: Tensor?
        var tokens: [Tensor] = []
        var rows: [Tensor] = []
        var penalty: Tensor?
        for scale in 0..<configuration.scaleCount {
            let scaleRows = withoutGradients {
                let rows = Self.rows(down(residual, scale: scale))
                return rows.reshaped([rows.shape[0] * rows.shape[1], rows.shape[2]]).contiguous()
            }
            let codes = nearestCodes(scaleRows, codebook: codebook.value)
                .reshaped([f.shape[0], scaleRows.shape[0] / f.shape[0]])
            if let entropy {
                // For the encoder: the residual's value, with the feature's gradient.
                let map = entropy == .codebookAndEncoder ? (residual - target) + f : residual
                let maps = Self.rows(down(map, scale: scale))
                let term = CodeEntropy.penalty(
                    rows: maps.reshaped(scaleRows.shape), codebook: codebook.tensor, codes: codes,
                    parallel: parallel)
                penalty = penalty.map { $0 + term } ?? term
            }
            let h = contribution(codes, scale: scale)
            let sum = fhat.map { $0 + h } ?? h
            residual = withoutGradients { residual - h.detached() }
            let term =
                (sum.detached() - f).square().mean() * commitment
                + (sum - target).square().mean()
            loss = loss.map { $0 + term } ?? term
            fhat = sum
            if let keptScales {
                let flags = Tensor(
                    keptScales.map { scale < $0 ? 1 : 0 }, shape: [f.shape[0], 1, 1, 1])
                kept = withoutGradients {
                    let part = h.detached() * flags
                    return kept.map { $0 + part } ?? part
                }
            }
            tokens.append(codes)
            rows.append(scaleRows)
        }
        let value = kept ?? (fhat ?? target).detached()
        return TrainingOutput(
            straightThrough: (value - target) + f,
            loss: (loss ?? Tensor(0)) * (1 / Float(configuration.scaleCount)),
            tokens: tokens, residualRows: rows,
            entropyPenalty: penalty.map { $0 * (1 / Float(configuration.scaleCount)) })
    }

    /// Starts the codebook on what features give: every scale gets codes of its own, found by
    /// k-means among the residuals that the scales before it leave.
    ///
    /// One k-means over all residuals would give nearly all codes to the finest maps, which have
    /// most of the tokens, and leave the coarsest with a handful. The shares are those of the sides
    /// p_k. The phi convolutions start as the identity, so that the residuals are those of the plain
    /// sums.
    /// - Parameter f: [N, Z, P, P]; the more pictures, the more codes the coarsest map can have.
    func startCodebook(_ f: Tensor, generator: inout RandomGenerator) {
        startPhiAsIdentity()
        let shares = Self.codeShares(
            patchNums: configuration.patchNums, vocabulary: configuration.vocabulary)
        codebook.value = withoutGradients {
            var residual = f.detached()
            let centres = shares.enumerated().map { scale, count -> Tensor in
                let maps = Self.rows(down(residual, scale: scale))
                let rows = maps.reshaped([maps.shape[0] * maps.shape[1], maps.shape[2]])
                    .contiguous()
                let found = KMeans.centres(
                    of: rows, count: count, iterations: 8, generator: &generator)
                let codes = nearestCodes(rows, codebook: found)
                    .reshaped([maps.shape[0], maps.shape[1]])
                residual =
                    residual
                    - contribution(embedded: embedding(found, indices: codes), scale: scale)
                return found
            }
            return Tensor.concatenated(centres, axis: 0).contiguous()
        }
    }

    /// Codes for every scale, about in proportion to its side, at least one each.
    ///
    /// - Precondition: as many codes as scales.
    static func codeShares(patchNums: [Int], vocabulary: Int) -> [Int] {
        let total = patchNums.reduce(0, +)
        var shares = patchNums.map { max(1, vocabulary * $0 / total) }
        // What rounding leaves goes to the finest maps; what it took comes from them.
        var scale = shares.count - 1
        while shares.reduce(0, +) != vocabulary {
            let missing = vocabulary - shares.reduce(0, +)
            shares[scale] = max(1, shares[scale] + missing)
            scale = (scale + shares.count - 1) % shares.count
        }
        return shares
    }
}
