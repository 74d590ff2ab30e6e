// The tower that predicts masked tokens from the other tokens of their map.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Base blocks, mask blocks and mask head over the sum of two embedded maps.
///
///     x = W·A + M + bias + lp,   M_i = mask_embed if i is masked, else W·own_i
///
/// A is R^area(f̂ of coarser scales), own the map's own contribution at its own grid, computed from
/// the complete map, masked tokens included: masked tokens still reach their neighbours through
/// bicubic resize and phi, in training as in sampling. The bias is added once.
///
/// Source: HMAR (arXiv 2506.04421), masked prediction; the published code for the details.
struct MaskTower: Sendable {
    let embeddings: TokenEmbeddings
    /// [1, C].
    let maskEmbedding: Parameter
    let tower: TransformerTower

    /// M: word-embedded own rows with masked ones replaced.
    ///
    /// - Parameters:
    ///   - own: [B, n, Z].
    ///   - mask: 1 at masked positions, else 0, [B, n, 1], or [1, n, 1] for all.
    /// - Returns: [B, n, C].
    func maskedEmbedding(own: Tensor, masked mask: Tensor) -> Tensor {
        embeddings.word(own) * (1 - mask)
            + maskEmbedding.tensor.reshaped([1, 1, maskEmbedding.shape[1]]) * mask
    }

    /// Teacher-forced logits of all maps.
    ///
    /// - Parameters:
    ///   - labels: B class labels.
    ///   - nextScaleInput: [B, L − 1, Z].
    ///   - maskInput: [B, L − 1, Z] from ``Quantizer/maskInput(_:)``.
    ///   - masked: L − 1 flags, shared by the batch; the first map is not counted.
    ///   - lengths: p_k² of every map.
    ///   - result: the type of the logits.
    /// - Returns: [B, L, V].
    func logits(
        labels: [Int32], nextScaleInput: Tensor, maskInput: Tensor, masked: [Bool], lengths: [Int],
        as result: ResultType = .float32
    ) -> Tensor {
        let condition = embeddings.condition(labels)
        let embedded =
            embeddings.word(nextScaleInput)
            + maskedEmbedding(
                own: maskInput,
                masked: Tensor(
                    masked.map { $0 ? 1 : 0 }, shape: [1, masked.count, 1],
                    device: maskInput.device))
        let x = embeddings.sequence(condition: condition, embedded: embedded)
        return tower(
            x, conditioning: tower.conditioning(condition), mask: .blockDiagonal(lengths),
            as: result, checkpoint: {})
    }
}

extension HMAR {
    /// Teacher-forced logits of the mask tower over all maps, [B, L, V].
    ///
    /// - Parameter masked: L − 1 flags, shared by the batch; the first map is not counted.
    public func maskedLogits(
        labels: [Int32], nextScaleInput: Tensor, maskInput: Tensor, masked: [Bool]
    ) -> Tensor {
        maskTower.logits(
            labels: labels, nextScaleInput: nextScaleInput, maskInput: maskInput, masked: masked,
            lengths: configuration.tokenCounts)
    }
}

extension NextScaleTransformer {
    /// The same of a phase-2 network.
    ///
    /// - Precondition: built with `isMaskedPrediction`.
    public func maskedLogits(
        labels: [Int32], nextScaleInput: Tensor, maskInput: Tensor, masked: [Bool],
        as result: ResultType = .float32
    ) -> Tensor {
        guard let maskEmbedding else { preconditionFailure("the network has no mask embedding") }
        return MaskTower(embeddings: embeddings, maskEmbedding: maskEmbedding, tower: tower)
            .logits(
                labels: labels, nextScaleInput: nextScaleInput, maskInput: maskInput,
                masked: masked, lengths: configuration.tokenCounts, as: result)
    }

    /// Whether the network is a phase-2 one.
    public var isMaskedPrediction: Bool { maskEmbedding != nil }
}
