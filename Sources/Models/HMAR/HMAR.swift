// Hierarchical masked auto-regressive image generation.
// SPDX-License-Identifier: Apache-2.0
import Core

/// HMAR: two towers on shared base blocks, one for the next scale and one for masked refinement.
///
/// Both see one token map at a time: what coarser maps said arrives only through f̂, so there is no
/// key/value cache.
///
/// Source: Kumbong et al., "HMAR: efficient hierarchical masked auto-regressive image generation",
/// arXiv 2506.04421. Checkpoint keys: `base_blocks.i.*`, `ns_blocks.j.*`, `mask_blocks.j.*`,
/// `ns_head*`, `mask_head*`, `mask_embed.weight`, `word_embed.weight`, `word_embed_bias`, and the
/// embeddings of ``NextScaleTransformer``.
public final class HMAR: Sendable {
    public let configuration: TransformerConfiguration
    /// Every trainable tensor in the order of construction.
    public let parameters: [Parameter]
    /// Tensors that are stored but not trained, by checkpoint key.
    public let buffers: [String: Tensor]
    let embeddings: TokenEmbeddings
    /// Base blocks, next-scale blocks, next-scale head.
    let nextScaleTower: TransformerTower
    /// Base blocks, mask blocks, mask head.
    let maskTower: MaskTower

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    /// - Precondition: the store serves this network alone.
    public init(configuration: TransformerConfiguration, store: ParameterStore) throws {
        try configuration.validate()
        try ConfigurationError.require(
            !configuration.usesSharedAdaLN, "shared AdaLN", "on", "off for HMAR")
        self.configuration = configuration
        let scope = store.scope
        embeddings = TokenEmbeddings(
            scope, configuration: configuration, wordBiasName: "word_embed_bias")
        let maskEmbedding = scope.parameter(
            "mask_embed.weight", shape: [1, configuration.width],
            initializer: .transformer(width: configuration.width))
        func blocks(_ name: String, _ count: Int) -> [AdaLNSelfAttn] {
            (0..<count).map { AdaLNSelfAttn(scope[name][$0], configuration: configuration) }
        }
        let base = blocks("base_blocks", configuration.depth - configuration.maskDepth)
        nextScaleTower = TransformerTower(
            blocks: base + blocks("ns_blocks", configuration.maskDepth),
            head: TransformerHead(scope, configuration: configuration, prefix: "ns_"))
        maskTower = MaskTower(
            embeddings: embeddings, maskEmbedding: maskEmbedding,
            tower: TransformerTower(
                blocks: base + blocks("mask_blocks", configuration.maskDepth),
                head: TransformerHead(scope, configuration: configuration, prefix: "mask_")))
        SequenceBuffers.take(scope, configuration: configuration, attention: .blockDiagonal)
        parameters = store.parameters
        buffers = store.buffers
    }

    /// Teacher-forced next-scale logits of all maps; as ``NextScaleTransformer/logits``.
    ///
    /// - Returns: [B, L, V].
    public func nextScaleLogits(labels: [Int32], nextScaleInput: Tensor) -> Tensor {
        let condition = embeddings.condition(labels)
        let x = embeddings.sequence(
            condition: condition, embedded: embeddings.word(nextScaleInput))
        return nextScaleTower(
            x, conditioning: nextScaleTower.conditioning(condition),
            mask: .blockDiagonal(configuration.tokenCounts), checkpoint: {})
    }
}
