// Training of the class-pose network for points.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Trains a ``PointClassPoseNetwork`` to reconstruct its inputs.
///
/// No label and no angle is used. Because the network is exactly equivariant, it makes no difference
/// by which law the inputs are turned.
public final class PointClassPoseTraining: TrainingRun {
    public let title = "class-pose network for points"
    public let network: PointClassPoseNetwork
    public private(set) var step = 0
    private let source: any PointSource
    private let batch: Int
    private let seed: UInt64
    private let measureInterval: Int
    private var optimizer: NetworkOptimizer

    /// - Throws: ``ConfigurationError``.
    public init(
        model: PointClassPoseConfiguration, source: any PointSource,
        optimizer: OptimizerConfiguration, batch: Int = 128, seed: UInt64 = 0,
        measureInterval: Int = 1
    ) throws {
        try optimizer.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.requireMeasureInterval(measureInterval)
        network = try PointClassPoseNetwork(
            configuration: model, store: ParameterStore(seed: seed))
        self.source = source
        self.batch = batch
        self.seed = seed
        self.measureInterval = measureInterval
        self.optimizer = NetworkOptimizer(network.parameters, configuration: optimizer)
    }

    public var totalSteps: Int { optimizer.configuration.steps }
    public var isFinished: Bool { optimizer.isFinished(step: step) }

    public func advance() throws -> [TrainingMetric] {
        var generator = stepGenerator(seed: seed, step: step)
        let inputs = network.batch(
            draw(batch, isHeldOut: false, &generator), points: source.points)
        let code = network.configuration.code
        let noise = network.configuration.codeNoise.map { _ in
            Tensor(
                (0..<(batch * code)).map { _ in Float(generator.nextNormal()) },
                shape: [batch, code])
        }
        let output = network(inputs, noise: noise)
        let loss = network.loss(output, inputs)
        let optimisation = try optimizer.update(loss: loss, step: step)
        let measures = step % measureInterval == 0
        step += 1
        guard measures else { return [] }
        return [
            TrainingMetric("loss", Double(loss.item())),
            TrainingMetric("undetermined", Self.undetermined(output)),
        ] + optimisation
    }

    /// Reconstruction error and undetermined frames on held-out samples, the equivariance error of
    /// the pose, and how often an input's nearest others are of its class (labels are read for the
    /// report alone).
    public func evaluate(cancellation: Cancellation) throws -> [TrainingMetric] {
        try optimizer.withAverages {
            var generator = RandomGenerator(seed: seed, stream: 0x6576_616C)
            let labels = (0..<512).map { _ in generator.nextInt(below: source.classes.count) }
            let clouds = labels.map { source.sample(of: $0, isHeldOut: true, &generator) }
            let turns = labels.map { _ in Rotation3.uniform(&generator) }
            let first = try network.classPoses(of: clouds, cancellation: cancellation)
            let second = try network.classPoses(
                of: zip(clouds, turns).map { $0.rotated(by: $1) }, cancellation: cancellation)
            let errors = turns.indices.map {
                (turns[$0] * first.poses[$0]).distance(to: second.poses[$0])
            }.sorted()
            let table = NeighbourBank(first.embeddings).nearestOthers(k: 5)
            let pure = labels.indices.reduce(0) { sum, i in
                sum + table[i].count { labels[Int($0)] == labels[i] }
            }
            let inputs = network.batch(clouds)
            let output = withoutGradients { network(inputs) }
            return [
                TrainingMetric("loss", Double(network.loss(output, inputs).item())),
                TrainingMetric("undetermined", Self.undetermined(output)),
                TrainingMetric("equivariance_error", errors[errors.count / 2]),
                TrainingMetric("purity", Double(pure) / Double(5 * labels.count)),
                TrainingMetric("frame_error", Self.frameError(first.poses, labels)),
            ]
        }
    }

    public func state() -> TrainingState { optimizer.state(step: step) }
    public func restore(_ state: TrainingState) throws { step = try optimizer.restore(state) }

    public func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
    {
        (
            exported(
                parameters: network.parameters, averages: optimizer.averages, buffers: [:]),
            network.metadata.merging(
                ["source": source.name, "classes": Self.list(source.classes)]
            ) { a, _ in a }
        )
    }

    private static func undetermined(_ output: PointClassPoseNetwork.Output) -> Double {
        let count = output.gaps.count { $0 < PointClassPoseNetwork.leastGap }
        return Double(count) / Double(output.gaps.count)
    }

