// Sampling with VAR's key/value cache.
// SPDX-License-Identifier: Apache-2.0
import Core

/// VAR's side of one generation: both guidance halves, keys and values of all coarser maps kept.
///
/// With a block-diagonal network it is the next-scale pass of HMAR after phase 1.
///
/// Source: VAR (arXiv 2404.02905), section 3; guidance grows linearly over the scales.
final class VARPredictor: ScalePredictor {
    private let network: NextScaleTransformer
    private let cfg: Double
    private let batch: Int
    private let condition: Tensor
    private let conditioning: TowerConditioning
    /// One per block; none for a network whose tokens see their own map only.
    private let caches: [KeyValueCache]?

    /// - Parameters:
    ///   - labels: 2B labels, conditional ones first, int32 [2B].
    ///   - cfg: guidance at the last scale.
    init(_ network: NextScaleTransformer, labels: Tensor, cfg: Double) {
        self.network = network
        self.cfg = cfg
        batch = labels.count / 2
        condition = network.embeddings.condition(labels)
        conditioning = network.tower.conditioning(condition)
        caches =
            network.attention == .blockCausal
            ? (0..<network.configuration.depth).map { _ in KeyValueCache() } : nil
    }

    /// The same for B labels; the unconditional half is added here.
    convenience init(_ network: NextScaleTransformer, labels: [Int32], cfg: Double) {
        self.init(
            network, labels: guidedLabels(labels, noClass: network.configuration.noClass),
            cfg: cfg)
    }

    var configuration: TransformerConfiguration { network.configuration }
    var cacheBytes: Int { caches?.reduce(0) { $0 + $1.byteCount } ?? 0 }
    var remembersScales: Bool { caches != nil }

    func nextScaleLogits(
        scale: Int, context: Tensor?, checkpoint: () throws -> Void
    ) throws -> Tensor {
        let embeddings = network.embeddings
        var x: Tensor
        if let context {
            let word = embeddings.word(context) + embeddings.wordBias.tensor
            x = Tensor.concatenated([word, word], axis: 0)
        } else {
            x = embeddings.start(condition)
        }
        x = x + embeddings.places(scale: scale)
        return try network.tower.guidedLogits(
            x, conditioning: conditioning, caches: caches,
            by: configuration.guidance(cfg: cfg, scale: scale), checkpoint: checkpoint)
    }

    func maskedLogits(
        scale: Int, context: Tensor, own: Tensor, masked: Tensor, checkpoint: () throws -> Void
    ) throws -> Tensor {
        preconditionFailure("VAR has no mask tower")
    }
}
