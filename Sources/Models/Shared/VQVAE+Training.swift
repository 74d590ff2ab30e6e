// Training of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for the tokenizer.
///
/// Source: the quantizer's loss is the published one; the published tokenizer's other losses and
/// recipe were never released, so the rest is ours.
public struct TokenizerTrainingConfiguration: Sendable, Equatable, Codable {
    public var model: VQVAEConfiguration
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    /// Weight of the mean absolute pixel error.
    public var absoluteWeight: Float
    /// Weight of the mean squared pixel error.
    public var squaredWeight: Float
    /// Weight of the quantizer's loss.
    public var quantizerWeight: Float
    /// β of the quantizer's loss.
    public var commitment: Float
    /// Steps between restarts of codes that nothing used; 0 = never.
    public var restartInterval: Int

    public init(
        model: VQVAEConfiguration, optimizer: OptimizerConfiguration, batch: Int = 64,
        seed: UInt64 = 0, absoluteWeight: Float = 1, squaredWeight: Float = 1,
        quantizerWeight: Float = 1, commitment: Float = 0.25, restartInterval: Int = 200
    ) {
        self.model = model
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.absoluteWeight = absoluteWeight
        self.squaredWeight = squaredWeight
        self.quantizerWeight = quantizerWeight
        self.commitment = commitment
        self.restartInterval = restartInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.require(
            restartInterval >= 0, "restart_interval", "\(restartInterval)", "0 (never) or more")
    }
}

/// Trains a ``VQVAE`` on pictures: pixel loss through the straight-through f̂, quantizer loss, usage
/// monitor and restart of dead codes.
public final class TokenizerTraining: TrainingRun {
    public let configuration: TokenizerTrainingConfiguration
    /// The network with its present (not averaged) weights.
    public let network: VQVAE
    public let title = "multi-scale VQ-VAE tokenizer"
    private let images: any Dataset
    private let heldOut: (any Dataset)?
    private var optimizer: NetworkOptimizer
    private var order: BatchOrder
    private var usage: CodeUsage
    public private(set) var step = 0

