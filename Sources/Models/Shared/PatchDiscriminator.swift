// The critic that tells patches of pictures from patches of reconstructions.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How a tokenizer's reconstructions are judged by a ``PatchDiscriminator`` that learns with it.
public struct AdversarialConfiguration: Sendable, Equatable, Codable {
    /// Weight of the judgement beside the reconstruction, after both gradients were made equally
    /// long.
    public var weight: Float
    /// The share of the run after which the critic begins to learn; its weight then grows from 0
    /// over a further twentieth.
    public var start: Double
    /// Channels of the critic's first layer.
    public var width: Int
    /// Halvings of the critic.
    public var layers: Int
    public var learningRate: Float

    public init(
        weight: Float = 0.1, start: Double = 0.4, width: Int = 32, layers: Int = 3,
        learningRate: Float = 4e-4
    ) {
        self.weight = weight
        self.start = start
        self.width = width
        self.layers = layers
        self.learningRate = learningRate
    }

    func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            width > 0 && width % 8 == 0 && width <= 512, "discriminator.width", "\(width)",
            "multiples of 8 up to 512")
        try ConfigurationError.require(
            (1...6).contains(layers), "discriminator.layers", "\(layers)", "1 to 6")
    }

    /// The weight at a share of the run.
    func weight(progress: Double) -> Float {
        weight * Float(min(1, max(0, (progress - start) / 0.05)))
    }
}

/// A convolutional critic with one answer per overlapping patch (PatchGAN).
///
///     x ← lrelu(conv₄ₓ₄,₂(x));  x ← lrelu(GN(conv₄ₓ₄,₂(x))) …;  x ← lrelu(GN(conv₄ₓ₄(x)));  conv₄ₓ₄(x)
///
/// Source: Isola et al., arXiv 1611.07004; group normalisation (8 channels to a group) instead of
/// batch normalisation, so that pictures do not judge each other. Hinge losses: Lim, Ye, arXiv
/// 1705.02894. Checkpoint keys: `layers.i.conv.*`, `layers.i.norm.*`, `answer.*`.
final class PatchDiscriminator: Sendable {
    let parameters: [Parameter]
    private let layers: [(convolution: Convolution2D, norm: GroupNorm?)]
    private let answer: Convolution2D

    init(_ configuration: AdversarialConfiguration, seed: UInt64) {
        let store = ParameterStore(seed: seed)
        var inputs = 3
        layers = (0...configuration.layers).map { index in
            let outputs = configuration.width << min(index, 3)
            let scope = store.scope["layers"][index]
            defer { inputs = outputs }
            return (
                Convolution2D(
                    scope["conv"], inputs: inputs, outputs: outputs, kernel: 4,
                    stride: index < configuration.layers ? 2 : 1, padding: .same(1),
                    initializer: .normal(standardDeviation: 0.02)),
                index == 0 ? nil : GroupNorm(scope["norm"], channels: outputs, groups: outputs / 8)
            )
        }
        answer = Convolution2D(
            store.scope["answer"], inputs: inputs, outputs: 1, kernel: 4, padding: .same(1),
            initializer: .normal(standardDeviation: 0.02))
        parameters = store.parameters
    }

    /// Answers per patch, [B, 1, h, w]; large for pictures, small for reconstructions.
    ///
    /// - Parameters:
    ///   - images: [B, 3, S, S].
    ///   - isFrozen: leaves the critic's own weights out of the recording.
    func callAsFunction(_ images: Tensor, isFrozen: Bool) -> Tensor {
        func value(_ parameter: Parameter) -> Tensor {
            isFrozen ? parameter.value : parameter.tensor
        }
        func apply(_ layer: Convolution2D, _ x: Tensor) -> Tensor {
            convolution2D(
                x, weight: value(layer.weight), bias: layer.bias.map(value),
                stride: layer.geometry.stride, padding: layer.geometry.padding)
        }
        var x = images
        for (convolution, norm) in layers {
            x = apply(convolution, x)
            if let norm {
                x = groupNorm(
                    x, groups: norm.groups, weight: value(norm.weight), bias: value(norm.bias),
                    epsilon: norm.epsilon)
            }
            // Leaky by 0.2.
            x = x * 0.2 + x.relu() * 0.8
        }
        return apply(answer, x)
    }

    /// What the reconstructions are to bring down: −mean of the answers.
    func judgement(of reconstructions: Tensor) -> Tensor {
        self(reconstructions, isFrozen: true).mean() * -1
    }

    /// The critic's own hinge loss: ½·mean(max(0, 1 − D(x))) + ½·mean(max(0, 1 + D(x̂))).
    func loss(pictures: Tensor, reconstructions: Tensor) -> Tensor {
        let answers = self(
            Tensor.concatenated([pictures.detached(), reconstructions.detached()], axis: 0),
            isFrozen: false)
        let count = pictures.shape[0]
        let real = answers.narrowed(axis: 0, start: 0, length: count)
        let made = answers.narrowed(axis: 0, start: count, length: reconstructions.shape[0])
        return ((1 - real).relu().mean() + (made + 1).relu().mean()) * 0.5
    }
}
