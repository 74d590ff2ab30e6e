// Densities on the circle.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A kernel density estimate on the circle with wrapped normal kernels.
public struct CircularDensity: Sendable, Equatable {
    /// The poses it was made of, in degrees.
    public let poses: [Double]
    /// Standard deviation of a kernel in degrees.
    public let bandwidth: Double

    /// - Parameters:
    ///   - poses: angles in degrees.
    ///   - bandwidth: in degrees; ``bandwidth(for:)`` when nil.
    public init(poses: [Double], bandwidth: Double? = nil) {
        self.poses = poses
        self.bandwidth = max(0.1, bandwidth ?? Self.bandwidth(for: poses))
    }

    /// Silverman's rule with the smaller of deviation and scaled median distance, held in 2…30°.
    ///
    /// Distances are taken from the Fréchet mean; several narrow modes are smoothed too much by it,
    /// which is why it can be set.
    public static func bandwidth(for poses: [Double]) -> Double {
        guard poses.count > 1 else { return 2 }
        let rotations = poses.map { Rotation2(degrees: $0) }
        let centre = Rotation2.frechetMean(of: rotations)
        let distances = rotations.map { centre.distance(to: $0) }.sorted()
        let square = distances.reduce(0) { $0 + $1 * $1 } / Double(distances.count - 1)
        let spread = min(square.squareRoot(), 1.4826 * distances[distances.count / 2])
        return min(30, max(2, 0.9 * spread * pow(Double(poses.count), -0.2)))
    }

    /// The density per degree at an angle.
    public func callAsFunction(_ degrees: Double) -> Double {
        guard !poses.isEmpty else { return 1 / 360 }
        return poses.reduce(0) { $0 + kernel(degrees - $1) } / Double(poses.count)
    }

    /// The log density at each of its own poses when that pose is left out.
    func leaveOneOutLogs() -> [Double] {
        guard poses.count > 1 else { return [] }
        let own = kernel(0)
        return poses.map { pose in
            let sum = poses.reduce(0) { $0 + kernel(pose - $1) } - own
            return Foundation.log(max(sum / Double(poses.count - 1), 1e-300))
        }
    }

    private func kernel(_ difference: Double) -> Double {
        let d = Rotation2.wrap(difference)
        let scale = 1 / (bandwidth * (2 * Double.pi).squareRoot())
        var sum = 0.0
        // Narrow kernels need no further turns; a wide one is the uniform law long before five.
        let turns = bandwidth < 30 ? 1 : 5
        for turn in (-turns...turns).map({ 360 * Double($0) }) {
            let z = (d + turn) / bandwidth
            sum += exp(-0.5 * z * z)
        }
        return sum * scale
    }
}
