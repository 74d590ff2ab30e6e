// Forward entries of the symmetry engine.
// SPDX-License-Identifier: Apache-2.0
import Core

extension ForwardRequest {
    /// Poses with the last dimension degrees ([…]) or rotations ([…, 3, 3]).
    fileprivate func hasRotations(_ name: String, rank: Int) -> Bool {
        input[name]?.shape.count == rank + 2
    }

    fileprivate func plane(_ name: String, shape: [Int], _ words: String) throws -> [Rotation2] {
        try floats(name, shape: shape, words).floats().map { Rotation2(degrees: Double($0)) }
    }

    fileprivate func space(_ name: String, shape: [Int], _ words: String) throws -> [Rotation3] {
        let values = try floats(name, shape: shape + [3, 3], words).floats().map(Double.init)
        return (0..<(values.count / 9)).map {
            Rotation3(rowMajor: Array(values[(9 * $0)..<(9 * $0 + 9)]))
        }
    }

    fileprivate func mean(default fallback: SymmetryMean) throws -> SymmetryMean {
        switch settings["mean"] {
        case nil: return fallback
        case "none": return .none
        case "frechet": return .frechet
        case "tukey":
            let c = try number("c", default: 0, in: 0...360)
            return .tukey(c: c > 0 ? c : nil)
        case let text?:
            throw ForwardError.badSetting(
                key: "mean", value: text, allowed: "none, frechet, tukey")
        }
    }
}

/// Rotations as tensors: [N] degrees, or [N, 3, 3].
private func tensor<Pose: RotationGroup>(_ poses: [Pose]) -> Tensor {
    if let plane = poses as? [Rotation2] {
        return Tensor(plane.map { Float($0.degrees) }, shape: [plane.count])
    }
    let space = poses as? [Rotation3] ?? []
    return Tensor(
        space.flatMap { $0.rowMajor.map(Float.init) }, shape: [space.count, 3, 3])
}

private let poseInput = ForwardTensor("pose", "[N] degrees, or [N, 3, 3] rotations")
private let meanOptions = [
    ForwardOption("mean", "frechet", "none, frechet or tukey"),
    ForwardOption("c", "", "scale of the Tukey mean in degrees; adaptive when left out"),
]

/// `recon.fit`: the whole fit from embeddings and poses; with `mean=none` ssl-sym's pseudo-labels.
struct RECONFitEntry: ForwardEntry {
    let name: String
    let summary: String
    let weights = "none"
    let needsWeights = false
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [
        ForwardTensor("emb", "[N, E]"), poseInput,
        ForwardTensor("query_emb", "[Q, E]", isOptional: true),
        ForwardTensor("query_pose", "as pose, Q of them", isOptional: true),
    ]
    let outputs = [
        ForwardTensor("neighbours", "[Q, k]", dtype: "I32"),
        ForwardTensor("centre", "[Q] degrees or [Q, 3, 3]"),
        ForwardTensor("corrected", "[Q] degrees or [Q, 3, 3]"), ForwardTensor("level", "[Q]"),
        ForwardTensor("score", "[Q], above 0 out of distribution"),
    ]
    let options: [ForwardOption]
    private let defaultMean: SymmetryMean
    private let defaultNeighbours: Int

    /// RECON.
    static let fit = RECONFitEntry(
        name: "recon.fit",
        summary: "centre, corrected pose, level and score of inputs from their neighbours",
        mean: .frechet, neighbours: 25)
    /// ssl-sym.
    static let pseudoLabels = RECONFitEntry(
        name: "ssl-sym.pseudo_labels",
        summary: "levels from the neighbours' poses as they are", mean: .none, neighbours: 45)

    private init(name: String, summary: String, mean: SymmetryMean, neighbours: Int) {
        self.name = name
        self.summary = summary
        defaultMean = mean
        defaultNeighbours = neighbours
        options =
            [
                ForwardOption("k", "\(neighbours)", "neighbours"),
                ForwardOption("metric", "cosine", "cosine, centered-cosine or euclidean"),
                ForwardOption(
                    "estimator", "moments-outliers",
                    SymmetryEstimator.allCases.map(\.rawValue).joined(separator: ", ")),
            ] + meanOptions
    }

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        if request.hasRotations("pose", rank: 1) {
            return try run(request) { try request.space($0, shape: $1, "[N, 3, 3]") }
        }
        return try run(request) { try request.plane($0, shape: $1, "[N] degrees") }
    }

    private func run<Pose: RotationGroup>(
        _ request: ForwardRequest, _ poses: (String, [Int]) throws -> [Pose]
    ) throws -> [(name: String, tensor: Tensor)] {
        let embeddings = try request.floats("emb", shape: [-1, -1], "[N, E]")
        let (n, e) = (embeddings.shape[0], embeddings.shape[1])
        let training = ClassPoses(
            embeddings: FeatureMatrix(embeddings), poses: try poses("pose", [n]))
        let estimator = try request.choice(
            "estimator", default: SymmetryEstimator.momentsOutliers)
        let family: SymmetryFamily =
            switch estimator {
            case .cyclic: .cyclic
            case .gaussian, .gaussianHalfNormal, .gaussianHalfNormalOutliers: .gaussian
            default: .uniform
            }
        let metric = try request.choice("metric", default: SymmetryMetric.cosine)
        let k = try request.integer("k", default: defaultNeighbours, in: 2...1000)
        let engine = try RECON(
            training: training,
            configuration: RECONConfiguration(
                neighbours: k, metric: metric == .euclidean ? .euclidean : .cosine,
                subtractsMean: metric == .centeredCosine,
                centre: try request.mean(default: defaultMean), family: family,
                estimator: estimator))
        let table: NeighbourTable
        let found: [PoseDistribution<Pose>]
        if request.input["query_emb"] != nil {
            let queries = try request.floats("query_emb", shape: [-1, e], "[Q, \(e)]")
            let inputs = ClassPoses(
                embeddings: FeatureMatrix(queries),
                poses: try poses("query_pose", [queries.shape[0]]))
            table = engine.neighbours(of: inputs.embeddings)
            found = try engine.distributions(of: inputs, cancellation: request.cancellation)
        } else {
            table = engine.neighboursOfTraining()
            found = try engine.distributionsOfTraining(cancellation: request.cancellation)
        }
        return [
            ("neighbours", Tensor(int32: table.indices, shape: [table.count, k])),
            ("centre", tensor(found.map(\.centre))), ("corrected", tensor(found.map(\.pose))),
            ("level", Tensor(found.map { Float($0.level) }, shape: [found.count])),
            (
                "score",
                Tensor(found.map { Float($0.outOfDistributionScore) }, shape: [found.count])
            ),
        ]
    }
}

