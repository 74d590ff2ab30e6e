// Laws of the rotation angle fitted to poses.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A fitted law of the rotation angle, in degrees about the natural pose.
public enum FittedLaw: Sendable, Equatable {
    case uniform(halfWidth: Double)
    case gaussian(deviation: Double)
    case cyclic(order: Int)
    case empirical(CircularDensity)

    /// Fits a member of a family.
    ///
    /// - Parameters:
    ///   - poses: centred poses in degrees.
    ///   - estimator: for the uniform and Gaussian families; that of the family's default when it
    ///     belongs to another family.
    ///   - bandwidth: of the empirical law, in degrees; by rule when nil.
    public init(
        _ family: SymmetryFamily, poses: [Double],
        estimator: SymmetryEstimator = .momentsOutliers, bandwidth: Double? = nil
    ) {
        switch family {
        case .uniform:
            let chosen = estimator.family == .uniform ? estimator : .momentsOutliers
            self = .uniform(halfWidth: min(180, chosen.level(of: poses)))
        case .gaussian:
            let chosen = estimator.family == .gaussian ? estimator : .gaussian
            self = .gaussian(deviation: chosen.level(of: poses))
        case .cyclic: self = .cyclic(order: CyclicTemplates.order(of: poses))
        case .empirical:
            self = .empirical(CircularDensity(poses: poses, bandwidth: bandwidth))
        }
    }

    /// The family it belongs to.
    public var family: SymmetryFamily {
        switch self {
        case .uniform: .uniform
        case .gaussian: .gaussian
        case .cyclic: .cyclic
        case .empirical: .empirical
        }
    }

    /// Its parameter: half-width or deviation in degrees, or order; for an empirical law twice the
    /// mean |pose|, the half-width of the uniform law with the same first moment.
    public var level: Double {
        switch self {
        case .uniform(let halfWidth): halfWidth
        case .gaussian(let deviation): deviation
        case .cyclic(let order): Double(order)
        case .empirical(let density):
            min(180, 2 * SymmetryEstimator.mean(density.poses.map { abs(Rotation2.wrap($0)) }))
        }
    }

    /// The density per degree; atoms of a cyclic law are drawn as normal peaks of 3°.
    public func density(at degrees: Double) -> Double {
        let d = Rotation2.wrap(degrees)
        switch self {
        case .uniform(let a):
            return abs(d) <= max(a, 0.5) ? 1 / (2 * max(a, 0.5)) : 0
        case .gaussian(let deviation):
            return CircularDensity(poses: [0], bandwidth: max(0.5, deviation))(d)
        case .cyclic(let order):
            let atoms = (0..<order).map { 360 * Double($0) / Double(order) }
            return CircularDensity(poses: atoms, bandwidth: 3)(d)
        case .empirical(let density): return density(d)
        }
    }
}
