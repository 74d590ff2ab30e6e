// RECON that looks a second time: pictures are laid over each other before they count as a class.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// RECON on pictures whose poses are registered and whose neighbourhoods are ranked anew.
///
/// A class is what differs by a small non-group change ε only: s = ρ(g)γ + ε. The invariant space
/// tells this roughly (a fifth of the neighbours of a small network show another digit), and a
/// network's poses are off by several degrees, now and then by half a turn. Both can be seen in the
/// pictures: once two were turned back by their poses, what is left between them is ε. So
///
/// 1. the candidates nearest in the invariant space are taken, with the poses of the first look;
/// 2. an input's pose is moved to where its picture, turned back, lies closest to those of its
///    nearest candidates (a registration over the whole circle);
/// 3. candidates are ranked by what is left then, and poses are taken about the mean of the k best;
/// 4. after some rounds of 2 and 3, centre and law come from the k best of the last ranking.
///
/// A mean of k poses is uncertain by their deviation over √k. Centres are therefore shrunk towards
/// what was known before, by b²/(b² + s²/k), where b² is how much the centres of the bank vary
/// beyond their uncertainty: no evidence of an offset, no correction.
///
/// Every step compares pictures that were turned back, so that an input that is turned moves its
/// pose by that and nothing else. Without a mean (ssl-sym's own rule) the poses stay as they are and
/// only the ranking is done. No label and no angle is read. Ours; the published RECON stops at the
/// first neighbours.
public final class RefinedRECON: Sendable {
    /// How often and among how many candidates.
    public struct Settings: Sendable, Equatable {
        /// Rounds of registering and ranking, 1 or more.
        public var rounds: Int
        /// Candidates from the invariant space, at least k where there are so many.
        public var candidates: Int
        /// How many of them a picture is registered to.
        public var references: Int
        /// The closest of those, whose distances are averaged.
        public var closest: Int

        /// Chosen on training digits outside of the bank; see the article on RECON.
        public init(
            rounds: Int = 1, candidates: Int = 200, references: Int = 45, closest: Int = 20
        ) {
            self.rounds = rounds
            self.candidates = candidates
            self.references = references
            self.closest = closest
        }

        /// The standard settings, with at least k and at most all others as candidates.
        static func forBank(of count: Int, neighbours k: Int) -> Settings {
            var settings = Settings()
            settings.candidates = max(k, min(settings.candidates, count - 1))
            settings.references = min(settings.references, settings.candidates)
            settings.closest = min(settings.closest, settings.references)
            return settings
        }

        func validate(neighbours k: Int) throws(ConfigurationError) {
            try ConfigurationError.require(
                (1...10).contains(rounds), "rounds", "\(rounds)", "1 to 10")
            try ConfigurationError.require(
                candidates >= k, "candidates", "\(candidates)", "at least k, \(k)")
            try ConfigurationError.require(
                (1...candidates).contains(references), "references", "\(references)",
                "1 to the candidates, \(candidates)")
            try ConfigurationError.require(
                (1...references).contains(closest), "closest", "\(closest)",
                "1 to the references, \(references)")
        }
    }

    public typealias Class = PoseClass<Rotation2>

    /// The bank as one round sees it.
    private struct Stage: Sendable {
        /// b² of the centres that poses were taken about before, in square degrees.
        var variance: Double
        /// What pictures are registered to: the bank turned back by the poses before the round.
        var references: FeatureMatrix
        /// Poses after registration, and the bank turned back by them.
        var poses: [Rotation2]
        var pictures: FeatureMatrix
    }

    public let configuration: RECONConfiguration
    public let settings: Settings
    private let engine: RECON<Rotation2>
    private let raw: [Rotation2]
    private let stages: [Stage]
    /// The bank after all rounds.
    private let poses: [Rotation2]
    private let pictures: FeatureMatrix
    /// b² of the centres before the last ranking, and of those after it.
    private let lastVariance: Double
    private let variance: Double
    private let classes: [Class]

    /// Finds the bank's own classes, round by round.
    ///
    /// - Parameters:
    ///   - training: embeddings and raw poses of the bank's pictures.
    ///   - images: the pictures, in the same order.
    /// - Throws: ``ConfigurationError``, `CancellationError`.
    public init(
        training: ClassPoses<Rotation2>, images: GreyImages, configuration: RECONConfiguration,
        settings: Settings = Settings(), cancellation: Cancellation = Cancellation(),
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        try settings.validate(neighbours: configuration.neighbours)
        try ConfigurationError.require(
            images.count == training.count, "the number of pictures", "\(images.count)",
            "that of the embeddings, \(training.count)")
        let engine = try RECON(training: training, configuration: configuration)
        let candidates = engine.neighboursOfTraining(count: settings.candidates)
        let mean = configuration.centre
        let hasMean = mean != .none
        let steps = hasMean ? settings.rounds + 1 : 1
        var stages: [Stage] = []
        var poses = training.poses
        var near = (0..<candidates.count).map {
            Array(candidates[$0].prefix(configuration.neighbours))
        }
        for round in 0..<(hasMean ? settings.rounds : 0) {
            progress(round, steps)
            let (centred, variance) = Self.aboutCentres(poses, near, bank: poses, mean: mean)
            let references = SmallPictures.turnedBack(images, by: centred)
            let shifts = try SmallPictures.registration(
                of: images, from: centred, to: references, candidates: candidates,
                settings: settings, cancellation: cancellation)
            poses = centred.indices.map { centred[$0] * shifts[$0] }
            let pictures = SmallPictures.turnedBack(images, by: poses)
            near = try SmallPictures.ranked(
                candidates, k: configuration.neighbours, pictures: pictures, among: pictures,
                cancellation: cancellation)
            stages.append(
                Stage(
                    variance: variance, references: references, poses: poses, pictures: pictures))
        }
        progress(steps - 1, steps)
        let last = Self.aboutCentres(poses, near, bank: poses, mean: mean)
        poses = last.poses
        let pictures = SmallPictures.turnedBack(images, by: poses)
        near = try SmallPictures.ranked(
            candidates, k: configuration.neighbours, pictures: pictures, among: pictures,
            cancellation: cancellation)
        let found = near.map { ShrunkCentre($0.map { poses[Int($0)] }, mean: mean) }
        let variance = ShrunkCentre.variance(of: found)
        self.configuration = configuration
        self.settings = settings
        self.engine = engine
        self.stages = stages
        self.poses = poses
        self.pictures = pictures
        self.variance = variance
        lastVariance = last.variance
        raw = training.poses
        classes = poses.indices.map { i in
            Self.class(
                raw: training.poses[i], refined: poses[i], members: near[i], bank: poses,
                centre: found[i].shrunk(variance))
        }
        progress(steps, steps)
    }

