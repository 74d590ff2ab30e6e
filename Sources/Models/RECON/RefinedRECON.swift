// RECON whose classes are looked at a second time, in the pictures that it has put upright.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// RECON on pictures whose neighbourhoods are ranked anew by what remains when the poses are undone.
///
/// A class is what differs by a small non-group change ε only: s = ρ(g)γ + ε. The invariant space
/// tells this roughly (a fifth of the neighbours of a small network show another digit); once poses
/// are known, ε can be seen: the distance of two pictures after both were turned back. So the
/// candidates nearest in the invariant space are ranked by that distance, centre and law are found
/// from the k best, the poses are corrected by the new centres, and so on for some rounds.
///
/// A mean of k poses is uncertain by their deviation over √k. Centres are therefore shrunk towards
/// what was known before, by b²/(b² + s²/k), where b² is how much the centres of the bank vary
/// beyond their uncertainty: no evidence of an offset, no correction. Without a mean (ssl-sym) the
/// poses stay as they are and one round is all there is.
///
/// No label and no angle is read. Ours; the published RECON stops at the first neighbours.
public final class RefinedRECON: Sendable {
    /// How often and among how many candidates.
    public struct Settings: Sendable, Equatable {
        /// Rounds of ranking, 1 or more.
        public var rounds: Int
        /// Candidates from the invariant space, at least k.
        public var candidates: Int

        public init(rounds: Int = 2, candidates: Int = 200) {
            self.rounds = rounds
            self.candidates = candidates
        }
    }

    /// The bank as one round sees it.
    private struct Stage: Sendable {
        /// Poses after all rounds before.
        var poses: [Rotation2]
        /// The pictures turned back by them, small; nil where candidates keep their order.
        var pictures: FeatureMatrix?
        /// b², in square degrees.
        var variance: Double
    }

    public let configuration: RECONConfiguration
    public let settings: Settings
    private let engine: RECON<Rotation2>
    private let stages: [Stage]
    private let training: [PoseDistribution<Rotation2>]

    /// Finds the bank's own distributions, round by round.
    ///
    /// - Parameters:
    ///   - training: embeddings and raw poses of the bank's pictures.
    ///   - images: the pictures, in the same order.
    /// - Throws: ``ConfigurationError``, `CancellationError`.
    public init(
        training: ClassPoses<Rotation2>, images: GreyImages, configuration: RECONConfiguration,
        settings: Settings = Settings(), cancellation: Cancellation = Cancellation()
    ) throws {
        let k = configuration.neighbours
        try ConfigurationError.require(
            settings.rounds >= 1, "rounds", "\(settings.rounds)", "1 or more")
        try ConfigurationError.require(
            settings.candidates >= k, "candidates", "\(settings.candidates)", "at least k, \(k)")
        try ConfigurationError.require(
            images.count == training.count, "the number of pictures", "\(images.count)",
            "that of the embeddings, \(training.count)")
        let engine = try RECON(training: training, configuration: configuration)
        let candidates = engine.neighboursOfTraining(
            count: min(settings.candidates, training.count - 1))
        var stages: [Stage] = []
        var poses = training.poses
        var centres = [Rotation2](repeating: .identity, count: poses.count)
        var result: [PoseDistribution<Rotation2>] = []
        for round in 0...settings.rounds {
            try cancellation.check()
            let pictures = round == 0 ? nil : Self.small(images, turnedBackBy: poses)
            let nearest = try Self.ranked(
                candidates, k: k, pictures: pictures, among: pictures, cancellation: cancellation)
            let found = nearest.map {
                Centre($0.map { poses[Int($0)] }, mean: configuration.centre)
            }
            let variance = Centre.variance(of: found)
            stages.append(Stage(poses: poses, pictures: pictures, variance: variance))
            if round == settings.rounds {
                result = poses.indices.map { i in
                    Self.distribution(
                        raw: training.poses[i], neighbours: nearest[i].map { poses[Int($0)] },
                        before: centres[i], shift: found[i].shrunk(variance),
                        configuration: configuration)
                }
            }
            for i in poses.indices {
                let shift = found[i].shrunk(variance)
                centres[i] = shift * centres[i]
                poses[i] = poses[i] * shift.inverse
            }
        }
        self.configuration = configuration
        self.settings = settings
        self.engine = engine
        self.stages = stages
        self.training = result
    }

    /// The distributions of the bank's pictures, in their order.
    public var distributionsOfTraining: [PoseDistribution<Rotation2>] { training }

    /// The distributions of other pictures.
    ///
    /// - Parameters:
    ///   - inputs: their embeddings and raw poses.
    ///   - images: the pictures, in the same order.
    /// - Throws: `CancellationError`.
    public func distributions(
        of inputs: ClassPoses<Rotation2>, images: GreyImages,
        cancellation: Cancellation = Cancellation()
    ) throws -> [PoseDistribution<Rotation2>] {
        precondition(
            inputs.count == images.count, "\(inputs.count) poses, \(images.count) pictures")
        let candidates = engine.neighbours(of: inputs.embeddings, count: settings.candidates)
        var centres = [Rotation2](repeating: .identity, count: inputs.count)
        for (round, stage) in stages.enumerated() {
            try cancellation.check()
            let turned = inputs.poses.indices.map { inputs.poses[$0] * centres[$0].inverse }
            let pictures = stage.pictures == nil ? nil : Self.small(images, turnedBackBy: turned)
            let nearest = try Self.ranked(
                candidates, k: configuration.neighbours, pictures: pictures, among: stage.pictures,
                cancellation: cancellation)
            let isLast = round == stages.count - 1
            var result: [PoseDistribution<Rotation2>] = []
            for i in inputs.poses.indices {
                let neighbours = nearest[i].map { stage.poses[Int($0)] }
                let shift = Centre(neighbours, mean: configuration.centre).shrunk(stage.variance)
                if isLast {
                    result.append(
                        Self.distribution(
                            raw: inputs.poses[i], neighbours: neighbours, before: centres[i],
                            shift: shift, configuration: configuration))
                }
                centres[i] = shift * centres[i]
            }
            if isLast { return result }
        }
        return []
    }

