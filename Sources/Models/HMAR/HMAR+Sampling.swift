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
    /// 2B rows: conditional, then "no class".
    private let condition: Tensor
    private let nextScale: TowerConditioning
    /// Of 2B rows in exact mode, of B in fast mode; absent when nothing is refined.
    private let masked: TowerConditioning?
    /// W·A of the scale that is being refined.
    private var embeddedContext: (scale: Int, rows: Tensor)?

    /// - Parameters:
    ///   - labels: 2B labels, conditional ones first, int32 [2B].
    ///   - cfg: guidance at the last scale.
    ///   - refines: whether the mask tower will be called.
    ///   - keepsContext: whether W·A of a scale may be kept for its mask steps; not where passes are
    ///     recorded.
    init(
        _ model: HMAR, labels: Tensor, cfg: Double, mode: ComputeMode, refines: Bool,
        keepsContext: Bool = true
    ) {
        self.model = model
        self.cfg = cfg
        self.mode = mode
        self.keepsContext = keepsContext
        batch = labels.count / 2
        condition = model.embeddings.condition(labels)
        nextScale = model.nextScaleTower.conditioning(condition)
        masked =
            refines
            ? model.maskTower.tower.conditioning(
                mode == .exact
                    ? condition : condition.narrowed(axis: 0, start: 0, length: batch)) : nil
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
            let biased = word + embeddings.wordBias.tensor
            x = isGuided ? Tensor.concatenated([biased, biased], axis: 0) : biased
        } else {
            x = embeddings.start(
                isGuided ? condition : condition.narrowed(axis: 0, start: 0, length: batch))
        }
        x = x + embeddings.places(scale: scale)
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
        let word: Tensor
        if let kept = embeddedContext, kept.scale == scale {
            word = kept.rows
        } else {
            word = embeddings.word(context)
        }
        let single =
            word + model.maskTower.maskedEmbedding(own: own, masked: flags)
            + embeddings.wordBias.tensor + embeddings.places(scale: scale)
        guard mode == .exact else {
            return try model.maskTower.tower(
                single, conditioning: masked, checkpoint: checkpoint)
        }
        return try model.maskTower.tower.guidedLogits(
            Tensor.concatenated([single, single], axis: 0), conditioning: masked, by: cfg * 1e-6,
            checkpoint: checkpoint)
    }
}
