// Settings of RECON.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How symmetry distributions are found from a frozen class-pose network.
public struct RECONConfiguration: Sendable, Equatable {
    /// Neighbours k.
    public var neighbours: Int
    public var metric: NeighbourMetric
    /// Whether the mean embedding is subtracted before distances are taken.
    public var subtractsMean: Bool
    public var neighbourhood: SymmetryNeighbourhood
    public var centre: SymmetryMean
    public var family: SymmetryFamily
    public var estimator: SymmetryEstimator
    /// Of the empirical family, in degrees; by rule when nil.
    public var bandwidth: Double?
    public var rule: OutOfDistributionRule
    /// Below this resultant length a uniform or Gaussian law has no centre: "full rotation".
    public var leastResultant: Double

    /// RECON's defaults: k = 25, cosine, adaptive Tukey–Fréchet centre, uniform law.
    public init(
        neighbours: Int = 25, metric: NeighbourMetric = .cosine, subtractsMean: Bool = false,
        neighbourhood: SymmetryNeighbourhood = .nearest, centre: SymmetryMean = .tukey(c: nil),
        family: SymmetryFamily = .uniform, estimator: SymmetryEstimator = .momentsOutliers,
        bandwidth: Double? = nil, rule: OutOfDistributionRule = .standard,
        leastResultant: Double = 0.1
    ) {
        self.neighbours = neighbours
        self.metric = metric
        self.subtractsMean = subtractsMean
        self.neighbourhood = neighbourhood
        self.centre = centre
        self.family = family
        self.estimator = estimator
        self.bandwidth = bandwidth
        self.rule = rule
        self.leastResultant = leastResultant
    }

    /// ssl-sym's pseudo-labels: k = 45, no centring, `moments_outliers`.
    public static let pseudoLabels = RECONConfiguration(neighbours: 45, centre: .none)

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            (2...1000).contains(neighbours), "k", "\(neighbours)", "2 to 1000")
        if case .tukey(let scale?) = centre {
            try ConfigurationError.require(
                scale > 0 && scale <= 360, "the Tukey scale", "\(scale)", "above 0 to 360 degrees")
        }
        if let bandwidth {
            try ConfigurationError.require(
                bandwidth > 0 && bandwidth <= 180, "the bandwidth", "\(bandwidth)",
                "above 0 to 180 degrees")
        }
        if case .component(let step) = neighbourhood {
            try ConfigurationError.require(step > 0, "the step", "\(step)", "above 0")
        }
    }
}
