// What the symmetry engine asks of a network.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What a class-pose network finds in a set of inputs.
public struct ClassPoses<Pose: RotationGroup>: Sendable {
    /// Invariant embeddings η [N, E].
    public var embeddings: FeatureMatrix
    /// Equivariant poses ψ.
    public var poses: [Pose]
    /// Inputs whose pose vector vanished: their pose reads as the identity and means nothing.
    public var deadVectors: Int

    public init(embeddings: FeatureMatrix, poses: [Pose], deadVectors: Int = 0) {
        precondition(
            embeddings.count == poses.count,
            "\(embeddings.count) embeddings and \(poses.count) poses")
        self.embeddings = embeddings
        self.poses = poses
        self.deadVectors = deadVectors
    }

    /// Inputs, N.
    public var count: Int { poses.count }

    /// Some of the inputs.
    public func rows(_ range: Range<Int>) -> ClassPoses {
        ClassPoses(embeddings: embeddings.rows(range), poses: Array(poses[range]))
    }

    /// Appends more inputs.
    public mutating func append(_ other: ClassPoses) {
        embeddings.append(other.embeddings)
        poses += other.poses
        deadVectors += other.deadVectors
    }
}

/// A decomposition of inputs into an invariant class and an equivariant pose:
/// η(g·x) = η(x) and ψ(g·x) = g·ψ(x).
public protocol ClassPoseModel: AnyObject, Sendable {
    associatedtype Input: Sendable
    associatedtype Pose: RotationGroup

    /// Embeds inputs in evaluation mode.
    ///
    /// - Throws: `CancellationError`, and errors of the inputs.
    func classPoses(of inputs: [Input], cancellation: Cancellation) throws -> ClassPoses<Pose>
}
