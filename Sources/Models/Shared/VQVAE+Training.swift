// Training of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Trains a ``VQVAE`` on pictures: reconstruction through the straight-through f̂, quantizer loss,
/// usage monitor and restart of dead codes; optionally a perceptual distance and a critic.
public final class TokenizerTraining: TrainingRun {
    public let configuration: TokenizerTrainingConfiguration
    /// The network with its present (not averaged) weights.
    public let network: VQVAE
    public let title = "multi-scale VQ-VAE tokenizer"
    public private(set) var step = 0
    private let images: any Dataset
    private let heldOut: (any Dataset)?
    private let loader: BatchLoader
    private let reconstruction: ReconstructionLoss
    private let critic: PatchDiscriminator?
    private var optimizer: NetworkOptimizer
    private var criticOptimizer: NetworkOptimizer?
    private var usage: CodeUsage
    private let parallel: DataParallel

    /// Pictures whose features the codebook starts on.
    private static let codebookPictures = 512

    /// - Parameters:
    ///   - images: what is trained on.
    ///   - heldOut: what `evaluate` reconstructs; at most the first 256 pictures.
    ///   - perceptual: the features that `perceptualWeight` weighs.
    ///   - parallel: processes that share every batch.
    /// - Throws: ``ConfigurationError``; errors of the pictures.
    public init(
        _ configuration: TokenizerTrainingConfiguration, images: any Dataset,
        heldOut: (any Dataset)? = nil, perceptual: PerceptualFeatures? = nil,
        parallel: DataParallel = .single
    ) throws {
        try configuration.validate()
        try ConfigurationError.requirePictures(images, side: configuration.model.imageSize)
        try ConfigurationError.requireShares(
            of: min(configuration.batch, images.count), parallel)
        self.configuration = configuration
        self.parallel = parallel
        self.images = images
        self.heldOut = heldOut
        let store = ParameterStore(seed: configuration.seed)
        network = try VQVAE(configuration: configuration.model, store: store)
        optimizer = NetworkOptimizer(
            network.parameters, configuration: configuration.optimizer, parallel: parallel)
        reconstruction = ReconstructionLoss(
            absoluteWeight: configuration.absoluteWeight,
            squaredWeight: configuration.squaredWeight,
            perceptualWeight: configuration.perceptualWeight, perceptual: perceptual,
            parallel: parallel)
        critic = configuration.adversarial.map {
            PatchDiscriminator($0, seed: configuration.seed &+ 0x6372_6974)
        }
        if let critic, let adversarial = configuration.adversarial {
            var settings = configuration.optimizer
            settings.learningRate = adversarial.learningRate
            (settings.beta1, settings.weightDecay, settings.averageDecay) = (0.5, 0, 0)
            settings.maxMinutes = nil
            criticOptimizer = NetworkOptimizer(
                critic.parameters, configuration: settings, parallel: parallel)
        }
        var order = BatchOrder(
            count: images.count, batch: configuration.batch, seed: configuration.seed)
        loader = BatchLoader(
            images, augmentation: configuration.augmentation, seed: configuration.seed,
            rank: parallel.rank
        ) { order.indices(step: $0) }
        usage = CodeUsage(
            scaleCount: configuration.model.scaleCount,
            vocabulary: configuration.model.vocabulary)
    }