/// `recon.mean`: Fréchet and Tukey–Fréchet means of pose sets.
struct RECONMeanEntry: ForwardEntry {
    let name = "recon.mean"
    let summary = "Fréchet and Tukey–Fréchet means of sets of poses on SO(2) or SO(3)"
    let weights = "none"
    let needsWeights = false
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("pose", "[M, k] degrees, or [M, k, 3, 3] rotations")]
    let outputs = [
        ForwardTensor("frechet", "[M] degrees or [M, 3, 3]"),
        ForwardTensor("tukey", "[M] degrees or [M, 3, 3]"), ForwardTensor("resultant", "[M]"),
    ]
    let options = [meanOptions[1]]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        if request.hasRotations("pose", rank: 2) {
            return try means(
                request, try request.space("pose", shape: [-1, -1], "[M, k, 3, 3]"))
        }
        return try means(request, try request.plane("pose", shape: [-1, -1], "[M, k] degrees"))
    }

    private func means<Pose: RotationGroup>(
        _ request: ForwardRequest, _ poses: [Pose]
    ) throws -> [(name: String, tensor: Tensor)] {
        let k = request.input["pose"]?.shape[1] ?? 1
        let c = try request.number("c", default: 0, in: 0...360)
        let sets = stride(from: 0, to: poses.count, by: k).map { Array(poses[$0..<($0 + k)]) }
        return [
            ("frechet", tensor(sets.map { Pose.frechetMean(of: $0) })),
            ("tukey", tensor(sets.map { Pose.tukeyMean(of: $0, scale: c > 0 ? c : nil) })),
            (
                "resultant",
                Tensor(
                    sets.map { Float(Pose.resultantLength(of: $0)) }, shape: [sets.count])
            ),
        ]
    }
}

/// `points.encode`: code, canonical form and pose of points in space.
struct PointEncodeEntry: ForwardEntry {
    let name = "points.encode"
    let summary = "invariant code, canonical form and pose of points in space"
    let weights = "a class-pose network for points (system recon-points)"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [
        ForwardTensor("xyz", "[B, n, 3]"),
        ForwardTensor("kind", "[B, n], −1 = no point", dtype: "I32"),
    ]
    let outputs = [
        ForwardTensor("code", "[B, E]"), ForwardTensor("rotation", "[B, 3, 3]"),
        ForwardTensor("canonical", "[B, n, 3]"),
        ForwardTensor("recon", "[B, n, 3], centroids at 0"),
        ForwardTensor("gap", "[B], how well the pose is determined"),
    ]
    let options: [ForwardOption] = []

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try PointClassPoseNetwork(archive: request.weights)
        let sizes = network.configuration
        let xyz = try request.floats("xyz", shape: [-1, -1, 3], "[B, n, 3]")
        let (b, n) = (xyz.shape[0], xyz.shape[1])
        guard n <= sizes.points else {
            throw ForwardError.wrongInput(
                name: "xyz", file: request.input.path, found: "\(xyz.shape)",
                expected: "at most \(sizes.points) points")
        }
        let kinds = try request.integers(
            "kind", shape: [b, n], in: -1..<sizes.kinds, "[\(b), \(n)]"
        ).int32s()
        // Points that are not there must come last, so that the batch keeps the order.
        for row in 0..<b {
            let own = kinds[(row * n)..<(row * n + n)]
            guard own.first != -1, own.drop(while: { $0 >= 0 }).allSatisfy({ $0 < 0 }) else {
                throw ForwardError.wrongInput(
                    name: "kind", file: request.input.path, found: "−1 before a point",
                    expected: "missing points at the end of a row")
            }
        }
        let values = xyz.floats().map(Double.init)
        let clouds = (0..<b).map { row -> PointCloud in
            let own = (row * n..<row * n + n).filter { kinds[$0] >= 0 }
            return PointCloud(
                positions: own.map {
                    SIMD3(values[3 * $0], values[3 * $0 + 1], values[3 * $0 + 2])
                }, kinds: own.map { Int(kinds[$0]) })
        }
        return withoutGradients {
            let output = network(network.batch(clouds, points: n))
            return [
                ("code", output.code), ("rotation", output.frame),
                ("canonical", output.canonical), ("recon", network.reconstruction(output)),
                ("gap", Tensor(output.gaps.map(Float.init), shape: [b])),
            ]
        }
    }
}
