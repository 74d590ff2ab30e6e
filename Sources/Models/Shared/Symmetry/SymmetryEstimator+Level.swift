// From neighbours' poses to one number: how much an input is rotated in the data.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Levels from the poses of an input's neighbours.
///
/// All estimators but `gaussian` and `cyclic` look at t = |pose|, with mean m and unbiased deviation s;
/// an outlier is t > m + 2s. `…Outliers` leave outliers out; as in the published code, values of
/// exactly 0 go with them (`gaussianHalfNormalOutliers` sets outliers to 0 instead).
///
/// The published code takes absolute values for `gaussian` and `cyclic` as well, which halves the
/// deviation of a uniform law; that is not repeated here.
///
/// Source: ssl-sym's published code.
extension SymmetryEstimator {
    /// The law that the level is a parameter of.
    public var family: SymmetryFamily {
        switch self {
        case .mle, .mleOutliers, .moments, .momentsOutliers: .uniform
        case .gaussianHalfNormal, .gaussianHalfNormalOutliers, .gaussian: .gaussian
        case .cyclic: .cyclic
        }
    }

    /// The level of signed poses in degrees; for `cyclic` the order n.
    ///
    /// - Parameter poses: angles about the centre, in degrees; 0 for none.
    public func level(of poses: [Double]) -> Double {
        guard !poses.isEmpty else { return 0 }
        switch self {
        case .gaussian: return Self.deviation(poses)
        case .cyclic: return Double(CyclicTemplates.order(of: poses))
        default: return folded(poses.map { abs($0) })
        }
    }

    private func folded(_ t: [Double]) -> Double {
        let limit = Self.mean(t) + 2 * Self.deviation(t)
        // Zeros fall out with the outliers: they are how the published code marks them.
        let kept = t.filter { $0 <= limit && $0 != 0 }
        let halfNormal = (1 - 2 / Double.pi).squareRoot()
        switch self {
        case .mle: return t.max() ?? 0
        case .mleOutliers: return kept.max() ?? 0
        case .moments: return 2 * Self.mean(t)
        case .momentsOutliers: return 2 * Self.mean(kept)
        case .gaussianHalfNormal: return Self.deviation(t) / halfNormal
        case .gaussianHalfNormalOutliers:
            return Self.deviation(t.map { $0 > limit ? 0 : $0 }) / halfNormal
        case .gaussian, .cyclic: return 0
        }
    }

    static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    /// The unbiased standard deviation; 0 for fewer than two values.
    static func deviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return 0 }
        let m = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - m) * ($1 - m) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}

/// Histograms of the cyclic groups C₁…C₈ on 360 bins of one degree.
enum CyclicTemplates {
    static let orders = 1...8
    private static let floor = 1e-10

    /// The order whose template is closest in KL(histogram ‖ template); the smallest on ties.
    ///
    /// - Parameter poses: signed angles in degrees.
    static func order(of poses: [Double]) -> Int {
        let histogram = Self.histogram(poses)
        var best = (order: 1, divergence: Double.infinity)
        for order in orders {
            let template = Self.template(order)
            var divergence = 0.0
            for bin in 0..<360 where histogram[bin] > 0 {
                let h = histogram[bin] + floor
                divergence += h * log(h / (template[bin] + floor))
            }
            if divergence < best.divergence - 1e-12 { best = (order, divergence) }
        }
        return best.order
    }

    /// Shares per degree over [−180°, 180°]; 180° counts in the last bin.
    static func histogram(_ poses: [Double]) -> [Double] {
        var bins = [Double](repeating: 0, count: 360)
        for pose in poses {
            let bin = Int((pose + 180).rounded(.down))
            bins[min(359, max(0, bin))] += 1 / Double(poses.count)
        }
        return bins
    }

    /// 1/n in the bin of every element; the element 180° is split between both ends.
    static func template(_ order: Int) -> [Double] {
        var bins = [Double](repeating: 0, count: 360)
        let share = 1 / Double(order)
        for j in 0..<order {
            let angle = 360 * Double(j) / Double(order)
            if angle == 180 {
                bins[0] += share / 2
                bins[359] += share / 2
            } else {
                let wrapped = angle > 180 ? angle - 360 : angle
                // 1e-9 keeps −60 of 300 from falling to −61 by rounding.
                bins[Int((wrapped + 180 + 1e-9).rounded(.down))] += share
            }
        }
        return bins
    }
}
