// Training of the classifier.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for the classifier.
public struct ImageClassifierTrainingConfiguration: Sendable, Equatable, Codable {
    public var model: ImageClassifierConfiguration
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    public var augmentation: PictureAugmentation
    /// Steps between readings of figures from the device.
    public var measureInterval: Int

    public init(
        model: ImageClassifierConfiguration, optimizer: OptimizerConfiguration, batch: Int = 64,
        seed: UInt64 = 0, augmentation: PictureAugmentation = PictureAugmentation(shift: 2),
        measureInterval: Int = 1
    ) {
        self.model = model
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.augmentation = augmentation
        self.measureInterval = measureInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.require(
            augmentation.shift >= 0 && augmentation.shift < model.imageSize, "shift",
            "\(augmentation.shift)", "0 to \(model.imageSize - 1)")
        try ConfigurationError.requireMeasureInterval(measureInterval)
    }
}

/// Trains an ``ImageClassifier`` by cross-entropy on slightly changed pictures.
public final class ImageClassifierTraining: TrainingRun {
    public let configuration: ImageClassifierTrainingConfiguration
    /// The network with its present (not averaged) weights.
    public let network: ImageClassifier
    public let title = "image classifier"
    public private(set) var step = 0
    private let images: any Dataset
    private let heldOut: (any Dataset)?
    private let loader: BatchLoader
    private var optimizer: NetworkOptimizer

    /// - Parameters:
    ///   - images: what is trained on.
    ///   - heldOut: what `evaluate` classifies.
    ///   - parallel: processes that share every batch.
    /// - Throws: ``ConfigurationError``; errors of the pictures.
    public init(
        _ configuration: ImageClassifierTrainingConfiguration, images: any Dataset,
        heldOut: (any Dataset)? = nil, parallel: DataParallel = .single
    ) throws {
        try configuration.validate()
        try ConfigurationError.requirePictures(images, side: configuration.model.imageSize)
        try ConfigurationError.requireShares(
            of: min(configuration.batch, images.count), parallel)
        self.configuration = configuration
        self.images = images
        self.heldOut = heldOut
        network = try ImageClassifier(
            configuration: configuration.model, store: ParameterStore(seed: configuration.seed))
        optimizer = NetworkOptimizer(
            network.parameters, configuration: configuration.optimizer, parallel: parallel)
        var order = BatchOrder(
            count: images.count, batch: configuration.batch, seed: configuration.seed)
        loader = BatchLoader(
            images, augmentation: configuration.augmentation, seed: configuration.seed,
            rank: parallel.rank
        ) { order.indices(step: $0) }
    }

    public var isDataParallel: Bool { true }
    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let batch = try loader.batch(step: step)
        let logits = network.logits(batch.images)
        let loss = crossEntropy(logits, targets: batch.labels).mean()
        let optimisation = try optimizer.update(loss: loss, step: step)
        let measures = step % configuration.measureInterval == 0
        step += 1
        guard measures else { return [] }
        let right = Self.rightAnswers(logits, batch.labels)
        return [
            TrainingMetric("loss", Double(loss.item())),
            TrainingMetric("accuracy", Double(right) / Double(batch.indices.count)),
        ] + optimisation
    }

    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        guard let heldOut, heldOut.count > 0 else { return [] }
        return try optimizer.withAverages {
            try withoutGradients {
                var right = 0
                for indices in heldOut.batchesInOrder(ofSize: 256) {
                    try cancellation.check()
                    let batch = try heldOut.batch(indices)
                    right += Self.rightAnswers(network.logits(batch.images), batch.labels)
                }
                return [TrainingMetric("accuracy", Double(right) / Double(heldOut.count))]
            }
        }
    }

    public func samplePictures(cancellation: Cancellation) throws -> TrainingPictures? {
        guard let heldOut, heldOut.count > 0 else { return nil }
        let indices = Array(0..<min(heldOut.count, 256))
        let batch = try heldOut.batch(indices)
        let sureness = optimizer.withAverages {
            softmax(network.logits(batch.images)).max(axis: -1).floats()
        }
        let chosen = indices.sorted { (sureness[$0], $0) < (sureness[$1], $1) }.prefix(16)
        return TrainingPictures(
            title: "held-out pictures that it is least sure of",
            images: try heldOut.batch(Array(chosen)).images.pictures(),
            columns: min(8, chosen.count))
    }

    public func leaveOut(seconds: Double) { optimizer.leaveOut(seconds: seconds) }

    private static func rightAnswers(_ logits: Tensor, _ labels: Tensor) -> Int {
        zip(logits.detached().argmax(axis: -1).int32s(), labels.int32s())
            .reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
    }

    public func state() -> TrainingState { optimizer.state(step: step) }

    public func restore(_ state: TrainingState) throws { step = try optimizer.restore(state) }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        (
            exported(
                parameters: network.parameters, averages: optimizer.averages, buffers: [:]),
            [
                "system": "classifier", "image_size": "\(configuration.model.imageSize)",
                "classes": images.classes.joined(separator: "\n"),
            ]
        )
    }
}

/// `system = "classifier"`.
public struct ImageClassifierTrainingSystem: TrainingSystem {
    public let name = "classifier"
    public let summary = "small image classifier that figures are measured with"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(recipe, context: context, keys: ["augmentation"])
        let model = try recipe.section("model", keys: ["image_size", "width", "features"])
        let size = try model.int("image_size", in: 2...1024)
        let (training, heldOut) = try recipe.pictures(imageSize: size)
        return try ImageClassifierTraining(
            ImageClassifierTrainingConfiguration(
                model: ImageClassifierConfiguration(
                    imageSize: size, classCount: training.classes.count,
                    width: try model.int("width", default: 16, in: 1...512),
                    features: try model.int("features", default: 64, in: 1...4096)),
                optimizer: try recipe.optimizer(), batch: try recipe.batch,
                seed: try recipe.seed,
                augmentation: try recipe.augmentation(
                    classes: training.classes, default: PictureAugmentation(shift: 2)),
                measureInterval: try recipe.measureInterval),
            images: training, heldOut: heldOut)
    }
}
