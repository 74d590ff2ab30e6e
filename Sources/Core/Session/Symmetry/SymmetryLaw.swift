// The families of symmetry distributions and their densities.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A distribution of poses around the identity: fitted to poses, or the one the data was made by.
public enum SymmetryLaw: Sendable, Equatable {
    /// No rotation at all.
    case none
    /// Uniform over −halfWidth…halfWidth degrees; 180 is the full circle.
    case uniform(halfWidth: Double)
    /// Normal with a standard deviation in degrees, wrapped on the circle; on SO(3) the rotation
    /// vector is normal with that deviation in each of its three coordinates.
    case gaussian(sigma: Double)
    /// Uniform over the n rotations of the cyclic group, n ≥ 1.
    case cyclic(order: Int)
    /// Density by degree on −180, −179, …, 179 (SO(2)) or 0, 1, …, 179 (SO(3)), by kernels of the
    /// bandwidth in degrees; sums to 1.
    case empirical(density: [Double], bandwidth: Double)
    /// On SO(3): uniform over −halfWidth…halfWidth degrees about one fixed axis.
    case axial(axis: SIMD3<Double>, halfWidth: Double)
    /// On SO(3): every rotation alike.
    case haar

    /// The symmetry level in degrees: the half-width, the standard deviation, 360/n for a cyclic
    /// group (0 for n = 1), 180 for all rotations; nil for an empirical law.
    public var level: Double? {
        switch self {
        case .none: 0
        case .uniform(let halfWidth), .axial(_, let halfWidth): halfWidth
        case .gaussian(let sigma): sigma
        case .cyclic(let order): order > 1 ? 360 / Double(order) : 0
        case .empirical: nil
        case .haar: 180
        }
    }

    /// The probability per degree of a signed angle on SO(2).
    ///
    /// Laws made of single angles (none, cyclic) have no density: their masses stand in
    /// ``masses``, and this is 0 everywhere. The same holds for laws of SO(3).
    ///
    /// - Parameter degrees: −180…180.
    public func density(atAngle degrees: Double) -> Double {
        switch self {
        case .none, .cyclic, .axial, .haar: return 0
        case .uniform(let halfWidth):
            guard halfWidth > 0 else { return 0 }
            let h = min(180, halfWidth)
            return abs(degrees) <= h ? 1 / (2 * h) : 0
        case .gaussian(let sigma):
            guard sigma > 0 else { return 0 }
            // Wraps beyond five deviations carry less than 1e-6.
            let turns = Int((5 * sigma / 360).rounded(.up))
            let scale = 1 / (sigma * (2 * Double.pi).squareRoot())
            return (-turns...turns).reduce(0) { sum, turn in
                let z = (degrees + 360 * Double(turn)) / sigma
                return sum + scale * exp(-z * z / 2)
            }
        case .empirical(let density, _):
            return Self.interpolated(density, at: degrees + 180, wraps: true)
        }
    }

    /// The probability per degree of the rotation angle on SO(3).
    ///
    /// - `uniform`: the angle alone is uniform over 0…halfWidth, whatever the axis.
    /// - `gaussian`: Maxwell's density of the length of a normal vector, cut off at 180 degrees.
    /// - `haar`: (1 − cos a)/π.
    ///
    /// - Parameter degrees: 0…180.
    public func density(atRotationAngle degrees: Double) -> Double {
        guard (0...180).contains(degrees) else { return 0 }
        switch self {
        case .none, .cyclic: return 0
        case .uniform(let halfWidth), .axial(_, let halfWidth):
            return halfWidth > 0 && degrees <= halfWidth ? 1 / min(180, halfWidth) : 0
        case .gaussian(let sigma):
            guard sigma > 0 else { return 0 }
            let z = degrees / sigma
            return (2 / Double.pi).squareRoot() * z * z * exp(-z * z / 2) / sigma
        case .haar: return (1 - cos(degrees * .pi / 180)) / 180
        case .empirical(let density, _):
            return Self.interpolated(density, at: degrees, wraps: false)
        }
    }

    /// The single angles that a law of SO(2) is made of, with their probabilities.
    public var masses: [(degrees: Double, probability: Double)] {
        switch self {
        case .none: return [(0, 1)]
        case .uniform(let halfWidth) where halfWidth <= 0: return [(0, 1)]
        case .gaussian(let sigma) where sigma <= 0: return [(0, 1)]
        case .cyclic(let order):
            let n = max(1, order)
            return (0..<n).map {
                (SymmetryPose.wrap(360 * Double($0) / Double(n)), 1 / Double(n))
            }
        case .uniform, .gaussian, .empirical, .axial, .haar: return []
        }
    }

    /// The family's name as panes and reports show it.
    public var familyTitle: String {
        switch self {
        case .none: "none"
        case .uniform: "uniform"
        case .gaussian: "normal"
        case .cyclic: "cyclic"
        case .empirical: "empirical"
        case .axial: "axial"
        case .haar: "uniform on SO(3)"
        }
    }

    private static func interpolated(_ values: [Double], at x: Double, wraps: Bool) -> Double {
        guard let last = values.last else { return 0 }
        let low = Int(x.rounded(.down))
        let t = x - Double(low)
        func value(_ i: Int) -> Double {
            if wraps { return values[((i % values.count) + values.count) % values.count] }
            return i < 0 ? values[0] : i < values.count ? values[i] : last
        }
        return (1 - t) * value(low) + t * value(low + 1)
    }
}
