// Points in space as inputs of the symmetry engine, and the sets they come from.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Points in space, embedded by a ``PointClassPoseNetwork``.
struct PointBackend: SymmetryBackend {
    let network: PointClassPoseNetwork
    let source: (any PointSource)?
    let kindNames: [String]
    /// Whether bonds are told from distances.
    var isMolecules = false
    let takesPictures = false

    func classPoses(
        of inputs: [PointCloud], cancellation: Cancellation
    ) throws -> ClassPoses<Rotation3> {
        try network.classPoses(of: inputs, cancellation: cancellation)
    }

    func rotated(_ input: PointCloud, by pose: Rotation3) -> PointCloud {
        input.rotated(by: pose)
    }

    func canonical(of input: PointCloud) -> PointCloud? {
        let values = withoutGradients { network(network.batch([input])).canonical }.floats()
        return PointCloud(
            positions: input.positions.indices.map {
                SIMD3(
                    Double(values[3 * $0]), Double(values[3 * $0 + 1]),
                    Double(values[3 * $0 + 2]))
            }, kinds: input.kinds)
    }

    func shape(of input: PointCloud, label: Int?) -> SymmetryShape {
        .points(
            PointSet(
                positions: input.positions, kinds: input.kinds,
                edges: isMolecules
                    ? MoleculeSource.bonds(of: input)
                    : label.flatMap { source?.edges(of: $0) } ?? [], kindNames: kindNames))
    }

    func input(of picture: RGBImage) -> PointCloud? { nil }
    func amortised(_ input: PointCloud) -> (level: Double?, centre: Rotation3?)? { nil }
}

extension PointSource {
    /// Samples that are turned once by a law, each class behind a frame of its own that nobody is
    /// told: x = g·γ_class·sample.
    ///
    /// The same count and seed give the same inputs.
    func inputs(
        law: SpaceLaw, count: Int, seed: UInt64, isHeldOut: Bool = false
    ) -> SymmetryInputs<PointCloud, Rotation3> {
        var frames = RandomGenerator(seed: seed, stream: 0x6672_616D)
        let references = classes.map { _ in Rotation3.uniform(&frames) }
        var generator = RandomGenerator(seed: seed, stream: isHeldOut ? 0x706F_6974 : 0x706F_696E)
        var inputs: [PointCloud] = []
        var labels: [Int] = []
        var truth: [Rotation3] = []
        for i in 0..<count {
            let label = i % classes.count
            let g = law.draw(&generator)
            inputs.append(
                sample(of: label, isHeldOut: isHeldOut, &generator)
                    .rotated(by: g * references[label]))
            labels.append(label)
            truth.append(g)
        }
        return SymmetryInputs(
            title: "\(name), \(count) samples, law \(law.name), seed \(seed)", inputs: inputs,
            names: labels.enumerated().map { "\(classes[$0.element]) #\($0.offset)" },
            labels: labels, labelNames: classes, truth: truth,
            laws: classes.map { _ in law.shown }, offsets: classes.map { _ in .identity })
    }
}
