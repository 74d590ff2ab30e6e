// Everything that can be chosen about how a symmetry is found.
// SPDX-License-Identifier: Apache-2.0

/// How far apart two embeddings are.
public enum SymmetryMetric: String, Sendable, Codable, CaseIterable {
    /// 1 − cosine.
    case cosine
    /// The cosine after the mean embedding was subtracted.
    case centeredCosine = "centered-cosine"
    case euclidean
}

/// How a level is read off the poses around an input (symmetry pseudo-labels of ssl-sym).
public enum SymmetryEstimator: String, Sendable, Codable, CaseIterable {
    /// The largest |pose|.
    case mle
    case mleOutliers = "mle-outliers"
    /// Twice the mean |pose|.
    case moments
    case momentsOutliers = "moments-outliers"
    case gaussianHalfNormal = "gaussian-half-normal"
    case gaussianHalfNormalOutliers = "gaussian-half-normal-outliers"
    /// The standard deviation of signed poses.
    case gaussian
    /// The nearest of C1…C8 by Kullback–Leibler divergence.
    case cyclic
}

/// The centre that poses are corrected by.
public enum SymmetryMean: Sendable, Hashable, Codable {
    /// None: the raw poses (ssl-sym).
    case none
    /// The Fréchet mean: least squared distances.
    case frechet
    /// The Tukey–Fréchet mean; `c` in degrees, nil chooses it by the median distance.
    case tukey(c: Double?)

    /// The name for commands and files.
    public var name: String {
        switch self {
        case .none: "none"
        case .frechet: "frechet"
        case .tukey: "tukey"
        }
    }
}

/// The family that is fitted to corrected poses.
public enum SymmetryFamily: String, Sendable, Codable, CaseIterable {
    case uniform, gaussian, cyclic, empirical
}

/// When a pose counts as outside of what the data holds.
public enum OutsideRule: Sendable, Equatable, Codable {
    /// Beyond the fitted support: |pose| > level; for cyclic laws farther than 5° from every element.
    case support
    /// Less likely than all but this share of the data's own poses, by the kernel density; 0.01…0.05.
    case density(quantile: Double)
}

/// Which poses belong together.
public enum SymmetryNeighbourhood: Sendable, Equatable, Codable {
    /// The k nearest embeddings of the bank.
    case nearest
    /// The connected component under steps shorter than this distance.
    case component(step: Double)
}

/// Who answers for one input.
public enum SymmetryPath: String, Sendable, Codable, CaseIterable {
    /// The neighbours in the bank: the reference answer.
    case neighbours
    /// The amortised networks Θ (level) and Γ (centre): no neighbours needed.
    case network
}

/// How it is decided which of the nearest inputs are an input's class.
public enum SymmetryLook: String, Sendable, Codable, CaseIterable {
    /// The k nearest embeddings: the published methods.
    case first
    /// Of some more candidates the k that look most alike once their poses are undone; poses are
    /// registered to them first. Ours.
    case second
}

/// Everything chosen; the pane changes it live.
public struct SymmetrySettings: Sendable, Equatable, Codable {
    /// Neighbours k, at least 2.
    public var neighbours: Int
    public var metric: SymmetryMetric
    public var neighbourhood: SymmetryNeighbourhood
    public var estimator: SymmetryEstimator
    public var mean: SymmetryMean
    public var family: SymmetryFamily
    /// Bandwidth of the kernel density in degrees.
    public var bandwidth: Double
    public var outside: OutsideRule
    public var path: SymmetryPath
    public var look: SymmetryLook

    public init(
        neighbours: Int = 45, metric: SymmetryMetric = .cosine,
        neighbourhood: SymmetryNeighbourhood = .nearest,
        estimator: SymmetryEstimator = .momentsOutliers, mean: SymmetryMean = .frechet,
        family: SymmetryFamily = .uniform, bandwidth: Double = 8, outside: OutsideRule = .support,
        path: SymmetryPath = .neighbours, look: SymmetryLook = .first
    ) {
        self.neighbours = neighbours
        self.metric = metric
        self.neighbourhood = neighbourhood
        self.estimator = estimator
        self.mean = mean
        self.family = family
        self.bandwidth = bandwidth
        self.outside = outside
        self.path = path
        self.look = look
    }

    /// Files from before there was a second look have no word about it.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        neighbours = try values.decode(Int.self, forKey: .neighbours)
        metric = try values.decode(SymmetryMetric.self, forKey: .metric)
        neighbourhood = try values.decode(SymmetryNeighbourhood.self, forKey: .neighbourhood)
        estimator = try values.decode(SymmetryEstimator.self, forKey: .estimator)
        mean = try values.decode(SymmetryMean.self, forKey: .mean)
        family = try values.decode(SymmetryFamily.self, forKey: .family)
        bandwidth = try values.decode(Double.self, forKey: .bandwidth)
        outside = try values.decode(OutsideRule.self, forKey: .outside)
        path = try values.decode(SymmetryPath.self, forKey: .path)
        look = try values.decodeIfPresent(SymmetryLook.self, forKey: .look) ?? .first
    }
}

/// What a session can do beyond the reference path; panes offer nothing else.
public struct SymmetryOffer: Sendable, Equatable {
    /// Largest k.
    public var largestNeighbours: Int
    public var metrics: [SymmetryMetric]
    public var estimators: [SymmetryEstimator]
    public var families: [SymmetryFamily]
    public var paths: [SymmetryPath]
    public var hasComponents: Bool
    public var looks: [SymmetryLook]
    /// What to know before answers are believed, in one sentence: that the inputs are few.
    public var notice: String?
    /// The mean that the model was trained for: `none` for ssl-sym, `frechet` for λ = 0.
    public var defaults: SymmetrySettings

    public init(
        largestNeighbours: Int, metrics: [SymmetryMetric] = SymmetryMetric.allCases,
        estimators: [SymmetryEstimator] = SymmetryEstimator.allCases,
        families: [SymmetryFamily] = SymmetryFamily.allCases,
        paths: [SymmetryPath] = [.neighbours], hasComponents: Bool = false,
        looks: [SymmetryLook] = [.first], notice: String? = nil,
        defaults: SymmetrySettings = SymmetrySettings()
    ) {
        self.largestNeighbours = largestNeighbours
        self.metrics = metrics
        self.estimators = estimators
        self.families = families
        self.paths = paths
        self.hasComponents = hasComponents
        self.looks = looks
        self.notice = notice
        self.defaults = defaults
    }
}
