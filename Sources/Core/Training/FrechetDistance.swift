// The Fréchet distance between the Gaussians of two sets of features.
// SPDX-License-Identifier: Apache-2.0

/// Mean and covariance of feature vectors, in double precision.
public struct FeatureStatistics: Sendable, Equatable {
    /// D means.
    public let mean: [Double]
    /// D·D values, row-major; divided by N − 1.
    public let covariance: [Double]

    /// Statistics given by hand.
    ///
    /// - Precondition: a D×D covariance for D means.
    public init(mean: [Double], covariance: [Double]) {
        precondition(
            covariance.count == mean.count * mean.count,
            "\(covariance.count) covariances for \(mean.count) means")
        self.mean = mean
        self.covariance = covariance
    }

    /// Statistics of examples; the covariance of fewer than two is zero.
    public init(_ features: FeatureMatrix) {
        let (n, width) = (features.count, features.width)
        var mean = [Double](repeating: 0, count: width)
        var covariance = [Double](repeating: 0, count: width * width)
        features.values.withUnsafeBufferPointer { x in
            for row in 0..<n {
                for j in 0..<width { mean[j] += Double(x[row * width + j]) }
            }
            for j in 0..<width { mean[j] /= Double(max(1, n)) }
            var centred = [Double](repeating: 0, count: width)
            covariance.withUnsafeMutableBufferPointer { covariance in
                for row in 0..<n {
                    for j in 0..<width { centred[j] = Double(x[row * width + j]) - mean[j] }
                    for i in 0..<width {
                        for j in 0...i { covariance[i * width + j] += centred[i] * centred[j] }
                    }
                }
                let scale = 1 / Double(max(1, n - 1))
                for i in 0..<width {
                    for j in 0...i {
                        covariance[i * width + j] *= scale
                        covariance[j * width + i] = covariance[i * width + j]
                    }
                }
            }
        }
        self.mean = mean
        self.covariance = covariance
    }
}

/// The Fréchet (2-Wasserstein, squared) distance between two Gaussians.
///
///     d² = ‖μ₁ − μ₂‖² + tr(C₁) + tr(C₂) − 2·tr((C₁^½·C₂·C₁^½)^½)
///
/// In features of Inception-V3 this is FID; in features of any other network it is not, and must be
/// called otherwise (FD-cls for those of a classifier of our own).
///
/// Numerics: double precision; roots by eigenvalues, negative ones (rounding) taken as 0.
///
/// Source: Dowson, Landau, "The Fréchet distance between multivariate normal distributions",
/// J. Multivariate Analysis 12, 1982; Heusel et al., arXiv 1706.08500.
public enum FrechetDistance {
    /// - Returns: d², 0 for equal statistics.
    /// - Precondition: equal widths.
    public static func between(_ a: FeatureStatistics, _ b: FeatureStatistics) -> Double {
        let n = a.mean.count
        precondition(b.mean.count == n, "features of width \(n) and \(b.mean.count)")
        var distance = 0.0
        for i in 0..<n {
            let difference = a.mean[i] - b.mean[i]
            distance += difference * difference
            distance += a.covariance[i * n + i] + b.covariance[i * n + i]
        }
        let root = SymmetricEigensystem(a.covariance, size: n).matrix { max(0, $0).squareRoot() }
        let product = multiply(multiply(root, b.covariance, n), root, n)
        for value in SymmetricEigensystem(product, size: n).values {
            distance -= 2 * max(0, value).squareRoot()
        }
        return max(0, distance)
    }

    /// Between two sets of features.
    public static func between(_ a: FeatureMatrix, _ b: FeatureMatrix) -> Double {
        between(FeatureStatistics(a), FeatureStatistics(b))
    }

    private static func multiply(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
        var result = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for k in 0..<n {
                let factor = a[i * n + k]
                for j in 0..<n { result[i * n + j] += factor * b[k * n + j] }
            }
        }
        return result
    }
}
