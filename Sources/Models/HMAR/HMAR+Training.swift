// HMAR's second training phase: masked prediction.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for phase 2; sizes come from the phase-1 network.
///
/// Source: HMAR (arXiv 2506.04421), masked prediction: mask embedding, last n blocks and head are
/// trained, all else is frozen.
public struct MaskedTrainingConfiguration: Sendable, Equatable, Codable {
    /// Blocks trained, n.
    public var maskDepth: Int
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    public var labelDropout: Double
    /// Steps between readings of figures from the device.
    public var measureInterval: Int

    public init(
        maskDepth: Int, optimizer: OptimizerConfiguration, batch: Int = 64, seed: UInt64 = 0,
        labelDropout: Double = 0.1, measureInterval: Int = 1
    ) {
        self.maskDepth = maskDepth
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.labelDropout = labelDropout
        self.measureInterval = measureInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.requireLabelDropout(labelDropout)
        try ConfigurationError.requireMeasureInterval(measureInterval)
    }
}

extension NextScaleTransformer {
    /// A phase-2 network that starts from this phase-1 network's weights.
    ///
    /// `word_embed.bias` becomes `word_embed_bias`; `mask_embed.weight` is drawn.
    /// - Throws: ``ConfigurationError``.
    public func maskedPredictionStart(seed: UInt64) throws -> NextScaleTransformer {
        var tensors = buffers
        for parameter in parameters {
            let name = parameter.name == "word_embed.bias" ? "word_embed_bias" : parameter.name
            tensors[name] = parameter.value
        }
        var generator = RandomGenerator(seed: seed, stream: 0x6D61_736B)
        tensors["mask_embed.weight"] = Initializer.transformer(width: configuration.width)(
            [1, configuration.width], generator: &generator, device: currentDevice)
        return try NextScaleTransformer(
            configuration: configuration, attention: .blockDiagonal,
            store: ParameterStore(tensors: tensors), isMaskedPrediction: true)
    }

    /// The parameters that phase 2 trains.
    func maskedPredictionParameters(maskDepth: Int) -> [Parameter] {
        (maskEmbedding.map { [$0] } ?? [])
            + tower.blocks.suffix(maskDepth).flatMap(\.parameters) + tower.head.parameters
    }
}

/// Trains the mask tower on cached tokens.
///
/// Exports the assembled HMAR: base, next-scale and mask blocks under their public names.
public final class MaskedTraining: TrainingRun {
    public let configuration: MaskedTrainingConfiguration
    /// The phase-2 network with its present (not averaged) weights.
    public let network: NextScaleTransformer
    public let title = "HMAR mask tower (phase 2)"
    public private(set) var step = 0
    private let firstPhase: NextScaleTransformer
    private let tokenizer: VQVAE
    private var quantizer: Quantizer { tokenizer.quantizer }
    private let tokens: TokenCache
    private let heldOut: TokenCache?
    private var optimizer: NetworkOptimizer
    private var order: BatchOrder
    private let parallel: DataParallel

    /// - Parameters:
    ///   - firstPhase: the trained phase-1 network.
    ///   - tokenizer: frozen; made the tokens.
    ///   - parallel: processes that share every batch.
    /// - Throws: ``ConfigurationError``.
    public init(
        _ configuration: MaskedTrainingConfiguration, firstPhase: NextScaleTransformer,
        tokenizer: VQVAE, tokens: TokenCache, heldOut: TokenCache? = nil,
        parallel: DataParallel = .single
    ) throws {
        try configuration.validate()
        let depth = firstPhase.configuration.depth
        try ConfigurationError.require(
            configuration.maskDepth >= 1 && configuration.maskDepth <= depth, "mask_blocks",
            "\(configuration.maskDepth)", "1 to the depth \(depth)")
        try ConfigurationError.require(
            tokens.count > 0, "the number of pictures", "0", "1 or more")
        try ConfigurationError.requireShares(
            of: min(configuration.batch, tokens.count), parallel)
        self.configuration = configuration
        self.parallel = parallel
        self.firstPhase = firstPhase
        self.tokens = tokens
        self.heldOut = heldOut
        self.tokenizer = tokenizer
        network = try firstPhase.maskedPredictionStart(seed: configuration.seed)
        optimizer = NetworkOptimizer(
            network.maskedPredictionParameters(maskDepth: configuration.maskDepth),
            configuration: configuration.optimizer, parallel: parallel)
        order = BatchOrder(
            count: tokens.count, batch: configuration.batch, seed: configuration.seed)
    }

