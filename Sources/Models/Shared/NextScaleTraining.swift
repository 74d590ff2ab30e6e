// Training of VAR and of HMAR's first phase.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for the next-scale network.
///
/// Source: HMAR (arXiv 2506.04421), phase 1; VAR (arXiv 2404.02905), section 3.
public struct NextScaleTrainingConfiguration: Sendable, Equatable, Codable {
    public var model: TransformerConfiguration
    /// Block-causal for VAR, block-diagonal for HMAR.
    public var attention: ScaleAttention
    public var weighting: LossWeighting
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    /// Share of labels replaced by "no class".
    public var labelDropout: Double
    /// Scale of the gates' initial weights, `alng`.
    public var gammaInitialScale: Float
    /// Steps between readings of figures from the device.
    public var measureInterval: Int

    public init(
        model: TransformerConfiguration, attention: ScaleAttention, weighting: LossWeighting,
        optimizer: OptimizerConfiguration, batch: Int = 64, seed: UInt64 = 0,
        labelDropout: Double = 0.1, gammaInitialScale: Float = 1e-3, measureInterval: Int = 1
    ) {
        self.model = model
        self.attention = attention
        self.weighting = weighting
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.labelDropout = labelDropout
        self.gammaInitialScale = gammaInitialScale
        self.measureInterval = measureInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.requireLabelDropout(labelDropout)
        try ConfigurationError.requireMeasureInterval(measureInterval)
    }
}

/// Trains a ``NextScaleTransformer`` on cached tokens.
public final class NextScaleTraining: TrainingRun {
    public let configuration: NextScaleTrainingConfiguration
    /// The network with its present (not averaged) weights.
    public let network: NextScaleTransformer
    public private(set) var step = 0
    private let tokenizer: VQVAE
    private var quantizer: Quantizer { tokenizer.quantizer }
    private let tokens: TokenCache
    private let heldOut: TokenCache?
    private let weights: [Float]
    private let parallel: DataParallel
    private var optimizer: NetworkOptimizer
    private var order: BatchOrder

    /// - Parameters:
    ///   - tokenizer: frozen; made the tokens.
    ///   - tokens: of the training pictures.
    ///   - heldOut: of pictures for `evaluate`.
    ///   - parallel: processes that share every batch.
    /// - Throws: ``ConfigurationError``.
    public init(
        _ configuration: NextScaleTrainingConfiguration, tokenizer: VQVAE, tokens: TokenCache,
        heldOut: TokenCache? = nil, parallel: DataParallel = .single
    ) throws {
        try configuration.validate()
        try ConfigurationError.require(
            tokens.count > 0, "the number of pictures", "0", "1 or more")
        try ConfigurationError.requireShares(
            of: min(configuration.batch, tokens.count), parallel)
        self.configuration = configuration
        self.parallel = parallel
        self.tokens = tokens
        self.heldOut = heldOut
        self.tokenizer = tokenizer
        let store = ParameterStore(seed: configuration.seed)
        network = try NextScaleTransformer(
            configuration: configuration.model, attention: configuration.attention, store: store,
            gammaInitialScale: configuration.gammaInitialScale)
        optimizer = NetworkOptimizer(
            network.parameters, configuration: configuration.optimizer, parallel: parallel)
        order = BatchOrder(
            count: tokens.count, batch: configuration.batch, seed: configuration.seed)
        weights = configuration.weighting.tokenWeights(patchNums: configuration.model.patchNums)
    }

    public var title: String {
        configuration.attention == .blockCausal
            ? "VAR transformer" : "HMAR next-scale network (phase 1)"
    }
    public var isDataParallel: Bool { true }
    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let indices = order.indices(step: step)
        var generator = stepGenerator(seed: configuration.seed, step: step)
        // Drawn for the whole batch, whichever part of it is this process's.
        let labels = parallel.rank.share(
            of: dropped(
                tokens.labels(indices), rate: configuration.labelDropout,
                noClass: configuration.model.noClass, generator: &generator))
        let maps = tokens.tokens(
            parallel.rank.share(of: tokens.drawn(indices, generator: &generator)))
        let input = quantizer.nextScaleInput(quantizer.split(maps))
        let logits = network.logits(
            labels: labels, nextScaleInput: input,
            dropPath: dropPathFactors(
                configuration.model.dropPathRates, batch: indices.count, rank: parallel.rank,
                generator: &generator),
            as: .operand)
        let result = NextScaleLoss(logits: logits, tokens: maps, weights: weights)
        let optimisation = try optimizer.update(loss: result.loss, step: step)
        let measures = step % configuration.measureInterval == 0
        step += 1
        guard measures else { return [] }
        return [TrainingMetric("loss", Double(result.loss.item()))]
            + NextScaleLoss.figures(
                logits: logits, tokens: maps, crossEntropies: result.crossEntropies,
                tokenCounts: configuration.model.tokenCounts) + optimisation
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        guard let heldOut, heldOut.count > 0 else { return [] }
        return try optimizer.withAverages {
            try Evaluation.nextScale(
                network, quantizer: quantizer, tokens: heldOut, weights: weights,
                cancellation: cancellation)
        }
    }

    public func samplePictures(cancellation: Cancellation) throws -> TrainingPictures? {
        try optimizer.withAverages {
            try TrainingSamples(
                tokenizer: tokenizer, classCount: configuration.model.classCount,
                seed: configuration.seed
            ).pictures(cancellation: cancellation) { labels, cfg in
                VARPredictor(network, labels: labels, cfg: cfg)
            }
        }
    }

    public func leaveOut(seconds: Double) { optimizer.leaveOut(seconds: seconds) }

    public func state() -> TrainingState { optimizer.state(step: step) }

    public func restore(_ state: TrainingState) throws { step = try optimizer.restore(state) }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        (
            exported(
                parameters: network.parameters, averages: optimizer.averages,
                buffers: network.buffers),
            [
                "system": configuration.attention == .blockCausal
                    ? CheckpointKind.var.rawValue : CheckpointKind.nextScale.rawValue,
                "attention": configuration.attention.rawValue,
                "patch_nums": "\(configuration.model.patchNums)",
            ]
        )
    }
}

/// Labels with a share replaced by "no class".
func dropped(
    _ labels: [Int32], rate: Double, noClass: Int, generator: inout RandomGenerator
) -> [Int32] {
    labels.map { generator.nextUniform() < rate ? Int32(noClass) : $0 }
}

/// Per block and branch, 0 or 1/keep for every sample, [B, 1, 1]; nil when no path is dropped.
///
/// - Parameters:
///   - batch: samples drawn for.
///   - rank: whose share of them is returned.
func dropPathFactors(
    _ rates: [Float], batch: Int, rank: ProcessRank = ProcessRank(),
    generator: inout RandomGenerator
) -> [(Tensor, Tensor)]? {
    guard rates.contains(where: { $0 > 0 }) else { return nil }
    return rates.map { rate in
        func factors() -> Tensor {
            let values = rank.share(
                of: (0..<batch).map { _ in generator.nextFloat() < rate ? 0 : 1 / (1 - rate) })
            return Tensor(values, shape: [values.count, 1, 1])
        }
        return (factors(), factors())
    }
}
