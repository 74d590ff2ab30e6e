// Whether a pose lies outside what the data hold.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// When a pose counts as outside what the data hold.
public enum OutOfDistributionRule: Sendable, Equatable {
    /// |ĝ| above the level (cyclic: farther than 5° from every element), plus a margin in degrees.
    case level(margin: Double)
    /// Farther from the nearest neighbour's pose than all but this share of them are from theirs.
    case support(quantile: Double)
    /// Log density below this quantile of the neighbours' own.
    case density(quantile: Double)

    public static let standard = OutOfDistributionRule.level(margin: 0)

    /// How far a centred pose lies outside: degrees, or nats for the density rule; above 0 is out of
    /// distribution.
    ///
    /// - Parameters:
    ///   - pose: ĝ, the pose about the centre.
    ///   - neighbours: the centred poses.
    ///   - law: fitted to them.
    public func score<Pose: RotationGroup>(
        _ pose: Pose, neighbours: [Pose], law: FittedLaw
    ) -> Double {
        switch self {
        case .level(let margin):
            let g = pose.coordinate
            if case .cyclic(let order) = law {
                let step = 360 / Double(order)
                return abs(g - step * (g / step).rounded()) - 5 - margin
            }
            return abs(g) - law.level - margin
        case .support(let quantile):
            let own = neighbours.indices.map { i in
                neighbours.indices.lazy.filter { $0 != i }
                    .map { neighbours[i].distance(to: neighbours[$0]) }.min() ?? 180
            }
            let nearest = neighbours.map { pose.distance(to: $0) }.min() ?? 180
            return nearest - Self.quantile(own, 1 - quantile)
        case .density(let quantile):
            var bandwidth = CircularDensity.bandwidth(for: neighbours.map(\.coordinate))
            if case .empirical(let density) = law { bandwidth = density.bandwidth }
            // Only differences of log densities count, so the kernel's volume does not matter.
            func kernel(_ d: Double) -> Double { exp(-0.5 * (d / bandwidth) * (d / bandwidth)) }
            func logMean(_ sum: Double, _ count: Int) -> Double {
                log(max(sum / Double(max(1, count)), 1e-300))
            }
            let own = neighbours.map { member in
                let sum = neighbours.reduce(0) { $0 + kernel(member.distance(to: $1)) }
                return logMean(sum - 1, neighbours.count - 1)
            }
            let sum = neighbours.reduce(0) { $0 + kernel(pose.distance(to: $1)) }
            return Self.quantile(own, quantile) - logMean(sum, neighbours.count)
        }
    }

    /// The value below which a share of the values lies, linearly between neighbours.
    static func quantile(_ values: [Double], _ share: Double) -> Double {
        guard let first = values.first else { return 0 }
        if values.count == 1 { return first }
        let sorted = values.sorted()
        let place = min(1, max(0, share)) * Double(sorted.count - 1)
        let low = min(sorted.count - 2, Int(place))
        return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
    }
}
