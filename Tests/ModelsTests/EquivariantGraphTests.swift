// The message passing and frames of the class-pose network for points.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct EquivariantGraphTests {
    private let golden: [String: Tensor]

    init() throws { golden = try Fixture.tensors("symmetry/giae_se3_tiny.safetensors") }

    private func stored(_ name: String) throws -> Tensor { try #require(golden[name]) }

    private func graph(_ prefix: String, moves: Bool) -> EquivariantGraph {
        EquivariantGraph(
            ParameterStore(tensors: golden).scope[prefix]["equivariant_gnn"],
            configuration: EquivariantGraphConfiguration(
                width: 6, layers: 3, centres: 8, reach: 4, distance: .squared,
                largestDistance: moves ? nil : 10, movesPositions: moves))
    }

    @Test func encoderAgreesWithThePublishedNetwork() throws {
        let positions = try stored("pos").reshaped([8, 4, 3])
        let lift = Linear(
            ParameterStore(tensors: golden).scope["enc"]["ohe_lin"], inputs: 4, outputs: 6)
        let identity = Tensor((0..<16).map { $0 % 5 == 0 ? 1 : 0 }, shape: [1, 4, 4])
        let state = graph("enc", moves: true)(
            scalars: lift(identity).expanded(to: [8, 4, 6]).contiguous(), positions: positions)
        let head = GatedEquivariantBlock(
            ParameterStore(tensors: golden).scope["enc"]["lin"], width: 6, scalars: 4, vectors: 2)
        let (scalars, vectors) = head(state.scalars, state.vectors)
        let parts = scalars.split(axis: 2, sizes: [2, 2, 2])
        let shape = parts[1].mean(axes: [1])
        let pooled = (vectors * parts[0].unsqueezed(2)).mean(axes: [1])
        expectClose(shape, try stored("shape_emb").floats(), absolute: 1e-6, "shape_emb")
        expectClose(parts[2], try stored("point_emb").floats(), absolute: 1e-6, "point_emb")
        expectClose(
            pooled.transposed(1, 2).contiguous(), try stored("vout").floats(), absolute: 1e-6,
            "vout")
        expectClose(
            state.positions.mean(axes: [1]), try stored("transl").floats(), absolute: 1e-6,
            "transl")
        let v = try stored("vout").split(axis: 1, sizes: [1, 1])
        let frame = RotationFrame.gramSchmidt(v[0].squeezed(1), v[1].squeezed(1))
        // The line's second axis is made of rounding errors.
        expectClose(frame, try stored("rot").floats(), absolute: 1e-4, "rot")
    }

    @Test func decoderAgreesWithThePublishedNetwork() throws {
        let scope = ParameterStore(tensors: golden).scope["dec"]
        let mix = Linear(scope["lin"], inputs: 2, outputs: 6)
        let table = try stored("dec.pos_table").unsqueezed(0)
        let shape = try stored("shape_emb").unsqueezed(1)
        let permutation = try stored("perm_soft_no_noise")
        let scalars = matmul(permutation, mix(table + shape))
        let start = matmul(
            try stored("dec.start_pos").unsqueezed(0).expanded(to: [8, 4, 3]).contiguous(),
            try stored("rot").transposed(1, 2))
        let state = graph("dec", moves: false)(scalars: scalars, positions: start)
        let made = state.vectors.mean(axes: [3]) + start + (try stored("transl").unsqueezed(1))
        expectClose(made, try stored("recon").floats(), absolute: 2e-6, "recon")
    }

    @Test func polarFrameIsTheRotationThatWasApplied() {
        var generator = RandomGenerator(seed: 1)
        for _ in 0..<20 {
            let r = Rotation3.uniform(&generator)
            let points = (0..<5).map { _ in
                SIMD3(
                    generator.nextNormal(), generator.nextNormal(), generator.nextNormal())
            }
            var m = [Double](repeating: 0, count: 9)
            for c in points {
                let x = r * c
                for a in 0..<3 { for b in 0..<3 { m[3 * a + b] += x[a] * c[b] } }
            }
            let found = RotationFrame.polar(m)
            #expect(found.rotation.distance(to: r) < 1e-6)
            #expect(found.gap > 1e-3)
        }
        // Points on a line: a circle of rotations is as good.
        let line = RotationFrame.polar([0, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(line.gap < 1e-9)
    }

    @Test(arguments: PointClassPoseConfiguration.Frame.allCases)
    func networkIsExactlyEquivariant(frame: PointClassPoseConfiguration.Frame) throws {
        let network = try PointClassPoseNetwork(
            configuration: PointClassPoseConfiguration(
                graph: EquivariantGraphConfiguration(width: 8, layers: 2, centres: 6, reach: 4),
                kinds: 4, points: 4, code: 5, hidden: 12, frame: frame),
            store: ParameterStore(seed: 3))
        var generator = RandomGenerator(seed: 9)
        let source = TetrisSource(noise: 0.02)
        let clouds = [0, 1, 4, 5, 7].map {
            source.sample(of: $0, isHeldOut: false, &generator)
        }
        let turns = clouds.map { _ in Rotation3.uniform(&generator) }
        let before = try network.classPoses(of: clouds)
        let after = try network.classPoses(of: zip(clouds, turns).map { $0.rotated(by: $1) })
        expectClose(after.embeddings.values, before.embeddings.values, absolute: 2e-5, "code")
        for (i, turn) in turns.enumerated() {
            #expect((turn * before.poses[i]).distance(to: after.poses[i]) < 0.05)
        }
        // Mirror images are told apart.
        let mirrored = PointCloud(
            positions: clouds[0].positions.map { SIMD3($0.x, $0.y, -$0.z) },
            kinds: clouds[0].kinds)
        let codes = try network.classPoses(of: [clouds[0], mirrored]).embeddings
        #expect(zip(codes[0], codes[1]).contains { abs($0 - $1) > 1e-5 })
    }

    @Test func maskedPointsChangeNothing() throws {
        let network = try PointClassPoseNetwork(
            configuration: PointClassPoseConfiguration(
                graph: EquivariantGraphConfiguration(width: 8, layers: 2, centres: 6, reach: 4),
                kinds: 4, points: 6, code: 5, hidden: 12),
            store: ParameterStore(seed: 3))
        var generator = RandomGenerator(seed: 9)
        let cloud = TetrisSource().sample(of: 5, isHeldOut: false, &generator)
        let alone = network(PointBatch([cloud]))
        let padded = network(PointBatch([cloud], points: 6))
        expectClose(padded.code, alone.code.floats(), absolute: 1e-6, "code")
        #expect(alone.rotations[0].distance(to: padded.rotations[0]) < 1e-3)
    }

    @Test func trainingLowersTheReconstructionErrorAndResumes() throws {
        func make() throws -> PointClassPoseTraining {
            try PointClassPoseTraining(
                model: PointClassPoseConfiguration(
                    graph: EquivariantGraphConfiguration(
                        width: 8, layers: 2, centres: 6, reach: 4), kinds: 4, points: 4,
                    code: 4, hidden: 16),
                source: TetrisSource(),
                optimizer: OptimizerConfiguration(
                    learningRate: 5e-3, steps: 40, warmUpSteps: 2, weightDecay: 0, beta2: 0.999,
                    clipNorm: 0.5, averageDecay: 0.9), batch: 16, seed: 1)
        }
        let run = try make()
        var losses: [Double] = []
        for _ in 0..<20 { losses.append(try run.advance()[0].value) }
        // A state holds the tensors that go on being trained; a file would hold copies.
        var state = run.state()
        state.tensors = state.tensors.mapValues { $0.copied() }
        for _ in 0..<20 { losses.append(try run.advance()[0].value) }
        let (first, last) = (losses[0..<5].reduce(0, +), losses[35..<40].reduce(0, +))
        #expect(last < 0.5 * first)
        let second = try make()
        try second.restore(state)
        for i in 20..<40 { #expect(try second.advance()[0].value == losses[i]) }
        let figures = try run.evaluate(cancellation: Cancellation())
        #expect(figures.contains { $0.name == "equivariance_error" && $0.value < 0.1 })
    }
}
