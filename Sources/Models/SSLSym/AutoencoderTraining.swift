// Training of the class-pose autoencoder, with or without ssl-sym's constraint.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for an ``InvariantEquivariantAutoencoder``.
public struct AutoencoderTrainingConfiguration: Sendable, Equatable {
    public var model: AutoencoderConfiguration
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    /// λ: weight of the constraint; 0 is the plain IE-AE.
    public var groupWeight: Float
    /// Share of the pictures that is held out.
    public var heldOutShare: Double
    /// Steps between readings of figures from the device.
    public var measureInterval: Int

    public init(
        model: AutoencoderConfiguration, optimizer: OptimizerConfiguration, batch: Int = 256,
        seed: UInt64 = 0, groupWeight: Float = 0.06, heldOutShare: Double = 0.2,
        measureInterval: Int = 1
    ) {
        self.model = model
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.groupWeight = groupWeight
        self.heldOutShare = heldOutShare
        self.measureInterval = measureInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.require(
            groupWeight >= 0 && groupWeight.isFinite, "group", "\(groupWeight)", "0 or more")
        try ConfigurationError.require(
            (0...0.9).contains(heldOutShare), "held_out", "\(heldOutShare)", "0 to 0.9")
        try ConfigurationError.requireMeasureInterval(measureInterval)
    }
}

/// Trains encoder and decoder by mean squared error + λ · (|1 − cos ψ| + |sin ψ|)/3.
///
/// The weights with the best reconstruction of held-out pictures are kept. Labels are never read.
///
/// Source: ssl-sym's published code.
public final class AutoencoderTraining: TrainingRun {
    public let configuration: AutoencoderTrainingConfiguration
    /// The network with its present weights.
    public let network: InvariantEquivariantAutoencoder
    public let title: String
    public private(set) var step = 0
    private let data: HeldOutSplit
    private let metadata: [String: String]
    private var order: BatchOrder
    private var optimizer: NetworkOptimizer
    private var best = BestWeights()

