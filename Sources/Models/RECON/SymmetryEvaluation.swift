// Figures of symmetry models, measured anew.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Which figures of a symmetry model are measured.
public enum SymmetryEvaluationPart: String, Sendable, CaseIterable {
    /// Reconstruction, equivariance, neighbours, collapsed vectors.
    case network
    /// Levels, centres and corrected poses.
    case levels
    /// Poses beyond what the data hold.
    case outside
    /// What standardised inputs are good for: clustering, classification.
    case downstream
    /// Interventions whose outcome is known: a turn, another law, shuffled labels.
    case checks
}

/// Errors in degrees as figures.
struct AngleErrors {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var median: Double {
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    var mean: Double { sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count) }

    /// Median and mean as two figures.
    func figures(_ name: String, note: String? = nil) -> [ModelCard.Metric] {
        [
            .init(name: name + ", median", value: median, unit: "°", note: note),
            .init(name: name + ", mean", value: mean, unit: "°", note: note),
        ]
    }
}

/// Measures a ``PointSymmetryModel`` on sets turned by known laws.
///
/// The laws and the classes' frames are drawn from a seed; the engine is given points alone, labels
/// and rotations are read for the report.
public struct PointSymmetryEvaluation {
    private let model: PointSymmetryModel
    private let source: any PointSource
    private let count: Int
    private let neighbours: Int
    private let seed: UInt64
    private let cancellation: Cancellation
    private let progress: (String, Int, Int) -> Void

    /// - Parameters:
    ///   - folder: where molecules or meshes are; nil for the standard places.
    ///   - count: inputs of every law; the construction's own number when nil.
    /// - Throws: errors of the data.
    public init(
        model: PointSymmetryModel, folder: String?, count: Int? = nil, neighbours: Int = 25,
        seed: UInt64 = 0, cancellation: Cancellation = Cancellation(),
        progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
    ) throws {
        self.model = model
        source = try model.source(folder: folder)
        self.count = count ?? model.constructions[0].defaultCount
        self.neighbours = neighbours
        self.seed = seed
        self.cancellation = cancellation
        self.progress = progress
    }

    /// - Throws: `CancellationError`, ``ConfigurationError``.
    public func run(_ parts: Set<SymmetryEvaluationPart>) throws -> [ModelCard.Metric] {
        var metrics: [ModelCard.Metric] = []
        if parts.contains(.network) { metrics += try network() }
        if parts.contains(.levels) {
            for (i, law) in SpaceLaw.all.enumerated() {
                progress("law \(law.name)", i, SpaceLaw.all.count)
                metrics += try levels(law)
            }
        }
        return metrics
    }

    private func network() throws -> [ModelCard.Metric] {
        let set = source.inputs(law: .uniform, count: count, seed: seed, isHeldOut: true)
        var generator = RandomGenerator(seed: seed, stream: 0x6571_7569)
        let turns = set.inputs.map { _ in Rotation3.uniform(&generator) }
        let first = try model.network.embed(set.inputs, cancellation: cancellation)
        let second = try model.network.embed(
            zip(set.inputs, turns).map { $0.rotated(by: $1) }, cancellation: cancellation)
        let determined = first.gaps.indices.filter { first.gaps[$0] >= Self.gap }
        let errors = AngleErrors(
            determined.map {
                (turns[$0] * first.poses.poses[$0]).distance(to: second.poses.poses[$0])
            })
        let bank = source.inputs(law: .uniform, count: count, seed: seed)
        let training = try model.network.embed(bank.inputs, cancellation: cancellation)
        let table = NeighbourBank(training.poses.embeddings).nearest(
            to: first.poses.embeddings, k: neighbours)
        let pure = (0..<count).reduce(0) { sum, i in
            sum + table[i].count { bank.labels[Int($0)] == set.labels[i] }
        }
        let share = 1 - Double(determined.count) / Double(count)
        return [
            .init(
                name: "reconstruction error", value: first.error, unit: nil,
                note: "mean squared distance a point, held-out samples"),
            .init(
                name: "equivariance error, median", value: errors.median, unit: "°",
                note: "determined frames"),
            .init(
                name: "undetermined frames", value: 100 * share, unit: "%",
                note: "a line has no pose about itself"),
            .init(
                name: "neighbour purity", value: 100 * Double(pure) / Double(count * neighbours),
                unit: "%",
                note: "held-out inputs among training inputs, k = \(neighbours); labels read for "
                    + "this figure alone"),
        ]
    }

    private static let gap = PointClassPoseNetwork.leastGap

    private func levels(_ law: SpaceLaw) throws -> [ModelCard.Metric] {
        let bank = source.inputs(law: law, count: count, seed: seed)
        let queries = source.inputs(law: law, count: count / 2, seed: seed, isHeldOut: true)
        guard let truth = queries.truth else { return [] }
        let training = try model.network.embed(bank.inputs, cancellation: cancellation)
        let found = try model.network.embed(queries.inputs, cancellation: cancellation)
        let kept = truth.indices.filter { found.gaps[$0] >= Self.gap }
        let name = "\(source.name) \(law.name): "
        func errors(_ poses: [Rotation3], _ among: [Int]) -> AngleErrors {
            AngleErrors(among.map { poses[$0].distance(to: truth[$0]) })
        }
        let all = Array(truth.indices)
        var metrics: [ModelCard.Metric] = [
            .init(
                name: name + "raw pose error, median",
                value: errors(found.poses.poses, all).median, unit: "°")
        ]
        let means: [(String, SymmetryMean)] = [
            ("Fréchet", .frechet), ("Tukey", .tukey(c: nil)),
            ("Tukey 1.5 rad", .tukey(c: 1.5 * 180 / .pi)),
        ]
        for (title, mean) in means {
            try cancellation.check()
            var configuration = RECONConfiguration(neighbours: neighbours, centre: mean)
            // The centre of all rotations is not defined; the figure shows that.
            configuration.leastResultant = law == .uniform ? 0.35 : 0.1
            let engine = try RECON(training: training.poses, configuration: configuration)
            let distributions = try engine.distributions(
                of: found.poses, cancellation: cancellation)
            let corrected = distributions.map(\.pose)
            if law == .uniform {
                let full = distributions.count(where: \.isFullRotation)
                metrics.append(
                    .init(
                        name: name + "\(title), full rotation",
                        value: 100 * Double(full) / Double(distributions.count), unit: "%",
                        note: "inputs said to have no centre"))
                continue
            }
            let error = errors(corrected, all)
            metrics.append(
                .init(name: name + "\(title), pose error, median", value: error.median, unit: "°"))
            metrics.append(
                .init(
                    name: name + "\(title), pose error, mean", value: errors(corrected, kept).mean,
                    unit: "°", note: "determined frames"))
            let foundSpread = AngleErrors(kept.map { corrected[$0].angle }).mean
            let trueSpread = AngleErrors(kept.map { truth[$0].angle }).mean
            metrics.append(
                .init(
                    name: name + "\(title), spread", value: foundSpread, unit: "°",
                    note: String(format: "true %.1f°; determined frames", trueSpread)))
        }
        return metrics
    }
}
