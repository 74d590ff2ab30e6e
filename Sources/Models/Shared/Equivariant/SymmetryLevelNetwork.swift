// Θ: from a picture to its symmetry level.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A rotation-invariant regressor: the embedding of a ``SteerableEncoder``, then three linear layers.
///
///     Linear(E, E/2) ReLU Linear(E/2, E/2) ReLU Linear(E/2, n)
///
/// As published n = 1 with a ReLU behind it is a level in degrees, n = 8 logits of the cyclic groups
/// C₁…C₈; n = 2 without ReLU is the direction of a centre (cos, sin), for RECON.
///
/// Checkpoint keys: `encoder_block.*` (as the encoder), `fully_connected.{0,2,4}.{weight,bias}`.
/// Source: ssl-sym's published code.
public final class SymmetryLevelNetwork: Sendable {
    /// What the outputs are.
    public enum Output: String, Sendable, Codable, CaseIterable {
        /// One level in degrees, never negative.
        case level
        /// Logits of C₁…C₈.
        case order
        /// Cosine and sine of a centre.
        case centre

        /// Numbers per picture.
        public var count: Int {
            switch self {
            case .level: 1
            case .order: 8
            case .centre: 2
            }
        }
    }

    public let output: Output
    public let encoder: SteerableEncoder
    private let layers: [Linear]

    /// Makes or takes the parameters of a scope.
    public init(
        _ scope: ParameterScope, encoder configuration: SteerableEncoderConfiguration,
        output: Output = .level
    ) {
        self.output = output
        encoder = SteerableEncoder(scope["encoder_block"], configuration: configuration)
        let (e, half) = (configuration.embeddingWidth, max(1, configuration.embeddingWidth / 2))
        let sizes = [(e, half), (half, half), (half, output.count)]
        layers = sizes.enumerated().map { index, size in
            Linear(
                scope["fully_connected"][2 * index], inputs: size.0, outputs: size.1,
                initializer: .normal(standardDeviation: 0.15))
        }
    }

    /// Shift of the last layer.
    var lastBias: Parameter? { layers[2].bias }

    /// Outputs of pictures, [B, n].
    ///
    /// - Parameter images: [B, 1, 28, 28] in 0…1.
    public func callAsFunction(_ images: Tensor, isTraining: Bool = false) -> Tensor {
        let x = encoder(images, isTraining: isTraining).embedding
        let y = layers[2](layers[1](layers[0](x).relu()).relu())
        return output == .level ? y.relu() : y
    }
}
