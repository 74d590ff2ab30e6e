// The one-tower network that VAR and HMAR's first phase share.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Which tokens see which in a sequence of all token maps.
public enum ScaleAttention: String, Sendable, Codable {
    /// A token sees its own map and all coarser ones (VAR).
    case blockCausal
    /// A token sees its own map only (HMAR).
    case blockDiagonal
}

/// A transformer that predicts every token map from f̂ of the coarser ones.
///
/// With ``ScaleAttention/blockCausal`` it is VAR, with ``ScaleAttention/blockDiagonal`` HMAR after
/// phase 1; tensor names are the same. With `wordBiasName: "word_embed_bias"` and a mask embedding
/// it is HMAR's phase-2 network.
///
/// Checkpoint keys: `word_embed.*`, `class_emb.weight`, `pos_start`, `pos_1LC`, `lvl_embed.weight`,
/// `blocks.i.*`, `head_nm.ada_lin.1.*`, `head.*`; with shared AdaLN `shared_ada_lin.1.*`.
public final class NextScaleTransformer: Sendable {
    public let configuration: TransformerConfiguration
    public let attention: ScaleAttention
    /// Every trainable tensor in the order of construction.
    public let parameters: [Parameter]
    /// Tensors that are stored but not trained, by checkpoint key.
    public let buffers: [String: Tensor]
    let embeddings: TokenEmbeddings
    let tower: TransformerTower
    /// Stands for a masked token's own contribution, [1, C]; phase 2 only.
    let maskEmbedding: Parameter?

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Parameters:
    ///   - isMaskedPrediction: with `mask_embed.weight` and `word_embed_bias`, as phase 2 has.
    ///   - gammaInitialScale: scale of the gates' initial weights, `alng`.
    /// - Throws: ``ConfigurationError``.
    /// - Precondition: the store serves this network alone.
    public init(
        configuration: TransformerConfiguration, attention: ScaleAttention, store: ParameterStore,
        isMaskedPrediction: Bool = false, gammaInitialScale: Float = 1e-3
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        self.attention = attention
        let scope = store.scope
        embeddings = TokenEmbeddings(
            scope, configuration: configuration,
            wordBiasName: isMaskedPrediction ? "word_embed_bias" : "word_embed.bias")
        maskEmbedding =
            isMaskedPrediction
            ? scope.parameter(
                "mask_embed.weight", shape: [1, configuration.width],
                initializer: .transformer(width: configuration.width)) : nil
        let width = configuration.width
        let shared: (weight: Parameter, bias: Parameter)? =
            configuration.usesSharedAdaLN
            ? (
                scope.parameter(
                    "shared_ada_lin.1.weight", shape: [6 * width, width],
                    initializer: .transformer(width: width), isLinearWeight: true),
                scope.parameter("shared_ada_lin.1.bias", shape: [6 * width])
            ) : nil
        let blocks = (0..<configuration.depth).map {
            AdaLNSelfAttn(
                scope["blocks"][$0], configuration: configuration,
                gammaInitialScale: gammaInitialScale)
        }
        tower = TransformerTower(
            blocks: blocks, head: TransformerHead(scope, configuration: configuration),
            sharedAdaLN: shared)
        SequenceBuffers.take(
            scope, configuration: configuration, attention: attention)
        parameters = store.parameters
        buffers = store.buffers
    }

    /// The attention mask over the sequence of all maps.
    var mask: AttentionMask {
        switch attention {
        case .blockCausal: .blockCausal(configuration.tokenCounts)
        case .blockDiagonal: .blockDiagonal(configuration.tokenCounts)
        }
    }

    /// Teacher-forced logits of all maps, without guidance or label dropout.
    ///
    /// - Parameters:
    ///   - labels: B class labels, N_c for "no class".
    ///   - nextScaleInput: [B, L − 1, Z] from ``Quantizer/nextScaleInput(_:)``.
    ///   - dropPath: one pair of per-sample factors per block, in training.
    ///   - result: the type of the logits; `.operand` for a loss, which sums in float32.
    /// - Returns: [B, L, V].
    public func logits(
        labels: [Int32], nextScaleInput: Tensor, dropPath: [(Tensor, Tensor)]? = nil,
        as result: ResultType = .float32
    ) -> Tensor {
        let condition = embeddings.condition(labels)
        let x = embeddings.sequence(
            condition: condition, embedded: embeddings.word(nextScaleInput))
        return tower(
            x, conditioning: tower.conditioning(condition), mask: mask, dropPath: dropPath,
            as: result, checkpoint: {})
    }
}