    /// A distribution in terms of the input's raw pose.
    ///
    /// The neighbours' poses are about their own centres; behind the input's centre they are what
    /// the input's own class looks like from ψ.
    private static func distribution(
        raw: Rotation2, neighbours: [Rotation2], before: Rotation2, shift: Rotation2,
        configuration: RECONConfiguration
    ) -> PoseDistribution<Rotation2> {
        PoseDistribution(
            pose: raw, neighbours: neighbours.map { $0 * before }, centre: shift * before,
            configuration: configuration)
    }

    /// A centre and how certain it is.
    private struct Centre {
        var mean: Rotation2
        /// s²/k, in square degrees.
        var uncertainty: Double

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
        static func variance(of centres: [Centre]) -> Double {
            guard !centres.isEmpty else { return 0 }
            let angles = centres.map(\.mean.angle).sorted()
            let spread = 1.4826 * angles[angles.count / 2]
            let noise = centres.reduce(0) { $0 + $1.uncertainty } / Double(centres.count)
            return max(0, spread * spread - noise)
        }

        func shrunk(_ variance: Double) -> Rotation2 {
            guard variance > 0 else { return .identity }
            return Rotation2(degrees: mean.degrees * variance / (variance + uncertainty))
        }
    }
}

// MARK: Ranking

extension RefinedRECON {
    /// Side of the pictures that are compared: means of 2×2 pixels tell as much as all of them.
    private static let block = 2

    /// Pictures turned back by poses, in small; rows padded to whole vectors of eight.
    static func small(_ images: GreyImages, turnedBackBy poses: [Rotation2]) -> FeatureMatrix {
        let turned = images.rotated(by: poses.map { Float(-$0.degrees) })
        let side = images.side / block
        let width = (side * side + 7) / 8 * 8
        var values = [Float](repeating: 0, count: images.count * width)
        turned.pixels.withUnsafeBufferPointer { pixels in
            for i in 0..<images.count {
                let plane = i * images.side * images.side
                for y in 0..<side {
                    for x in 0..<side {
                        let at = plane + block * (y * images.side + x)
                        values[i * width + y * side + x] =
                            0.25
                            * (pixels[at] + pixels[at + 1] + pixels[at + images.side]
                                + pixels[at + images.side + 1])
                    }
                }
            }
        }
        return FeatureMatrix(width: width, values: values)
    }

    /// The k candidates of every row whose pictures are nearest; the first k without pictures.
    ///
    /// Equal distances keep the candidates' order.
    fileprivate static func ranked(
        _ candidates: NeighbourTable, k: Int, pictures: FeatureMatrix?, among bank: FeatureMatrix?,
        cancellation: Cancellation
    ) throws -> [[Int32]] {
        guard let pictures, let bank else {
            return (0..<candidates.count).map { Array(candidates[$0].prefix(k)) }
        }
        let rows = candidates.count
        let width = bank.width
        var best = [Int32](repeating: 0, count: rows * k)
        best.withUnsafeMutableBufferPointer { best in
            pictures.values.withUnsafeBufferPointer { pictures in
                bank.values.withUnsafeBufferPointer { bank in
                    let sink = Sink(pointer: best.baseAddress)
                    let (queries, references) = (
                        Source(pointer: pictures.baseAddress), Source(pointer: bank.baseAddress)
                    )
                    DispatchQueue.concurrentPerform(iterations: (rows + 63) / 64) { block in
                        guard !cancellation.isCancelled, let sink = sink.pointer,
                            let queries = queries.pointer, let references = references.pointer
                        else { return }
                        for row in (64 * block)..<min(rows, 64 * block + 64) {
                            let order = candidates[row].enumerated().map { place, other in
                                Ranked(
                                    distance: squaredDistance(
                                        queries + row * width,
                                        references + Int(other) * width, width),
                                    place: place, index: other)
                            }.sorted()
                            for (place, one) in order.prefix(k).enumerated() {
                                sink[row * k + place] = one.index
                            }
                        }
                    }
                }
            }
        }
        try cancellation.check()
        return (0..<rows).map { Array(best[($0 * k)..<($0 * k + k)]) }
    }

    private struct Ranked: Comparable {
        var distance: Float
        var place: Int
        var index: Int32

        static func < (a: Ranked, b: Ranked) -> Bool {
            (a.distance, a.place) < (b.distance, b.place)
        }
    }

    /// Rows of different blocks never overlap.
    private struct Sink: @unchecked Sendable {
        var pointer: UnsafeMutablePointer<Int32>?
    }

    private struct Source: @unchecked Sendable {
        var pointer: UnsafePointer<Float>?
    }

    /// - Parameter width: a multiple of eight.
    private static func squaredDistance(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int
    ) -> Float {
        var sum = SIMD8<Float>.zero
        let (x, y) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        for offset in stride(from: 0, to: 4 * width, by: 32) {
            let d =
                x.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                - y.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            sum += d * d
        }
        return sum.sum()
    }
}