    /// - Parameters:
    ///   - images: 28×28, rotated by whatever law.
    ///   - metadata: put into the file of weights.
    /// - Throws: ``ConfigurationError``.
    public init(
        _ configuration: AutoencoderTrainingConfiguration, images: GreyImages,
        metadata: [String: String] = [:]
    ) throws {
        try configuration.validate()
        try ConfigurationError.require(
            images.count > 1, "the number of pictures", "\(images.count)", "2 or more")
        guard images.side == SteerableEncoder.side else {
            throw ConfigurationError.invalid(
                name: "the side of the pictures", found: "\(images.side)",
                allowed: "\(SteerableEncoder.side)")
        }
        self.configuration = configuration
        self.metadata = metadata
        title =
            configuration.groupWeight > 0
            ? "ssl-sym autoencoder" : "invariant-equivariant autoencoder"
        network = try InvariantEquivariantAutoencoder(
            configuration: configuration.model, store: ParameterStore(seed: configuration.seed))
        data = HeldOutSplit(
            images, share: configuration.heldOutShare, seed: configuration.seed)
        order = BatchOrder(
            count: data.training.count, batch: configuration.batch, seed: configuration.seed)
        let moments = network.momentNames
        optimizer = NetworkOptimizer(
            network.parameters.filter { !moments.contains($0.name) },
            configuration: configuration.optimizer)
        // Training moves them in place.
        for parameter in network.parameters where moments.contains(parameter.name) {
            parameter.value = parameter.value.copied()
        }
    }

    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let images = data.images(order.indices(step: step).map { data.training[$0] })
        var generator = stepGenerator(seed: configuration.seed, step: step)
        let output = network.trainingForward(images, generator: &generator)
        let (reconstruction, group) = InvariantEquivariantAutoencoder.losses(
            output, images: images)
        let loss =
            configuration.groupWeight > 0
            ? reconstruction + group * configuration.groupWeight : reconstruction
        let optimisation = try optimizer.update(loss: loss, step: step)
        let measures = step % configuration.measureInterval == 0
        step += 1
        guard measures else { return [] }
        return [
            TrainingMetric("loss", Double(loss.item())),
            TrainingMetric("reconstruction", Double(reconstruction.item())),
            TrainingMetric("group", Double(group.item())),
        ] + optimisation
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        let positions = data.heldOut.isEmpty ? Array(data.training.prefix(1000)) : data.heldOut
        var (reconstruction, group, dead) = (0.0, 0.0, 0)
        var errors: [Double] = []
        for start in stride(from: 0, to: positions.count, by: 500) {
            try cancellation.check()
            let part = Array(positions[start..<min(start + 500, positions.count)])
            let images = data.images(part)
            let output = network(images)
            let losses = InvariantEquivariantAutoencoder.losses(output, images: images)
            reconstruction += Double(losses.reconstruction.item()) * Double(part.count)
            group += Double(losses.group.item()) * Double(part.count)
            dead += PoseVectors.dead(output.vector)
            errors += network.equivarianceErrors(images, vectors: output.vector, seed: 1)
        }
        try currentDevice.throwPendingError()
        let count = Double(positions.count)
        if !data.heldOut.isEmpty {
            best.offer(network.parameters, loss: reconstruction / count, step: step)
        }
        errors.sort()
        return [
            TrainingMetric("reconstruction", reconstruction / count),
            TrainingMetric("group", group / count),
            TrainingMetric("equivariance_median", errors[errors.count / 2]),
            TrainingMetric("equivariance_mean", errors.reduce(0, +) / count),
            TrainingMetric("dead_vectors", Double(dead) / count),
        ]
    }

    // MARK: State

    public func state() -> TrainingState {
        var state = optimizer.state(step: step)
        storeMoments(network.parameters, names: network.momentNames, in: &state)
        best.store(in: &state)
        return state
    }

    public func restore(_ state: TrainingState) throws {
        try restoreMoments(network.parameters, names: network.momentNames, from: state)
        best.restore(state)
        step = try optimizer.restore(state)
    }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        var (tensors, metadata) = network.exported(best.values)
        metadata["system"] = configuration.groupWeight > 0 ? "ssl-sym" : "ie-ae"
        metadata["group_weight"] = "\(configuration.groupWeight)"
        metadata["step"] = "\(best.values.isEmpty ? step : best.step)"
        metadata.merge(self.metadata) { _, new in new }
        tensors.sort { $0.name < $1.name }
        return (tensors, metadata)
    }
}

/// `system = "ssl-sym"` and, without the constraint, `"ie-ae"`.
public struct AutoencoderTrainingSystem: TrainingSystem {
    public let name: String
    public let summary: String
    private let fallbackWeight: Double

    /// With the constraint.
    public static let sslSym = AutoencoderTrainingSystem(
        name: "ssl-sym", summary: "class-pose autoencoder whose poses are pulled to the identity",
        fallbackWeight: 0.06)
    /// Without.
    public static let plain = AutoencoderTrainingSystem(
        name: "ie-ae", summary: "invariant-equivariant autoencoder, for RECON", fallbackWeight: 0)

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(recipe, context: context, keys: [])
        let model = try recipe.section(
            "model",
            keys: ["hidden_width", "embedding_width", "decoder_width", "pooling", "disc_mask"])
        let loss = try recipe.section("loss", keys: ["group", "held_out"])
        let data = try recipe.symmetryTrainingSet()
        return try AutoencoderTraining(
            AutoencoderTrainingConfiguration(
                model: AutoencoderConfiguration(
                    encoder: try recipe.encoder(model),
                    decoderWidth: try model.int("decoder_width", in: 1...1024)),
                optimizer: try recipe.optimizer(), batch: try recipe.batch,
                seed: try recipe.seed,
                groupWeight: Float(
                    try loss.double("group", default: fallbackWeight, in: 0...1000)),
                heldOutShare: try loss.double("held_out", default: 0.2, in: 0...0.9),
                measureInterval: try recipe.measureInterval),
            images: data.images, metadata: data.metadata)
    }
}