    public var isDataParallel: Bool { true }
    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let batch = try loader.batch(step: step).images
        var generator = stepGenerator(seed: configuration.seed, step: step)
        if step == configuration.codebookStart { try startCodebook(generator: &generator) }
        let progress = optimizer.progress(step: step)
        let f = network.feature(batch)
        let quantized =
            step < configuration.codebookStart
            ? nil
            : network.quantizer.trainingForward(
                f, commitment: configuration.commitment,
                keptScales: keptScales(generator: &generator),
                entropy: configuration.entropyWeight > 0 ? configuration.entropyReach : nil,
                parallel: parallel)
        let weight = configuration.adversarial?.weight(progress: progress) ?? 0
        let result = reconstruction(
            network.decodedRaw(quantized?.straightThrough ?? f), targets: batch,
            critic: weight > 0 ? critic.map { ($0, weight) } : nil)
        var surrogate = result.surrogate
        if let quantized { surrogate = surrogate + quantized.loss * configuration.quantizerWeight }
        if let penalty = quantized?.entropyPenalty {
            surrogate = surrogate + penalty * configuration.entropyWeight
        }
        let optimisation = try optimizer.update(loss: surrogate, step: step)
        let judged = try trainCritic(batch, result, progress: progress)
        let measures = step % configuration.measureInterval == 0
        step += 1
        if measures, let quantized { usage.record(tokens(of: quantized)) }
        let restarted = restartDeadCodes(quantized, progress: progress, generator: &generator)
        guard measures else { return [] }
        return figures(result, quantized: quantized, restarted: restarted) + judged
            + optimisation
    }

    /// Per picture, how many scales its reconstruction is made of; nil when all have all.
    private func keptScales(generator: inout RandomGenerator) -> [Int]? {
        guard configuration.scaleDropout > 0 else { return nil }
        let scales = configuration.model.scaleCount
        let all = (0..<min(configuration.batch, images.count)).map { _ in
            let isCut = generator.nextFloat() < configuration.scaleDropout
            let wanted = 1 + generator.nextInt(below: scales)
            return isCut ? wanted : scales
        }
        return parallel.rank.share(of: all)
    }

    /// Per scale, the codes of the whole batch, those of other processes' parts among them.
    private func tokens(of quantized: Quantizer.TrainingOutput) -> [[Int32]] {
        guard !parallel.isAlone else { return quantized.tokens.map { $0.int32s() } }
        let all = parallel.group.gathered(
            Tensor.concatenated(quantized.tokens, axis: 1).contiguous())
        var start = 0
        return quantized.tokens.map { map in
            defer { start += map.shape[1] }
            return all.narrowed(axis: 1, start: start, length: map.shape[1]).int32s()
        }
    }

    /// One step of the critic, once its time has come.
    private func trainCritic(
        _ pictures: Tensor, _ result: ReconstructionLoss.Output, progress: Double
    ) throws -> [TrainingMetric] {
        guard let critic, let adversarial = configuration.adversarial,
            progress >= adversarial.start
        else { return [] }
        let loss = critic.loss(pictures: pictures, reconstructions: result.decoded)
        _ = try criticOptimizer?.update(loss: loss, step: step)
        guard step % configuration.measureInterval == 0 else { return [] }
        var metrics = [TrainingMetric("critic_loss", Double(loss.item()))]
        if let adversarial = result.adversarial {
            metrics.append(TrainingMetric("adversarial", Double(adversarial.item())))
        }
        return metrics
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        guard let heldOut, heldOut.count > 0, step > configuration.codebookStart else { return [] }
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

    public func samplePictures(cancellation: Cancellation) throws -> TrainingPictures? {
        let source = heldOut.flatMap { $0.count > 0 ? $0 : nil } ?? images
        guard step > configuration.codebookStart else { return nil }
        let count = min(source.count, 8)
        let part = try source.batch(Array(0..<count)).images
        let decoded = withAverages { network.decode(tokens: network.tokens(part)) }
        return TrainingPictures(
            title: "held-out pictures, and below each its reconstruction",
            images: part.pictures() + decoded.pictures(), columns: count)
    }

    public func leaveOut(seconds: Double) {
        optimizer.leaveOut(seconds: seconds)
        criticOptimizer?.leaveOut(seconds: seconds)
    }

    private func figures(
        _ result: ReconstructionLoss.Output, quantized: Quantizer.TrainingOutput?, restarted: Int
    ) -> [TrainingMetric] {
        let (total, error) = (Double(result.total.item()), Double(result.squared.item()))
        let vq = quantized.map { Double($0.loss.item()) } ?? 0
        var metrics = [
            TrainingMetric("loss", total + vq * Double(configuration.quantizerWeight)),
            TrainingMetric("pixel_l1", Double(result.absolute.item())),
            // The range is 2 wide, so the peak signal is 4 in squares.
            TrainingMetric("psnr", PSNR.decibels(meanSquaredError: error, peak: 2)),
            TrainingMetric("vq_loss", vq),
            TrainingMetric("restarted_codes", Double(restarted)),
        ]
        if let penalty = quantized?.entropyPenalty {
            metrics.append(TrainingMetric("code_entropy", Double(penalty.item())))
        }
        if let perceptual = result.perceptual {
            metrics.append(TrainingMetric("perceptual", Double(perceptual.item())))
        }
        for scale in 0..<configuration.model.scaleCount {
            metrics.append(
                TrainingMetric(
                    "usage.\(scale)",
                    usage.percentUsed(
                        scale: scale, batch: min(configuration.batch, images.count),
                        latentSide: configuration.model.latentSide)))
        }
        return metrics
    }

    // MARK: Codebook

    /// Starts the codebook on what the encoder gives now.
    private func startCodebook(generator: inout RandomGenerator) throws {
        let count = min(images.count, Self.codebookPictures)
        let chosen = Array(generator.permutation(images.count).prefix(count))
        let features = try withoutGradients {
            try stride(from: 0, to: count, by: 64).map { start in
                network.feature(
                    try images.batch(Array(chosen[start..<min(start + 64, count)])).images)
            }
        }
        network.quantizer.startCodebook(
            Tensor.concatenated(features, axis: 0).contiguous(), generator: &generator)
        // Found from the same features, which a GPU may round in another order.
        let codebook = network.quantizer.codebook
        codebook.value = codebook.value.contiguous()
        parallel.group.broadcast([codebook.value])
        optimizer.restartAverages { $0.name.hasPrefix("quantize.") }
    }

    /// Every so many steps, moves codes that nothing or too little used to random vectors of the
    /// present residuals.
    ///
    /// - Returns: how many were moved.
    private func restartDeadCodes(
        _ quantized: Quantizer.TrainingOutput?, progress: Double,
        generator: inout RandomGenerator
    ) -> Int {
        guard let quantized, configuration.restartInterval > 0,
            step % configuration.restartInterval == 0
        else { return 0 }
        defer { usage.forgetRecent() }
        // The last quarter settles without jumps: the averaged weights must forget the codes' old
        // places.
        guard progress < 0.75 else { return 0 }
        let shares = Quantizer.codeShares(
            patchNums: configuration.model.patchNums, vocabulary: configuration.model.vocabulary)
        let moves = usage.moves(shares: shares, generator: &generator)
        guard !moves.isEmpty else { return 0 }
        let width = configuration.model.latentChannels
        let values = quantized.residualRows.map { parallel.group.gathered($0).floats() }
        var codebook = network.quantizer.codebook.value.floats()
        for move in moves {
            let row = generator.nextInt(below: values[move.scale].count / width)
            for j in 0..<width {
                codebook[move.code * width + j] = values[move.scale][row * width + j]
            }
        }
        network.quantizer.codebook.value = Tensor(
            codebook, shape: network.quantizer.codebook.shape)
        return moves.count
    }

    // MARK: State

    public func state() -> TrainingState {
        var state = optimizer.state(step: step)
        usage.store(in: &state)
        if let criticOptimizer {
            let critic = criticOptimizer.state(step: step)
            for (name, value) in critic.tensors { state.tensors["critic.\(name)"] = value }
            for (name, value) in critic.values { state.values["critic.\(name)"] = value }
        }
        return state
    }

    public func restore(_ state: TrainingState) throws {
        try usage.restore(state)
        if criticOptimizer != nil {
            _ = try criticOptimizer?.restore(state.part("critic."))
        }
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
                "norm_groups": "\(configuration.model.normGroups)",
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
