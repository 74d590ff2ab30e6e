// Means of poses that are believed as far as the data tell them from chance.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A centre and how certain it is.
struct ShrunkCentre {
    private let mean: Rotation2
    /// s²/k, in square degrees.
    private let uncertainty: Double

    /// - Precondition: at least one pose.
    init(_ poses: [Rotation2], mean kind: SymmetryMean) {
        let centre: Rotation2
        switch kind {
        case .none:
            mean = .identity
            uncertainty = 0
            return
        case .frechet: centre = Rotation2.frechetMean(of: poses)
        case .tukey(let scale): centre = Rotation2.tukeyMean(of: poses, scale: scale)
        }
        let squares = poses.reduce(0) { sum, pose in
            let d = centre.distance(to: pose)
            return sum + d * d
        }
        mean = centre
        uncertainty = squares / Double(max(1, poses.count * poses.count))
    }

    /// b²: the squared spread of centres about the identity, less their mean uncertainty. By the
    /// median, so that a few flipped neighbourhoods do not make every centre believed.
    static func variance(of centres: [ShrunkCentre]) -> Double {
        guard !centres.isEmpty else { return 0 }
        let angles = centres.map(\.mean.angle).sorted()
        let spread = 1.4826 * angles[angles.count / 2]
        let noise = centres.reduce(0) { $0 + $1.uncertainty } / Double(centres.count)
        return max(0, spread * spread - noise)
    }

    /// The mean moved towards the identity, by b²/(b² + s²/k).
    func shrunk(_ variance: Double) -> Rotation2 {
        guard variance > 0 else { return .identity }
        return Rotation2(degrees: mean.degrees * variance / (variance + uncertainty))
    }
}
