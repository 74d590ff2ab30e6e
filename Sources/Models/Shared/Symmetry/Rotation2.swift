// Rotations of the plane.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An element of SO(2), as an angle in (−180°, 180°]; counter-clockwise as seen on screen.
public struct Rotation2: RotationGroup {
    /// The angle in degrees.
    public let degrees: Double

    /// - Parameter degrees: any finite angle.
    public init(degrees: Double) { self.degrees = Self.wrap(degrees) }

    public static let identity = Rotation2(degrees: 0)
    public static let dimension = 1

    /// The angle in (−180°, 180°] that differs by whole turns.
    public static func wrap(_ degrees: Double) -> Double {
        let turned = degrees - 360 * (degrees / 360).rounded()
        return turned <= -180 ? turned + 360 : turned
    }

    public static func * (g: Rotation2, h: Rotation2) -> Rotation2 {
        Rotation2(degrees: g.degrees + h.degrees)
    }

    public var inverse: Rotation2 { Rotation2(degrees: -degrees) }
    public var angle: Double { abs(degrees) }
    public var coordinate: Double { degrees }

    public func distance(to other: Rotation2) -> Double {
        abs(Self.wrap(other.degrees - degrees))
    }

    /// The exact Fréchet mean on the circle.
    ///
    /// With the angles sorted in [0°, 360°), every local minimum is the mean of the angles after the
    /// first j were moved by a whole turn; the costs of all k follow from prefix sums.
    /// - Complexity: O(k log k).
    ///
    /// Source: Hotz, Huckemann, "Intrinsic means on the circle", Ann. Inst. Statist. Math. 67, 2015.
    public static func frechetMean(of poses: [Rotation2]) -> Rotation2 {
        precondition(!poses.isEmpty, "the mean of no poses")
        let angles = poses.map { $0.degrees < 0 ? $0.degrees + 360 : $0.degrees }.sorted()
        let k = Double(angles.count)
        let sum = angles.reduce(0, +)
        let squares = angles.reduce(0) { $0 + $1 * $1 }
        var best = (mean: 0.0, cost: Double.infinity)
        var prefix = 0.0
        for j in angles.indices {
            let moved = Double(j)
            let mean = (sum + 360 * moved) / k
            let cost = squares + 720 * prefix + 129_600 * moved - k * mean * mean
            if cost < best.cost { best = (mean, cost) }
            prefix += angles[j]
        }
        return Rotation2(degrees: best.mean)
    }

    public func step(
        towards poses: [Rotation2], weights: [Double]
    ) -> (mean: Rotation2, length: Double) {
        var sum = 0.0
        var total = 0.0
        for (pose, weight) in zip(poses, weights) where weight > 0 {
            sum += weight * Self.wrap(pose.degrees - degrees)
            total += weight
        }
        guard total > 0 else { return (self, 0) }
        return (Rotation2(degrees: degrees + sum / total), abs(sum / total))
    }

    /// |mean of e^{iθ}|.
    public static func resultantLength(of poses: [Rotation2]) -> Double {
        var (c, s) = (0.0, 0.0)
        for pose in poses {
            c += cos(pose.degrees * .pi / 180)
            s += sin(pose.degrees * .pi / 180)
        }
        return (c * c + s * s).squareRoot() / Double(max(1, poses.count))
    }
}
