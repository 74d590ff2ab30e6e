// The class-pose autoencoder: what a picture shows, and how it is turned.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Sizes of an ``InvariantEquivariantAutoencoder``.
public struct AutoencoderConfiguration: Sendable, Equatable, Codable {
    public var encoder: SteerableEncoderConfiguration
    /// d: channels of the decoder.
    public var decoderWidth: Int
    /// The level network beside it; nil for none.
    public var theta: SteerableEncoderConfiguration?
    public var thetaOutput: SymmetryLevelNetwork.Output

    public init(
        encoder: SteerableEncoderConfiguration, decoderWidth: Int,
        theta: SteerableEncoderConfiguration? = nil,
        thetaOutput: SymmetryLevelNetwork.Output = .level
    ) {
        self.encoder = encoder
        self.decoderWidth = decoderWidth
        self.theta = theta
        self.thetaOutput = thetaOutput
    }

    /// h = 16, E = 64, d = 32, symmetric pooling, disc mask: 119,617 parameters, of which
    /// 12 tensors of running moments are not counted.
    public static let small = AutoencoderConfiguration(
        encoder: SteerableEncoderConfiguration(
            hiddenWidth: 16, embeddingWidth: 64, pooling: .symmetric, hasDiscMask: true),
        decoderWidth: 32)

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try encoder.validate()
        try theta?.validate()
        try ConfigurationError.require(
            (1...1024).contains(decoderWidth), "decoder_width", "\(decoderWidth)", "1 to 1024")
    }
}

/// Encoder and decoder of a decomposition x = ρ(ψ(x)) δ(η(x)): η is invariant under rotations, the
/// pose ψ turns with the picture, δ(η) is the canonical picture of the class.
///
/// With a constraint that pulls ψ to the identity while training, this is ssl-sym's autoencoder;
/// without, the plain IE-AE that RECON corrects afterwards.
///
/// Source: ssl-sym's published code; Winter et al., "Unsupervised learning of group invariant and
/// equivariant representations", arXiv 2202.07559.
public final class InvariantEquivariantAutoencoder: Sendable {
    public let configuration: AutoencoderConfiguration
    public let encoder: SteerableEncoder
    public let decoder: CanonicalDecoder
    /// Θ where the checkpoint has one.
    public let theta: SymmetryLevelNetwork?
    /// Every tensor in the order of construction, running moments among them.
    public let parameters: [Parameter]
    /// Names of the running moments, which no gradient reaches.
    let momentNames: Set<String>

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    public init(configuration: AutoencoderConfiguration, store: ParameterStore) throws {
        try configuration.validate()
        self.configuration = configuration
        encoder = SteerableEncoder(store.scope["encoder"], configuration: configuration.encoder)
        decoder = CanonicalDecoder(
            store.scope["decoder"], embeddingWidth: configuration.encoder.embeddingWidth,
            width: configuration.decoderWidth)
        theta = configuration.theta.map {
            SymmetryLevelNetwork(
                store.scope["theta_function"], encoder: $0, output: configuration.thetaOutput)
        }
        parameters = store.parameters
        let moments = encoder.moments + decoder.moments + (theta?.encoder.moments ?? [])
        momentNames = Set(moments.map(\.name))
    }

    /// What is kept of a length when a vector becomes a direction.
    static let directionEpsilon: Float = 1e-4

    /// u = v/(|v| + 10⁻⁴), [B, 2]: cosine and sine of the pose.
    public static func direction(_ vector: Tensor) -> Tensor {
        // The tiny term keeps the root's slope finite for vectors that vanish.
        let length = (vector.square().sum(axes: [1], keepDimensions: true) + 1e-24).sqrt()
        return vector / (length + directionEpsilon)
    }

    /// ψ in degrees, counter-clockwise, of pose vectors [B, 2].
    public static func degrees(_ vectors: Tensor) -> [Double] {
        let values = vectors.floats()
        return (0..<(values.count / 2)).map {
            atan2(Double(values[2 * $0 + 1]), Double(values[2 * $0])) * 180 / .pi
        }
    }

    /// What the network makes of pictures.
    public struct Output: Sendable {
        /// η [B, E].
        public var embedding: Tensor
        /// v [B, 2].
        public var vector: Tensor
        /// u [B, 2], cosine and sine of ψ.
        public var direction: Tensor
        /// δ(η) [B, 1, 28, 28].
        public var canonical: Tensor
        /// The canonical turned by ψ, [B, 1, 28, 28].
        public var reconstruction: Tensor
    }

    /// Evaluation: running statistics, nothing dropped.
    ///
    /// - Parameter images: [B, 1, 28, 28] in 0…1.
    public func callAsFunction(_ images: Tensor) -> Output {
        let (embedding, vector) = encoder(images)
        return output(embedding, vector, canonical: decoder(embedding))
    }

    /// Training: batch statistics, maps of the decoder dropped by the generator.
    func trainingForward(_ images: Tensor, generator: inout RandomGenerator) -> Output {
        let (embedding, vector) = encoder(images, isTraining: true)
        return output(embedding, vector, canonical: decoder(embedding, dropping: &generator))
    }

    private func output(_ embedding: Tensor, _ vector: Tensor, canonical: Tensor) -> Output {
        let direction = Self.direction(vector)
        return Output(
            embedding: embedding, vector: vector, direction: direction, canonical: canonical,
            reconstruction: rotated(canonical, by: direction))
    }

    /// Mean squared pixel error and the constraint (|1 − cos ψ| + |sin ψ|)/3, the mean absolute
    /// difference between the 2×3 matrix of ψ and that of the identity.
    public static func losses(
        _ output: Output, images: Tensor
    ) -> (reconstruction: Tensor, group: Tensor) {
        let identity = Tensor([1, 0], shape: [1, 2], device: images.device)
        let group = (output.direction - identity).abs().sum() / Float(3 * images.shape[0])
        return ((output.reconstruction - images).square().mean(), group)
    }

    /// Every picture turned back by its own pose.
    public func standardized(_ images: Tensor) -> Tensor {
        let inverse = Tensor([1, -1], shape: [1, 2], device: images.device)
        return rotated(images, by: Self.direction(encoder(images).vector) * inverse)
    }
}
