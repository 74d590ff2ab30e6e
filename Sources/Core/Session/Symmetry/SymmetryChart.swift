// A distribution made ready to be drawn and exported. SPDX-License-Identifier: Apache-2.0

/// The histogram of a distribution with the fitted and the true law over the same bins.
///
/// Panes, commands and exports draw and write this one thing, so that they agree.
public struct SymmetryChart: Sendable, Equatable {
    /// One law over the bins.
    public struct Curve: Sendable, Equatable {
        public var name: String
        /// Expected share of each bin, 0…1.
        public var shares: [Double]

        public init(_ name: String, _ shares: [Double]) {
            self.name = name
            self.shares = shares
        }
    }

    /// An angle worth marking.
    public struct Mark: Sendable, Equatable {
        public var name: String
        public var degrees: Double

        public init(_ name: String, _ degrees: Double) {
            self.name = name
            self.degrees = degrees
        }
    }

    public var histogram: AngularHistogram
    /// The fitted law, nil where none was fitted.
    public var fitted: Curve?
    /// The law of the construction, nil where unknown.
    public var truth: Curve?
    /// Centre and ± level.
    public var marks: [Mark]

    /// Makes the chart of a distribution.
    ///
    /// - Parameters:
    ///   - corrected: corrected poses, with the laws around 0; else raw poses, with the laws around
    ///     the centre.
    ///   - bins: at least 1.
    public init(_ distribution: SymmetryDistribution, corrected: Bool, bins: Int) {
        let poses = corrected ? distribution.corrected : distribution.raw
        let fit = distribution.fit
        histogram = AngularHistogram(poses, group: distribution.group, bins: bins)
        let isPlane = distribution.group == .so2
        let center = corrected || !isPlane ? 0 : fit.center?.degrees ?? 0
        let isComparable = corrected || isPlane
        marks = []
        if isComparable, !distribution.inputs.isEmpty {
            fitted = Curve(
                "fit: " + fit.law.familyTitle,
                histogram.expectedShares(of: fit.law, center: center))
            if let law = distribution.truth {
                truth = Curve(
                    "truth: " + law.familyTitle, histogram.expectedShares(of: law, center: center))
            }
            if isPlane, fit.center != nil { marks.append(Mark("centre", center)) }
            if fit.level > 0, fit.level < 180 {
                marks.append(Mark("+level", SymmetryPose.wrap(center + fit.level)))
                if isPlane { marks.append(Mark("−level", SymmetryPose.wrap(center - fit.level))) }
            }
        }
    }

    /// The largest share of a bin or curve.
    public var peak: Double {
        let bars = histogram.counts.indices.map { histogram.share(of: $0) }
        return (bars + (fitted?.shares ?? []) + (truth?.shares ?? [])).max() ?? 0
    }
}
