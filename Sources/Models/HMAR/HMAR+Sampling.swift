// HMAR's towers in the sampling loop, exactly or fast.
// SPDX-License-Identifier: Apache-2.0
import Core

/// HMAR's side of one generation: nothing is carried between scales but f̂.
///
/// Exact mode runs both guidance halves in every pass, mask steps included, where the published
/// sampler guides by cfg·1e-6. Fast mode leaves out the unconditional half wherever guidance is
/// that small: in mask steps and at scale 0; mask-step logits differ by O(1e-6·cfg). Modulations
/// are computed once per label and W·A once per scale in both; that changes no number.
/// Source: HMAR (arXiv 2506.04421) and its published sampler.
final class HMARPredictor: ScalePredictor {
    private let model: HMAR
    private let cfg: Double
    private let mode: ComputeMode
    private let batch: Int
    private let keepsContext: Bool
    private let fixed: Fixed?
    /// 2B rows: conditional, then "no class".
    private let condition: Tensor
    private let nextScale: TowerConditioning
    /// Of 2B rows in exact mode, of B in fast mode; absent when nothing is refined.
    private let masked: TowerConditioning?
    /// W·A of the scale that is being refined.
    private var embeddedContext: (scale: Int, rows: Tensor)?

    /// What a model's weights alone decide, for many generations.
    struct Fixed {
        fileprivate let nextScale, masked: [AdaLNSelfAttn.Fixed]
        /// Level, position and bias of every scale's rows, [1, p_k², C]; no bias at scale 0.
        fileprivate let places: [Tensor]

        init(_ model: HMAR) {
            let base = model.nextScaleTower.blocks.count - model.configuration.maskDepth
            nextScale = model.nextScaleTower.blocks.map(\.fixed)
            masked =
                nextScale.prefix(base)
                + model.maskTower.tower.blocks.dropFirst(base).map(\.fixed)
            let embeddings = model.embeddings
            places = (0..<model.configuration.scaleCount).map {
                let places = embeddings.places(scale: $0)
                return $0 == 0 ? places : places + embeddings.wordBias.tensor
            }
        }
    }

    /// - Parameters:
    ///   - labels: 2B labels, conditional ones first, int32 [2B].
    ///   - cfg: guidance at the last scale.
    ///   - refines: whether the mask tower will be called.
    ///   - keepsContext: whether W·A of a scale may be kept for its mask steps; not where passes are
    ///     recorded.
    ///   - fixed: of the same model, where it serves several generations.
    init(
        _ model: HMAR, labels: Tensor, cfg: Double, mode: ComputeMode, refines: Bool,
        keepsContext: Bool = true, fixed: Fixed? = nil
    ) {
        self.model = model
        self.cfg = cfg
        self.mode = mode
        self.keepsContext = keepsContext
        batch = labels.count / 2
        condition = model.embeddings.condition(labels)
        self.fixed = fixed
        let nextScale = model.nextScaleTower.conditioning(condition, fixed: fixed?.nextScale)
        self.nextScale = nextScale
        guard refines else {
            masked = nil
            return
        }
        // The base blocks are the same in both towers.
        let base = model.configuration.depth - model.configuration.maskDepth
        let known = mode == .exact ? nextScale : nextScale.narrowed(start: 0, length: batch)
        masked = model.maskTower.tower.conditioning(
            mode == .exact ? condition : condition.narrowed(axis: 0, start: 0, length: batch),
            fixed: fixed?.masked, known: Array(known.blocks.prefix(base)))
    }

    /// The same for B labels; the unconditional half is added here.
    convenience init(
        _ model: HMAR, labels: [Int32], cfg: Double, mode: ComputeMode, refines: Bool
    ) {
        self.init(
            model, labels: guidedLabels(labels, noClass: model.configuration.noClass), cfg: cfg,
            mode: mode, refines: refines)
    }

    var configuration: TransformerConfiguration { model.configuration }
    var cacheBytes: Int { 0 }
    var remembersScales: Bool { false }

    func nextScaleLogits(
        scale: Int, context: Tensor?, checkpoint: () throws -> Void
    ) throws -> Tensor {
        let t = configuration.guidance(cfg: cfg, scale: scale)
        let isGuided = mode == .exact || t != 0
        let embeddings = model.embeddings
        let conditioning =
            isGuided ? nextScale : nextScale.narrowed(start: 0, length: batch)
        var x: Tensor
        if let context {
            let word = embeddings.word(context)
            if keepsContext { embeddedContext = (scale, word) }
            if let fixed {
                x = placed(word, fixed.places[scale], twice: isGuided)
            } else {
                let biased = word + embeddings.wordBias.tensor
                x = isGuided ? Tensor.concatenated([biased, biased], axis: 0) : biased
                x = x + embeddings.places(scale: scale)
            }
        } else {
            x = embeddings.start(
                isGuided ? condition : condition.narrowed(axis: 0, start: 0, length: batch))
            x = x + (fixed?.places[scale] ?? embeddings.places(scale: scale))
        }
        let tower = model.nextScaleTower
        return isGuided
            ? try tower.guidedLogits(
                x, conditioning: conditioning, by: t, checkpoint: checkpoint)
            : try tower(x, conditioning: conditioning, checkpoint: checkpoint)
    }

    func maskedLogits(
        scale: Int, context: Tensor, own: Tensor, masked flags: Tensor,
        checkpoint: () throws -> Void
    ) throws -> Tensor {
        guard let masked else { preconditionFailure("the predictor was made without mask steps") }
        let embeddings = model.embeddings
        let x: Tensor
        if let fixed {
            // The embedding is linear: one product of the sum of both maps, narrow as they are.
            let rows = context + own * (1 - flags)
            let embedded = embeddings.word(rows) + model.maskTower.maskEmbedding.tensor * flags
            x = placed(embedded, fixed.places[scale], twice: mode == .exact)
        } else {
            let word: Tensor
            if let kept = embeddedContext, kept.scale == scale {
                word = kept.rows
            } else {
                word = embeddings.word(context)
            }
            let single =
                word + model.maskTower.maskedEmbedding(own: own, masked: flags)
                + embeddings.wordBias.tensor + embeddings.places(scale: scale)
            x = mode == .exact ? Tensor.concatenated([single, single], axis: 0) : single
        }
        guard mode == .exact else {
            return try model.maskTower.tower(x, conditioning: masked, checkpoint: checkpoint)
        }
        return try model.maskTower.tower.guidedLogits(
            x, conditioning: masked, by: cfg * 1e-6, checkpoint: checkpoint)
    }

    /// Rows [B, n, C] with their places, for both halves in one pass where asked for.
    private func placed(_ x: Tensor, _ places: Tensor, twice: Bool) -> Tensor {
        guard twice else { return x + places }
        let (n, width) = (x.shape[1], x.shape[2])
        let both = x.unsqueezed(0).expanded(to: [2, batch, n, width])
        return (both + places.unsqueezed(0)).reshaped([2 * batch, n, width])
    }
}
