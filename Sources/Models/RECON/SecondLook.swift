// A second look at a bank of inputs, as sessions ask for it.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The class of one input as a second look sees it.
public struct PoseClass<Pose: RotationGroup>: Sendable {
    /// Numbers in the bank, the most alike first.
    public var members: [Int32]
    /// The members' poses in terms of the input's own ψ.
    public var poses: [Pose]
    /// Γ̂.
    public var centre: Pose

    /// The distribution of the input whose class this is.
    ///
    /// - Parameters:
    ///   - pose: the input's ψ.
    ///   - configuration: for law and rule; k, metric and centre are those of the class.
    func distribution(
        pose: Pose, configuration: RECONConfiguration
    ) -> PoseDistribution<Pose> {
        PoseDistribution(
            pose: pose, neighbours: poses, centre: centre, configuration: configuration)
    }
}

/// What has looked at a bank twice: classes of its inputs, and of others.
protocol SecondLook<Input, Pose>: Sendable {
    associatedtype Input: Sendable
    associatedtype Pose: RotationGroup

    /// The class of one of the bank's inputs.
    func classOfTraining(_ index: Int) -> PoseClass<Pose>
    /// The class of another input whose embedding and pose are known.
    func classOf(_ input: Input, _ found: ClassPoses<Pose>) throws -> PoseClass<Pose>
}

/// ``RefinedRECON`` on single pictures.
struct PictureSecondLook: SecondLook {
    let engine: RefinedRECON

    func classOfTraining(_ index: Int) -> PoseClass<Rotation2> { engine.classOfTraining(index) }

    func classOf(
        _ input: [Float], _ found: ClassPoses<Rotation2>
    ) throws -> PoseClass<Rotation2> {
        try engine.classes(
            of: found, images: GreyImages(side: PictureBackend.side, pixels: input, labels: [-1])
        )[0]
    }
}
