// Training of a level network on pseudo-labels.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Trains Θ on what a frozen autoencoder's neighbourhoods say.
///
/// Levels and centres are learned by squared error, orders of cyclic groups by cross-entropy. The
/// weights that do best on held-out pictures are kept; what is exported holds the autoencoder too.
///
/// Source: ssl-sym's published code. Ours: a level's last shift starts at the mean pseudo-label.
public final class SymmetryLevelTraining: TrainingRun {
    /// A recipe.
    public struct Configuration: Sendable, Equatable {
        public var model: SteerableEncoderConfiguration
        public var output: SymmetryLevelNetwork.Output
        public var labels: PseudoLabels.Settings
        public var optimizer: OptimizerConfiguration
        public var batch: Int
        public var seed: UInt64
        public var heldOutShare: Double
        public var measureInterval: Int

        /// - Throws: ``ConfigurationError``.
        public func validate() throws(ConfigurationError) {
            try model.validate()
            try optimizer.validate()
            try ConfigurationError.requireBatch(batch)
            try ConfigurationError.require(
                (0...0.9).contains(heldOutShare), "held_out", "\(heldOutShare)", "0 to 0.9")
            try ConfigurationError.require(
                labels.neighbours > 0, "neighbours", "\(labels.neighbours)", "1 or more")
            try ConfigurationError.require(
                (output == .order) == (labels.estimator == .cyclic), "estimator",
                labels.estimator.rawValue,
                output == .order
                    ? "cyclic, for the orders of groups" : "any but cyclic, for levels and centres")
            try ConfigurationError.requireMeasureInterval(measureInterval)
        }
    }

    public let configuration: Configuration
    /// Θ with its present weights.
    public let network: SymmetryLevelNetwork
    public let title = "symmetry-level network"
    public private(set) var step = 0
    private let autoencoder: InvariantEquivariantAutoencoder
    private let autoencoderMetadata: [String: String]
    private let data: HeldOutSplit
    private let targets: [Float]
    private let parameters: [Parameter]
    private let momentNames: Set<String>
    private var order: BatchOrder
    private var optimizer: NetworkOptimizer
    private var best = BestWeights()

    /// - Parameters:
    ///   - autoencoder: frozen.
    ///   - images: what it was trained on.
    ///   - metadata: of the autoencoder's file, handed on.
    /// - Throws: ``ConfigurationError``, `CancellationError`.
    public init(
        _ configuration: Configuration, autoencoder: InvariantEquivariantAutoencoder,
        images: GreyImages, metadata: [String: String] = [:],
        cancellation: Cancellation = Cancellation()
    ) throws {
        try configuration.validate()
        try ConfigurationError.require(
            images.count > configuration.labels.neighbours, "the number of pictures",
            "\(images.count)", "more than the \(configuration.labels.neighbours) neighbours")
        self.configuration = configuration
        self.autoencoder = autoencoder
        autoencoderMetadata = metadata
        let store = ParameterStore(seed: configuration.seed)
        network = SymmetryLevelNetwork(
            store.scope["theta_function"], encoder: configuration.model,
            output: configuration.output)
        parameters = store.parameters
        momentNames = Set(network.encoder.moments.map(\.name))
        data = HeldOutSplit(
            images, share: configuration.heldOutShare, seed: configuration.seed)
        order = BatchOrder(
            count: data.training.count, batch: configuration.batch, seed: configuration.seed)
        let labels = PseudoLabels(
            try autoencoder.classPoses(of: images, cancellation: cancellation),
            settings: configuration.labels)
        switch configuration.output {
        case .level:
            targets = labels.levels.map(Float.init)
            let mean = labels.levels.reduce(0, +) / Double(labels.levels.count)
            network.lastBias?.value = .full([1], Float(mean))
        case .order: targets = labels.levels.map { Float($0) - 1 }
        case .centre:
            targets = labels.centres.flatMap { centre in
                let radians = centre.degrees * .pi / 180
                return [Float(cos(radians)), Float(sin(radians))]
            }
        }
        let moments = momentNames
        optimizer = NetworkOptimizer(
            parameters.filter { !moments.contains($0.name) },
            configuration: configuration.optimizer)
        for parameter in parameters where moments.contains(parameter.name) {
            parameter.value = parameter.value.copied()
        }
    }

    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    /// The mean loss of outputs against the targets of some positions.
    private func loss(_ outputs: Tensor, _ positions: [Int]) -> Tensor {
        let device = outputs.device
        if configuration.output == .order {
            let orders = positions.map { Int32(targets[$0]) }
            return crossEntropy(
                outputs, targets: Tensor(int32: orders, shape: [orders.count], device: device)
            ).mean()
        }
        let width = configuration.output.count
        let wanted = positions.flatMap { targets[(width * $0)..<(width * ($0 + 1))] }
        return (outputs - Tensor(wanted, shape: [positions.count, width], device: device))
            .square().mean()
    }