    /// - Parameters:
    ///   - images: what is trained on.
    ///   - heldOut: what `evaluate` reconstructs; at most the first 256 pictures.
    /// - Throws: ``ConfigurationError``; errors of the pictures.
    public init(
        _ configuration: TokenizerTrainingConfiguration, images: any Dataset,
        heldOut: (any Dataset)? = nil
    ) throws {
        try configuration.validate()
        try ConfigurationError.requirePictures(images, side: configuration.model.imageSize)
        self.configuration = configuration
        self.images = images
        self.heldOut = heldOut
        let store = ParameterStore(seed: configuration.seed)
        network = try VQVAE(configuration: configuration.model, store: store)
        optimizer = NetworkOptimizer(network.parameters, configuration: configuration.optimizer)
        order = BatchOrder(
            count: images.count, batch: configuration.batch, seed: configuration.seed)
        usage = CodeUsage(
            scaleCount: configuration.model.scaleCount,
            vocabulary: configuration.model.vocabulary)
    }

    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let batch = try images.batch(order.indices(step: step)).images
        var generator = stepGenerator(seed: configuration.seed, step: step)
        if step == 0 { initializeCodebook(batch, generator: &generator) }
        let f = network.feature(batch)
        let quantized = network.quantizer.trainingForward(
            f, commitment: configuration.commitment)
        let difference = network.decodedRaw(quantized.straightThrough) - batch
        let absolute = difference.abs().mean()
        let squared = difference.square().mean()
        let loss =
            absolute * configuration.absoluteWeight + squared * configuration.squaredWeight
            + quantized.loss * configuration.quantizerWeight
        let optimisation = try optimizer.update(loss: loss, step: step)
        usage.record(quantized.tokens.map { $0.int32s() })
        step += 1
        var restarted = 0
        if configuration.restartInterval > 0, step % configuration.restartInterval == 0 {
            // The last tenth of a run settles without jumps.
            if step < totalSteps * 9 / 10 {
                restarted = restartDeadCodes(quantized.residualRows, generator: &generator)
            }
            usage.forgetRecent()
        }
        return metrics(
            loss: loss, absolute: absolute, squared: squared, quantizer: quantized.loss,
            restarted: restarted) + optimisation
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        guard let heldOut, heldOut.count > 0 else { return [] }
        let count = min(heldOut.count, 256)
        var sum = 0.0
        try withAverages {
            try withoutGradients {
                for start in stride(from: 0, to: count, by: 64) {
                    try cancellation.check()
                    let part = try heldOut.batch(
                        Array(start..<min(start + 64, count))
                    ).images
                    let decoded = network.decode(tokens: network.tokens(part))
                    sum += Double((decoded - part).square().mean().item()) * Double(part.shape[0])
                }
            }
        }
        return [
            TrainingMetric(
                "psnr", PSNR.decibels(meanSquaredError: sum / Double(count), peak: 2))
        ]
    }

    private func metrics(
        loss: Tensor, absolute: Tensor, squared: Tensor, quantizer: Tensor, restarted: Int
    ) -> [TrainingMetric] {
        let error = Double(squared.item())
        var metrics = [
            TrainingMetric("loss", Double(loss.item())),
            TrainingMetric("pixel_l1", Double(absolute.item())),
            // The range is 2 wide, so the peak signal is 4 in squares.
            TrainingMetric("psnr", PSNR.decibels(meanSquaredError: error, peak: 2)),
            TrainingMetric("vq_loss", Double(quantizer.item())),
            TrainingMetric("restarted_codes", Double(restarted)),
        ]
        for scale in 0..<configuration.model.scaleCount {
            metrics.append(
                TrainingMetric(
                    "usage.\(scale)",
                    usage.percentUsed(
                        scale: scale, batch: order.batch,
                        latentSide: configuration.model.latentSide)))
        }
        return metrics
    }

    // MARK: Codebook

    /// Starts the codebook on what the encoder gives now: residuals at every scale.
    private func initializeCodebook(_ batch: Tensor, generator: inout RandomGenerator) {
        let model = configuration.model
        withoutGradients {
            let f = network.feature(batch)
            let parts = (0..<model.scaleCount).map { scale -> Tensor in
                let rows = Quantizer.rows(network.quantizer.down(f, scale: scale))
                return rows.reshaped([rows.shape[0] * rows.shape[1], rows.shape[2]])
            }
            network.quantizer.codebook.value = KMeans.centres(
                of: Tensor.concatenated(parts, axis: 0).contiguous(), count: model.vocabulary,
                iterations: 8, generator: &generator)
        }
    }

    /// Moves codes that nothing used to random vectors of the present residuals.
    private func restartDeadCodes(_ rows: [Tensor], generator: inout RandomGenerator) -> Int {
        let dead = usage.deadCodes
        guard !dead.isEmpty else { return 0 }
        let width = configuration.model.latentChannels
        let values = rows.map { $0.floats() }
        var codebook = network.quantizer.codebook.value.floats()
        for code in dead {
            let scale = generator.nextInt(below: values.count)
            let row = generator.nextInt(below: values[scale].count / width)
            for j in 0..<width { codebook[code * width + j] = values[scale][row * width + j] }
        }
        network.quantizer.codebook.value = Tensor(
            codebook, shape: network.quantizer.codebook.shape)
        return dead.count
    }

    // MARK: State

    public func state() -> TrainingState {
        var state = optimizer.state(step: step)
        usage.store(in: &state)
        return state
    }

    public func restore(_ state: TrainingState) throws {
        try usage.restore(state)
        step = try optimizer.restore(state)
    }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        (
            exported(
                parameters: network.parameters, averages: optimizer.averages,
                buffers: ["quantize.ema_vocab_hit_SV": usage.averageTensor]),
            [
                "system": "vqvae", "patch_nums": "\(configuration.model.patchNums)",
                "image_size": "\(configuration.model.imageSize)",
            ]
        )
    }

    /// Runs `body` with the averaged weights in the network.
    public func withAverages<R>(_ body: () throws -> R) rethrows -> R {
        try optimizer.withAverages(body)
    }
}

/// Averaged weights in the network's order (present values of frozen ones), then the buffers.
func exported(
    parameters: [Parameter], averages: [String: Tensor], buffers: [String: Tensor]
) -> [(name: String, tensor: Tensor)] {
    parameters.map { ($0.name, averages[$0.name] ?? $0.value) }
        + buffers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}