    private static func list(_ classes: [String]) -> String {
        let data = (try? JSONEncoder().encode(classes)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Median distance in degrees of a frame from its class's Tukey mean, inputs in the class's own
    /// frame: 0 when the frame does not move with what changes within the class.
    private static func frameError(_ poses: [Rotation3], _ labels: [Int]) -> Double {
        let classes = Dictionary(grouping: labels.indices, by: { labels[$0] })
        let errors = classes.values.flatMap { members in
            let frames = members.map { poses[$0] }
            let centre = Rotation3.tukeyMean(of: frames, scale: 1.5 * 180 / .pi)
            return frames.map { $0.distance(to: centre) }
        }.sorted()
        return errors.isEmpty ? 0 : errors[errors.count / 2]
    }

    private func draw(
        _ count: Int, isHeldOut: Bool, _ generator: inout RandomGenerator
    ) -> [PointCloud] {
        (0..<count).map { _ in
            let label = generator.nextInt(below: source.classes.count)
            let cloud = source.sample(of: label, isHeldOut: isHeldOut, &generator)
            return cloud.rotated(by: Rotation3.uniform(&generator))
        }
    }
}

/// `system = "recon-points"`.
public struct PointClassPoseTrainingSystem: TrainingSystem {
    public let name = "recon-points"
    public let summary = "class-pose network for points in space (tetris, molecules, meshes)"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(recipe, context: context, keys: [])
        let source = try PointSources.make(recipe)
        let section = try recipe.section(
            "model",
            keys: [
                "width", "layers", "centres", "reach", "cutoff", "code", "code_noise", "hidden",
                "frame", "point_code", "kind_weight",
            ])
        let standard = EquivariantGraphConfiguration()
        let graph = EquivariantGraphConfiguration(
            width: try section.int("width", default: standard.width, in: 1...1024),
            layers: try section.int("layers", default: standard.layers, in: 1...32),
            centres: try section.int("centres", default: standard.centres, in: 2...256),
            reach: Float(try section.double("reach", default: 8, in: 0.01...1000)),
            cutoff: try section.doubleIfPresent("cutoff", in: 0.01...1000).map(Float.init))
        func choice<T: RawRepresentable & CaseIterable>(
            _ key: String, _ fallback: T
        ) throws -> T where T.RawValue == String {
            let text = try section.string(key, default: fallback.rawValue)
            guard let found = T(rawValue: text) else {
                throw section.invalidValue(
                    key, expected: T.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
                )
            }
            return found
        }
        return try PointClassPoseTraining(
            model: PointClassPoseConfiguration(
                graph: graph, kinds: max(1, source.kindNames.count), points: source.points,
                code: try section.int("code", default: 16, in: 1...4096),
                hidden: try section.int("hidden", default: 128, in: 1...4096),
                frame: try choice("frame", PointClassPoseConfiguration.Frame.polar),
                pointCode: try choice("point_code", PointClassPoseConfiguration.PointCode.slot),
                weights: source.weights,
                codeNoise: try section.doubleIfPresent("code_noise", in: 0...10).map(Float.init),
                kindWeight: try section.doubleIfPresent("kind_weight", in: 0...1000)
                    .map(Float.init)),
            source: source, optimizer: try recipe.optimizer(), batch: try recipe.batch,
            seed: try recipe.seed, measureInterval: try recipe.measureInterval)
    }
}

/// The sources that recipes and commands name.
public enum PointSources {
    /// The source of `[data]`: `kind = "tetris"`, `"molecules"` or `"meshes"`.
    ///
    /// - Throws: `TOMLError`, `DatasetError`, `FileFormatError`.
    static func make(_ recipe: Recipe) throws -> any PointSource {
        let section = try recipe.section(
            "data", keys: ["kind", "folder", "noise", "points", "classes", "meshes"])
        let folder = try section.stringIfPresent("folder").map(recipe.context.resolve)
        let noise = try section.doubleIfPresent("noise", in: 0...10)
        let roots = recipe.dataRoots(folder: folder)
        switch try section.string("kind") {
        case "tetris": return TetrisSource(noise: noise ?? 0.02)
        case "molecules":
            return try MoleculeSource(path: MoleculeSource.locate(in: roots), noise: noise ?? 0.02)
        case "meshes":
            return try MeshSource(
                folder: MeshSource.locate(in: roots),
                points: try section.int("points", default: 64, in: 4...1024),
                limit: try section.int("classes", default: 32, in: 2...10_000),
                names: try section["meshes"] == nil ? nil : section.strings("meshes"))
        default:
            throw section.invalidValue(
                "kind", expected: "\"tetris\", \"molecules\" or \"meshes\"")
        }
    }
}