    public func advance() throws -> [TrainingMetric] {
        let positions = order.indices(step: step).map { data.training[$0] }
        let loss = loss(network(data.images(positions), isTraining: true), positions)
        let optimisation = try optimizer.update(loss: loss, step: step)
        let measures = step % configuration.measureInterval == 0
        step += 1
        return measures ? [TrainingMetric("loss", Double(loss.item()))] + optimisation : []
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        let positions = data.heldOut.isEmpty ? Array(data.training.prefix(1000)) : data.heldOut
        var total = 0.0
        for start in stride(from: 0, to: positions.count, by: 500) {
            try cancellation.check()
            let part = Array(positions[start..<min(start + 500, positions.count)])
            total += Double(loss(network(data.images(part)), part).item()) * Double(part.count)
        }
        try currentDevice.throwPendingError()
        let mean = total / Double(positions.count)
        if !data.heldOut.isEmpty { best.offer(parameters, loss: mean, step: step) }
        return [TrainingMetric("loss", mean)]
    }

    public func state() -> TrainingState {
        var state = optimizer.state(step: step)
        storeMoments(parameters, names: momentNames, in: &state)
        best.store(in: &state)
        return state
    }

    public func restore(_ state: TrainingState) throws {
        try restoreMoments(parameters, names: momentNames, from: state)
        best.restore(state)
        step = try optimizer.restore(state)
    }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        var (tensors, metadata) = autoencoder.exported()
        tensors.removeAll { $0.name.hasPrefix("theta_function.") }
        tensors += parameters.map { (name: $0.name, tensor: best.values[$0.name] ?? $0.value) }
        if configuration.model.sharesBias {
            let scope = "theta_function.encoder_block."
            let bias = "2.merging.submodule_1.log_bias"
            if let first = tensors.first(where: { $0.name == scope + "block2." + bias }) {
                tensors.append((name: scope + "block3." + bias, tensor: first.tensor))
            }
        }
        metadata.merge(autoencoderMetadata) { _, new in new }
        metadata["theta_pooling"] = configuration.model.pooling.rawValue
        metadata["theta_disc_mask"] = "\(configuration.model.hasDiscMask)"
        metadata["theta_output"] = configuration.output.rawValue
        metadata["theta_step"] = "\(best.values.isEmpty ? step : best.step)"
        tensors.sort { $0.name < $1.name }
        return (tensors, metadata)
    }
}

/// `system = "symmetry-level"`.
public struct SymmetryLevelTrainingSystem: TrainingSystem {
    public let name = "symmetry-level"
    public let summary = "network that tells an input's symmetry level or centre (Θ)"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(recipe, context: context, keys: ["autoencoder", "pseudo_labels"])
        let model = try recipe.section(
            "model", keys: ["hidden_width", "embedding_width", "pooling", "disc_mask", "output"])
        let labels = try recipe.section(
            "pseudo_labels", keys: ["neighbours", "estimator", "centred"])
        let loss = try recipe.section("loss", keys: ["held_out"])
        let archive = try recipe.archive("autoencoder")
        let output = try Self.choice(
            SymmetryLevelNetwork.Output.self, "output", in: model, default: .level)
        let estimator = try Self.choice(
            SymmetryEstimator.self, "estimator", in: labels,
            default: output == .order ? .cyclic : .momentsOutliers)
        return try SymmetryLevelTraining(
            SymmetryLevelTraining.Configuration(
                model: try recipe.encoder(model), output: output,
                labels: PseudoLabels.Settings(
                    neighbours: try labels.int("neighbours", default: 45, in: 1...10_000),
                    estimator: estimator,
                    isCentred: try labels.bool("centred", default: false)),
                optimizer: try recipe.optimizer(), batch: try recipe.batch,
                seed: try recipe.seed,
                heldOutShare: try loss.double("held_out", default: 0.2, in: 0...0.9),
                measureInterval: try recipe.measureInterval),
            autoencoder: try InvariantEquivariantAutoencoder(archive: archive),
            images: try recipe.symmetryTrainingSet().images, metadata: archive.metadata,
            cancellation: context.cancellation)
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _: Choice.Type, _ key: String, in section: TOMLTable, default fallback: Choice
    ) throws -> Choice where Choice.RawValue == String {
        let text = try section.string(key, default: fallback.rawValue)
        guard let value = Choice(rawValue: text) else {
            throw section.invalidValue(
                key, expected: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }
}
