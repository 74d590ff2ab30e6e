// Embeddings and poses of many pictures, and how equivariant they are.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Pose vectors v as they come from an encoder.
enum PoseVectors {
    /// Shorter vectors have no direction: their pose would read as 0° and look deceptively small.
    static let deadLength: Float = 1e-6

    /// How many of [B, 2] vanish.
    static func dead(_ vectors: Tensor) -> Int {
        let values = vectors.floats()
        return (0..<(values.count / 2)).reduce(0) { count, i in
            let (x, y) = (values[2 * i], values[2 * i + 1])
            return count + ((x * x + y * y).squareRoot() < deadLength ? 1 : 0)
        }
    }
}

extension InvariantEquivariantAutoencoder {
    /// |ψ(rotated x) − ψ(x) − angle| in degrees for each picture, turned by a random angle.
    ///
    /// - Parameters:
    ///   - images: [B, 1, 28, 28].
    ///   - vectors: v of the pictures as they are.
    public func equivarianceErrors(_ images: Tensor, vectors: Tensor, seed: UInt64) -> [Double] {
        var generator = RandomGenerator(seed: seed, stream: 0x6571_7569)
        let angles = (0..<images.shape[0]).map { _ in 360 * generator.nextFloat() - 180 }
        let before = Self.degrees(vectors)
        let after = Self.degrees(encoder(rotated(images, degrees: angles)).vector)
        return angles.indices.map {
            abs(SymmetryPose.wrap(after[$0] - before[$0] - Double(angles[$0])))
        }
    }

    /// Embeddings and poses of all pictures of a set, in evaluation mode.
    ///
    /// - Throws: `CancellationError`.
    public func classPoses(
        of images: GreyImages, cancellation: Cancellation = Cancellation()
    ) throws -> ClassPoses<Rotation2> {
        var values: [Float] = []
        var poses: [Rotation2] = []
        var dead = 0
        for start in stride(from: 0, to: images.count, by: 512) {
            try cancellation.check()
            let found = withoutGradients {
                encoder(images.tensor(start..<min(start + 512, images.count)))
            }
            values += found.embedding.floats()
            poses += Self.degrees(found.vector).map { Rotation2(degrees: $0) }
            dead += PoseVectors.dead(found.vector)
        }
        return ClassPoses(
            embeddings: FeatureMatrix(
                width: configuration.encoder.embeddingWidth, values: values), poses: poses,
            deadVectors: dead)
    }
}

/// A picture is its pixels, row-major, 28×28.
extension InvariantEquivariantAutoencoder: ClassPoseModel {
    public func classPoses(
        of inputs: [[Float]], cancellation: Cancellation
    ) throws -> ClassPoses<Rotation2> {
        try classPoses(
            of: GreyImages(
                side: SteerableEncoder.side, pixels: inputs.flatMap { $0 },
                labels: [Int](repeating: -1, count: inputs.count)), cancellation: cancellation)
    }
}
