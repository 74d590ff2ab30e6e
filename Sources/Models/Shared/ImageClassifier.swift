// The small network whose answers and features our figures are measured with.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Sizes of an ``ImageClassifier``.
public struct ImageClassifierConfiguration: Sendable, Equatable, Codable {
    /// Side S of the pictures.
    public var imageSize: Int
    public var classCount: Int
    /// Channels of the first stage; each further stage has twice as many, at most eight times.
    public var width: Int
    /// Length of the feature vector that the last layer reads.
    public var features: Int

    public init(imageSize: Int, classCount: Int, width: Int = 16, features: Int = 64) {
        self.imageSize = imageSize
        self.classCount = classCount
        self.width = width
        self.features = features
    }

    /// Stages: halvings until the map is at most 4 wide.
    public var stageCount: Int {
        var (count, side) = (1, imageSize / 2)
        while side > 4 {
            side /= 2
            count += 1
        }
        return count
    }

    /// Channels of a stage.
    func channels(stage: Int) -> Int { width << min(stage, 3) }

    /// Side of the map after the last stage.
    var lastSide: Int { imageSize >> stageCount }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            (2...1024).contains(imageSize), "image_size", "\(imageSize)", "2 to 1024")
        try ConfigurationError.require(
            (2...65_536).contains(classCount), "the number of classes", "\(classCount)",
            "2 to 65536")
        try ConfigurationError.require(
            width > 0 && width % Self.groups == 0 && width <= 512, "width", "\(width)",
            "multiples of \(Self.groups) up to 512")
        try ConfigurationError.require(
            (1...4096).contains(features), "features", "\(features)", "1 to 4096")
    }

    /// Groups of the normalisations.
    static let groups = 4
}

/// A convolutional classifier: stages of convolution, group normalisation and pooling, then a
/// feature vector, then one linear layer.
///
///     x ← maxpool₂(SiLU(GN(conv₃ₓ₃(x))))   per stage
///     feature = SiLU(W·flatten(x) + b)     [B, F]
///     logits = head(feature)               [B, N]
///
/// Checkpoint keys: `stages.i.conv.*`, `stages.i.norm.*`, `features.*`, `head.*`.
public final class ImageClassifier: Sendable {
    public let configuration: ImageClassifierConfiguration
    /// Every tensor in the order of construction.
    public let parameters: [Parameter]
    private let stages: [(convolution: Convolution2D, norm: GroupNorm)]
    private let featureLayer: Linear
    private let head: Linear

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    public init(configuration: ImageClassifierConfiguration, store: ParameterStore) throws {
        try configuration.validate()
        self.configuration = configuration
        let scope = store.scope
        stages = (0..<configuration.stageCount).map { stage in
            let outputs = configuration.channels(stage: stage)
            return (
                Convolution2D(
                    scope["stages"][stage]["conv"],
                    inputs: stage == 0 ? 3 : configuration.channels(stage: stage - 1),
                    outputs: outputs, kernel: 3),
                GroupNorm(
                    scope["stages"][stage]["norm"], channels: outputs,
                    groups: ImageClassifierConfiguration.groups)
            )
        }
        let side = configuration.lastSide
        featureLayer = Linear(
            scope["features"],
            inputs: configuration.channels(stage: configuration.stageCount - 1) * side * side,
            outputs: configuration.features)
        head = Linear(
            scope["head"], inputs: configuration.features, outputs: configuration.classCount)
        parameters = store.parameters
    }

    /// The vector that the last layer reads.
    ///
    /// - Parameter images: [B, 3, S, S] in [−1, 1].
    /// - Returns: [B, F].
    public func features(_ images: Tensor) -> Tensor {
        var x = images
        for (convolution, norm) in stages {
            x = maxPool2D(norm(convolution(x), activation: .silu), size: 2)
        }
        return featureLayer(x.reshaped([x.shape[0], x.shape[1] * x.shape[2] * x.shape[3]])).silu()
    }

    /// Class scores of feature vectors, [B, N].
    public func logits(features: Tensor) -> Tensor { head(features) }

    /// Class scores of pictures.
    ///
    /// - Parameter images: [B, 3, S, S] in [−1, 1].
    /// - Returns: [B, N].
    public func logits(_ images: Tensor) -> Tensor { logits(features: features(images)) }
}