    public var isDataParallel: Bool { true }
    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let indices = order.indices(step: step)
        var generator = stepGenerator(seed: configuration.seed, step: step)
        let labels = parallel.rank.share(
            of: dropped(
                tokens.labels(indices), rate: configuration.labelDropout,
                noClass: network.configuration.noClass, generator: &generator))
        let mask = MaskPattern(
            patchNums: network.configuration.patchNums, ratio: generator.nextUniform(),
            generator: &generator)
        let maps = tokens.tokens(
            parallel.rank.share(of: tokens.drawn(indices, generator: &generator)))
        let split = quantizer.split(maps)
        let logits = network.maskedLogits(
            labels: labels, nextScaleInput: quantizer.nextScaleInput(split),
            maskInput: quantizer.maskInput(split), masked: mask.flags, as: .operand)
        guard let loss = Self.loss(logits: logits, tokens: maps, masked: mask.flags) else {
            // γ = 0 masks nothing and teaches nothing.
            step += 1
            return []
        }
        let optimisation = try optimizer.update(loss: loss, step: step)
        let measures = step % configuration.measureInterval == 0
        step += 1
        guard measures else { return [] }
        return [
            TrainingMetric("loss", Double(loss.item())),
            TrainingMetric(
                "masked_accuracy",
                Self.accuracy(logits: logits, tokens: maps, masked: mask.flags)),
        ] + optimisation
    }

    /// Plain mean cross-entropy over masked positions; nil when nothing is masked.
    static func loss(logits: Tensor, tokens: Tensor, masked: [Bool]) -> Tensor? {
        let chosen = masked.filter { $0 }.count
        guard chosen > 0 else { return nil }
        let weight = 1 / Float(chosen)
        return NextScaleLoss(
            logits: logits, tokens: tokens, weights: [0] + masked.map { $0 ? weight : 0 }
        ).loss
    }

    /// The share of masked positions whose likeliest code is right.
    private static func accuracy(logits: Tensor, tokens: Tensor, masked: [Bool]) -> Double {
        let (batch, length) = (logits.shape[0], logits.shape[1])
        let best = logits.detached().cast(to: .float32).argmax(axis: -1).int32s()
        let truth = tokens.int32s()
        var right = 0
        for picture in 0..<batch {
            for (position, isMasked) in masked.enumerated() where isMasked {
                let i = picture * length + position + 1
                if best[i] == truth[i] { right += 1 }
            }
        }
        return Double(right) / Double(max(1, masked.filter { $0 }.count * batch))
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        guard let heldOut, heldOut.count > 0 else { return [] }
        return try optimizer.withAverages {
            try [0.25, 0.5, 0.75].map { ratio in
                let figures = try Evaluation.masked(
                    quantizer: quantizer, tokens: heldOut, ratio: ratio,
                    seed: configuration.seed, cancellation: cancellation
                ) {
                    network.maskedLogits(
                        labels: $0, nextScaleInput: $1, maskInput: $2, masked: $3)
                }
                return TrainingMetric("masked_accuracy@\(ratio)", figures[0].value)
            }
        }
    }

    public func samplePictures(cancellation: Cancellation) throws -> TrainingPictures? {
        var sizes = firstPhase.configuration
        sizes.maskDepth = configuration.maskDepth
        let tensors = HMARAssembly.tensors(
            nextScale: firstPhase, masked: network, averages: optimizer.averages,
            maskDepth: configuration.maskDepth)
        let model = try HMAR(
            configuration: sizes,
            store: ParameterStore(
                tensors: Dictionary(tensors.map { ($0.name, $0.tensor) }) { first, _ in first }))
        return try TrainingSamples(
            tokenizer: tokenizer, classCount: sizes.classCount, seed: configuration.seed,
            maskSteps: 3
        ).pictures(cancellation: cancellation) { labels, cfg in
            HMARPredictor(model, labels: labels, cfg: cfg, mode: .fast, refines: true)
        }
    }

    public func leaveOut(seconds: Double) { optimizer.leaveOut(seconds: seconds) }

    public func state() -> TrainingState { optimizer.state(step: step) }

    public func restore(_ state: TrainingState) throws { step = try optimizer.restore(state) }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        (
            HMARAssembly.tensors(
                nextScale: firstPhase, masked: network, averages: optimizer.averages,
                maskDepth: configuration.maskDepth),
            [
                "system": CheckpointKind.hmar.rawValue,
                "attention": ScaleAttention.blockDiagonal.rawValue,
                "patch_nums": "\(network.configuration.patchNums)",
            ]
        )
    }
}
