// What is known of every training picture without labels: its neighbours' poses.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Targets for a level network, made from an autoencoder's embeddings and poses.
///
/// Each picture's k nearest others in the invariant space stand for its class; the spread of their
/// poses is its level, their mean its centre. No label is read.
///
/// Source: ssl-sym's published code; RECON for the centre.
public struct PseudoLabels: Sendable {
    /// How neighbours are made into targets.
    public struct Settings: Sendable, Equatable {
        /// k.
        public var neighbours: Int
        public var estimator: SymmetryEstimator
        /// Whether poses are taken about their Fréchet mean instead of the identity.
        public var isCentred: Bool

        public init(
            neighbours: Int = 45, estimator: SymmetryEstimator = .momentsOutliers,
            isCentred: Bool = false
        ) {
            self.neighbours = neighbours
            self.estimator = estimator
            self.isCentred = isCentred
        }
    }

    /// By picture: degrees, or the order for the cyclic estimator.
    public let levels: [Double]
    /// By picture, the mean of its neighbours' poses.
    public let centres: [Rotation2]

    /// - Precondition: more pictures than neighbours.
    public init(_ found: ClassPoses<Rotation2>, settings: Settings) {
        let bank = NeighbourBank(found.embeddings, metric: .cosine, subtractsMean: false)
        let table = bank.nearestOthers(k: settings.neighbours)
        var levels: [Double] = []
        var centres: [Rotation2] = []
        for i in 0..<found.count {
            let poses = table[i].map { found.poses[Int($0)] }
            let centre = Rotation2.frechetMean(of: poses)
            centres.append(centre)
            let about = settings.isCentred ? centre.inverse : .identity
            levels.append(settings.estimator.level(of: poses.map { ($0 * about).degrees }))
        }
        self.levels = levels
        self.centres = centres
    }
}
