// Between the engine's rotations and those that panes and commands exchange.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A rotation group that can be shown.
public protocol ShownPose: RotationGroup {
    static var group: SymmetryGroup { get }
    /// As panes and commands take it.
    var shown: SymmetryPose { get }
    /// nil for a pose of another group.
    init?(_ shown: SymmetryPose)
}

extension Rotation2: ShownPose {
    public static let group = SymmetryGroup.so2
    public var shown: SymmetryPose { .angle(degrees) }

    public init?(_ shown: SymmetryPose) {
        guard case .angle(let degrees) = shown else { return nil }
        self.init(degrees: degrees)
    }
}

extension Rotation3: ShownPose {
    public static let group = SymmetryGroup.so3
    public var shown: SymmetryPose {
        let columns = inverse.rows
        return .rotation(SpaceRotation(columns.0, columns.1, columns.2))
    }

    public init?(_ shown: SymmetryPose) {
        guard case .rotation(let r) = shown else { return nil }
        self = Rotation3(r.columns[0], r.columns[1], r.columns[2]).inverse
    }
}

extension FittedLaw {
    /// As panes and commands draw it.
    func shown(_ group: SymmetryGroup) -> SymmetryLaw {
        switch self {
        case .uniform(let halfWidth): return .uniform(halfWidth: halfWidth)
        case .gaussian(let deviation): return .gaussian(sigma: deviation)
        case .cyclic(let order): return .cyclic(order: order)
        case .empirical(let density):
            var values: [Double]
            switch group {
            case .so2: values = (-180..<180).map { density(Double($0)) }
            case .so3:
                // Angles have two ends: kernels are folded back at 0 and 180.
                values = (0..<180).map { angle in
                    density.poses.reduce(0) { sum, pose in
                        sum
                            + [pose, -pose, 360 - pose].reduce(0) {
                                let z = (Double(angle) - $1) / density.bandwidth
                                return $0 + exp(-0.5 * z * z)
                            }
                    }
                }
            }
            let total = values.reduce(0, +)
            if total > 0 { for i in values.indices { values[i] /= total } }
            return .empirical(density: values, bandwidth: density.bandwidth)
        }
    }
}

extension RECONConfiguration {
    /// The settings that panes and commands choose.
    ///
    /// - Throws: ``ConfigurationError``.
    public init(_ settings: SymmetrySettings) throws(ConfigurationError) {
        self.init(
            neighbours: settings.neighbours,
            metric: settings.metric == .euclidean ? .euclidean : .cosine,
            subtractsMean: settings.metric == .centeredCosine,
            neighbourhood: settings.neighbourhood, centre: settings.mean, family: settings.family,
            estimator: settings.estimator, bandwidth: settings.bandwidth)
        switch settings.outside {
        case .support: rule = .level(margin: 0)
        case .density(let quantile): rule = .density(quantile: quantile)
        }
        try validate()
    }
}