    // MARK: Answers

    /// The class of one of the bank's pictures.
    public func classOfTraining(_ index: Int) -> Class { classes[index] }

    /// The classes of other pictures.
    ///
    /// - Parameters:
    ///   - inputs: their embeddings and raw poses.
    ///   - images: the pictures, in the same order.
    /// - Throws: `CancellationError`.
    public func classes(
        of inputs: ClassPoses<Rotation2>, images: GreyImages,
        cancellation: Cancellation = Cancellation()
    ) throws -> [Class] {
        precondition(
            inputs.count == images.count, "\(inputs.count) poses, \(images.count) pictures")
        let k = configuration.neighbours
        let mean = configuration.centre
        let candidates = engine.neighbours(of: inputs.embeddings, count: settings.candidates)
        var refined = inputs.poses
        var near = (0..<candidates.count).map { Array(candidates[$0].prefix(k)) }
        var bank = raw
        for stage in stages {
            refined =
                Self.aboutCentres(
                    refined, near, bank: bank, mean: mean, variance: stage.variance
                ).poses
            let shifts = try SmallPictures.registration(
                of: images, from: refined, to: stage.references, candidates: candidates,
                settings: settings, cancellation: cancellation)
            for i in refined.indices { refined[i] = refined[i] * shifts[i] }
            bank = stage.poses
            near = try SmallPictures.ranked(
                candidates, k: k, pictures: SmallPictures.turnedBack(images, by: refined),
                among: stage.pictures, cancellation: cancellation)
        }
        refined =
            Self.aboutCentres(refined, near, bank: bank, mean: mean, variance: lastVariance).poses
        near = try SmallPictures.ranked(
            candidates, k: k, pictures: SmallPictures.turnedBack(images, by: refined),
            among: pictures, cancellation: cancellation)
        return refined.indices.map { i in
            Self.class(
                raw: inputs.poses[i], refined: refined[i], members: near[i], bank: poses,
                centre: ShrunkCentre(near[i].map { poses[Int($0)] }, mean: mean)
                    .shrunk(variance))
        }
    }

    /// Poses about the centres of their neighbours' poses, and the b² that these were shrunk by.
    ///
    /// - Parameter variance: b²; from these centres themselves when nil.
    private static func aboutCentres(
        _ poses: [Rotation2], _ near: [[Int32]], bank: [Rotation2], mean: SymmetryMean,
        variance: Double? = nil
    ) -> (poses: [Rotation2], variance: Double) {
        guard mean != .none else { return (poses, 0) }
        let centres = near.map { ShrunkCentre($0.map { bank[Int($0)] }, mean: mean) }
        let variance = variance ?? ShrunkCentre.variance(of: centres)
        return (poses.indices.map { poses[$0] * centres[$0].shrunk(variance).inverse }, variance)
    }

    /// The members' poses are about the natural poses of their own classes; behind what the input's
    /// raw pose differs by from its refined one, they are what its class looks like from ψ.
    private static func `class`(
        raw: Rotation2, refined: Rotation2, members: [Int32], bank: [Rotation2],
        centre: Rotation2
    ) -> Class {
        let behind = refined.inverse * raw
        return Class(
            members: members, poses: members.map { bank[Int($0)] * behind },
            centre: centre * behind)
    }

    /// The distributions of the bank's pictures, in their order.
    public var distributionsOfTraining: [PoseDistribution<Rotation2>] {
        raw.indices.map { classes[$0].distribution(pose: raw[$0], configuration: configuration) }
    }

    /// The distributions of other pictures.
    ///
    /// - Throws: `CancellationError`.
    public func distributions(
        of inputs: ClassPoses<Rotation2>, images: GreyImages,
        cancellation: Cancellation = Cancellation()
    ) throws -> [PoseDistribution<Rotation2>] {
        let found = try classes(of: inputs, images: images, cancellation: cancellation)
        return found.indices.map {
            found[$0].distribution(pose: inputs.poses[$0], configuration: configuration)
        }
    }
}
