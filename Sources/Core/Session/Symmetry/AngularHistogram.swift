// Poses counted by angle. SPDX-License-Identifier: Apache-2.0

/// How many poses fall into each bin of the angle: −180…180 degrees for SO(2), 0…180 for SO(3).
///
/// Bins are half-open, `[start, end)`; the last one of SO(3) holds 180 too, and 180 of SO(2) is the
/// same rotation as −180 and falls into the first.
public struct AngularHistogram: Sendable, Equatable {
    public let group: SymmetryGroup
    public private(set) var counts: [Int]
    /// Poses counted.
    public let total: Int

    /// Counts poses.
    ///
    /// - Parameters:
    ///   - poses: of `group`; their ``SymmetryPose/degrees``.
    ///   - bins: at least 1. An odd number on SO(2) centres the middle bin on 0.
    public init(_ poses: [SymmetryPose], group: SymmetryGroup, bins: Int) {
        precondition(bins > 0, "AngularHistogram: \(bins) bins")
        self.group = group
        counts = [Int](repeating: 0, count: bins)
        total = poses.count
        for pose in poses {
            let degrees = pose.degrees
            if degrees.isFinite { counts[bin(containing: degrees)] += 1 }
        }
    }

    /// The smallest angle, in degrees.
    public var start: Double { group == .so2 ? -180 : 0 }
    /// Degrees a bin is wide.
    public var width: Double { (180 - start) / Double(counts.count) }

    /// The bin of an angle; angles outside of the axis are wrapped (SO(2)) or clamped (SO(3)).
    public func bin(containing degrees: Double) -> Int {
        let angle = group == .so2 ? SymmetryPose.wrap(degrees) : degrees
        let index = Int(((angle - start) / width).rounded(.down))
        if group == .so2 { return index >= counts.count ? 0 : max(0, index) }
        return max(0, min(counts.count - 1, index))
    }

    /// The angles of a bin.
    public func bounds(of bin: Int) -> ClosedRange<Double> {
        let low = start + Double(bin) * width
        return low...(low + width)
    }

    /// The share of all poses in a bin, 0…1.
    public func share(of bin: Int) -> Double {
        total > 0 ? Double(counts[bin]) / Double(total) : 0
    }

    /// The share of poses that a law puts into each bin.
    ///
    /// - Parameter center: on SO(2), what the law is turned by; ignored on SO(3).
    public func expectedShares(of law: SymmetryLaw, center: Double = 0) -> [Double] {
        var shares = counts.indices.map { bin -> Double in
            // Midpoints half a degree apart follow every law closely at any width of the bins.
            let points = max(8, Int((2 * width).rounded(.up)))
            let step = width / Double(points)
            let low = bounds(of: bin).lowerBound
            return (0..<points).reduce(0) { sum, i in
                let angle = low + (Double(i) + 0.5) * step
                let density =
                    group == .so2
                    ? law.density(atAngle: SymmetryPose.wrap(angle - center))
                    : law.density(atRotationAngle: angle)
                return sum + density * step
            }
        }
        if group == .so2 {
            for mass in law.masses {
                shares[bin(containing: mass.degrees + center)] += mass.probability
            }
        } else if law == .none {
            shares[0] += 1
        }
        return shares
    }
}
