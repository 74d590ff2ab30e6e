// What the session engine needs of a kind of input: pictures, or points in space.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One kind of input with the network that embeds it.
protocol SymmetryBackend: Sendable {
    associatedtype Input: Sendable
    associatedtype Pose: ShownPose

    /// Whether inputs may come from an image model.
    var takesPictures: Bool { get }
    /// Embeddings and poses.
    func classPoses(of inputs: [Input], cancellation: Cancellation) throws -> ClassPoses<Pose>
    /// Whether inputs can be laid over each other for a second look.
    var looksTwice: Bool { get }
    /// A second look at a bank; nil where ``looksTwice`` is false.
    func secondLook(
        at bank: [Input], _ found: ClassPoses<Pose>, configuration: RECONConfiguration,
        cancellation: Cancellation
    ) throws -> (any SecondLook<Input, Pose>)?
    /// ρ(g)·x.
    func rotated(_ input: Input, by pose: Pose) -> Input
    /// δ(η(x)); nil where the network has no decoder.
    func canonical(of input: Input) throws -> Input?
    /// What it looks like.
    func shape(of input: Input, label: Int?) -> SymmetryShape
    /// A picture brought to the network's size and colours.
    func input(of picture: RGBImage) -> Input?
    /// The answers of amortised networks for one input: level in degrees and centre; nil where the
    /// model has none.
    func amortised(_ input: Input) throws -> (level: Double?, centre: Pose?)?
}

extension SymmetryBackend {
    var looksTwice: Bool { false }

    func secondLook(
        at bank: [Input], _ found: ClassPoses<Pose>, configuration: RECONConfiguration,
        cancellation: Cancellation
    ) throws -> (any SecondLook<Input, Pose>)? { nil }
}

/// Inputs with what is known of them; labels and truth are for reports.
struct SymmetryInputs<Input: Sendable, Pose: ShownPose>: Sendable {
    var title: String
    var inputs: [Input]
    var names: [String]
    var labels: [Int]
    var labelNames: [String]
    /// What each was turned by about its natural pose, where the construction is known.
    var truth: [Pose]?
    /// The law of every label, where it is known.
    var laws: [SymmetryLaw] = []
    /// What is added to the law of every label.
    var offsets: [Pose] = []
}
