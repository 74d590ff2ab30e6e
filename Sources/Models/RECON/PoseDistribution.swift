// The symmetry distribution of one input.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What is known about the poses in which the data show one input.
public struct PoseDistribution<Pose: RotationGroup>: Sendable {
    /// The poses of its class, uncorrected.
    public let poses: [Pose]
    /// Γ̂, the pose of the natural reference; the identity where there is no centre.
    public let centre: Pose
    /// Concentration of the poses, 0…1.
    public let resultantLength: Double
    /// Whether the poses are spread over the whole group, so that there is no centre.
    public let isFullRotation: Bool
    /// p·Γ̂⁻¹: the class's poses about its natural one.
    public let centred: [Pose]
    /// Fitted to the centred poses.
    public let law: FittedLaw
    /// ĝ = ψ(x)·Γ̂⁻¹: how far the input itself is turned from its natural pose.
    public let pose: Pose
    /// Above 0: the pose is not among those that the data hold.
    public let outOfDistributionScore: Double

    /// Half-width, deviation or order; see ``FittedLaw/level``.
    public var level: Double { isFullRotation ? 180 : law.level }
    public var isOutOfDistribution: Bool { outOfDistributionScore > 0 }

    /// Finds centre, law and score from the poses of an input's class.
    ///
    /// The unknown pose of the natural reference stands on the right of every pose of the class
    /// (ψ(g·γ) = g·ψ(γ)), so it is removed on the right.
    /// - Parameters:
    ///   - pose: ψ of the input.
    ///   - neighbours: ψ of its class.
    /// - Precondition: at least one neighbour.
    public init(pose: Pose, neighbours: [Pose], configuration: RECONConfiguration) {
        let resultant = Pose.resultantLength(of: neighbours)
        let isFull = Self.isFullRotation(resultant, configuration)
        let centre: Pose =
            switch isFull ? SymmetryMean.none : configuration.centre {
            case .none: .identity
            case .frechet: Pose.frechetMean(of: neighbours)
            case .tukey(let scale): Pose.tukeyMean(of: neighbours, scale: scale)
            }
        self.init(
            pose: pose, neighbours: neighbours, centre: centre, resultantLength: resultant,
            isFullRotation: isFull, configuration: configuration)
    }

    /// The same about a centre that was found elsewhere; it stays even where the poses are spread
    /// over the whole group.
    init(pose: Pose, neighbours: [Pose], centre: Pose, configuration: RECONConfiguration) {
        let resultant = Pose.resultantLength(of: neighbours)
        self.init(
            pose: pose, neighbours: neighbours, centre: centre, resultantLength: resultant,
            isFullRotation: Self.isFullRotation(resultant, configuration),
            configuration: configuration)
    }

    private static func isFullRotation(
        _ resultant: Double, _ configuration: RECONConfiguration
    ) -> Bool {
        let needsCentre =
            configuration.family == .uniform || configuration.family == .gaussian
        return configuration.centre != .none && needsCentre
            && resultant < configuration.leastResultant
    }

    private init(
        pose: Pose, neighbours: [Pose], centre: Pose, resultantLength: Double,
        isFullRotation: Bool, configuration: RECONConfiguration
    ) {
        poses = neighbours
        self.centre = centre
        self.resultantLength = resultantLength
        self.isFullRotation = isFullRotation
        let back = centre.inverse
        centred = neighbours.map { $0 * back }
        self.pose = pose * back
        law =
            isFullRotation
            ? .uniform(halfWidth: 180) : FittedLaw(fitting: centred, configuration: configuration)
        outOfDistributionScore = configuration.rule.score(
            self.pose, neighbours: centred, law: self.law)
    }
}

extension FittedLaw {
    /// The law of a configuration's family for poses about their centre.
    ///
    /// A normal law in space has its deviation in each of the three coordinates of the rotation
    /// vector: the root mean square angle over √3.
    public init<Pose: RotationGroup>(fitting poses: [Pose], configuration: RECONConfiguration) {
        if Pose.dimension == 3, configuration.family == .gaussian {
            let squares = poses.reduce(0) { $0 + $1.angle * $1.angle }
            let mean = squares / Double(max(1, poses.count))
            self = .gaussian(deviation: (mean / 3).squareRoot())
            return
        }
        self.init(
            configuration.family, poses: poses.map(\.coordinate),
            estimator: configuration.estimator, bandwidth: configuration.bandwidth)
    }
}
