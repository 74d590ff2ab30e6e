// Training of the classifier.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for the classifier.
public struct ImageClassifierTrainingConfiguration: Sendable, Equatable, Codable {
    public var model: ImageClassifierConfiguration
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    /// Pictures are moved by up to this many pixels in both directions.
    public var shift: Int

    public init(
        model: ImageClassifierConfiguration, optimizer: OptimizerConfiguration, batch: Int = 64,
        seed: UInt64 = 0, shift: Int = 2
    ) {
        self.model = model
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.shift = shift
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.require(
            shift >= 0 && shift < model.imageSize, "shift", "\(shift)",
            "0 to \(model.imageSize - 1)")
    }
}

/// Trains an ``ImageClassifier`` by cross-entropy on shifted pictures.
public final class ImageClassifierTraining: TrainingRun {
    public let configuration: ImageClassifierTrainingConfiguration
    /// The network with its present (not averaged) weights.
    public let network: ImageClassifier
    public let title = "image classifier"
    public private(set) var step = 0
    private let images: any Dataset
    private let heldOut: (any Dataset)?
    private var optimizer: NetworkOptimizer
    private var order: BatchOrder

    /// - Parameters:
    ///   - images: what is trained on.
    ///   - heldOut: what `evaluate` classifies.
    /// - Throws: ``ConfigurationError``; errors of the pictures.
    public init(
        _ configuration: ImageClassifierTrainingConfiguration, images: any Dataset,
        heldOut: (any Dataset)? = nil
    ) throws {
        try configuration.validate()
        try ConfigurationError.requirePictures(images, side: configuration.model.imageSize)
        self.configuration = configuration
        self.images = images
        self.heldOut = heldOut
        network = try ImageClassifier(
            configuration: configuration.model, store: ParameterStore(seed: configuration.seed))
        optimizer = NetworkOptimizer(network.parameters, configuration: configuration.optimizer)
        order = BatchOrder(
            count: images.count, batch: configuration.batch, seed: configuration.seed)
    }

    public var totalSteps: Int { configuration.optimizer.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        let batch = try images.batch(order.indices(step: step))
        var generator = stepGenerator(seed: configuration.seed, step: step)
        let logits = network.logits(
            Self.shifted(batch.images, by: configuration.shift, generator: &generator))
        let loss = crossEntropy(logits, targets: batch.labels).mean()
        let right = Self.rightAnswers(logits, batch.labels)
        let optimisation = try optimizer.update(loss: loss, step: step)
        step += 1
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

    private static func rightAnswers(_ logits: Tensor, _ labels: Tensor) -> Int {
        zip(logits.detached().argmax(axis: -1).int32s(), labels.int32s())
            .reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
    }

    /// Moves every picture by its own offset; pixels that come in repeat the edge.
    static func shifted(
        _ images: Tensor, by largest: Int, generator: inout RandomGenerator
    ) -> Tensor {
        guard largest > 0 else { return images }
        let (channels, height, width) = (images.shape[1], images.shape[2], images.shape[3])
        let source = images.floats()
        var result = source
        for picture in 0..<images.shape[0] {
            let down = generator.nextInt(below: 2 * largest + 1) - largest
            let right = generator.nextInt(below: 2 * largest + 1) - largest
            for plane in (picture * channels)..<((picture + 1) * channels) {
                for y in 0..<height {
                    let from = (plane * height + min(max(y - down, 0), height - 1)) * width
                    let to = (plane * height + y) * width
                    for x in 0..<width {
                        result[to + x] = source[from + min(max(x - right, 0), width - 1)]
                    }
                }
            }
        }
        return Tensor(result, shape: images.shape, device: images.device)
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
        let augmentation = try recipe.section("augmentation", keys: ["shift"])
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
                shift: try augmentation.int("shift", default: 2, in: 0...64)),
            images: training, heldOut: heldOut)
    }
}
