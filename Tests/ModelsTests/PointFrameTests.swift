// What keeps the frames of molecules from flipping, and folders of molecules and pictures.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct PointFrameTests {
    private func cloud(_ count: Int, seed: UInt64) -> PointCloud {
        var generator = RandomGenerator(seed: seed)
        return PointCloud(
            positions: (0..<count).map { _ in
                2 * SIMD3(generator.nextNormal(), generator.nextNormal(), generator.nextNormal())
            }, kinds: (0..<count).map { $0 % 3 })
    }

    private func network(_ noise: Float?, kindWeight: Float? = nil) throws -> PointClassPoseNetwork
    {
        try PointClassPoseNetwork(
            configuration: PointClassPoseConfiguration(
                graph: EquivariantGraphConfiguration(width: 8, layers: 2, centres: 6, reach: 4),
                kinds: 3, points: 8, code: 5, hidden: 12, weights: [1, 12, 16], codeNoise: noise,
                kindWeight: kindWeight),
            store: ParameterStore(seed: 3))
    }

    /// Eckart's condition, Σ m c × Rᵀx = 0, holds for the frame that least squares choose.
    @Test func theFrameIsEckarts() throws {
        let network = try network(nil)
        let clouds = [cloud(6, seed: 1), cloud(8, seed: 2)]
        let batch = network.batch(clouds)
        let output = network(batch)
        let canonical = output.canonical.floats().map(Double.init)
        let weights = [1.0, 12, 16]
        for (row, cloud) in clouds.enumerated() {
            let total = cloud.kinds.reduce(0) { $0 + weights[$1] }
            var middle = SIMD3<Double>.zero
            for (position, kind) in zip(cloud.positions, cloud.kinds) {
                middle += weights[kind] * position / total
            }
            var moment = SIMD3<Double>.zero
            var scale = 0.0
            for (i, position) in cloud.positions.enumerated() {
                let place = 3 * (row * 8 + i)
                let c = SIMD3(canonical[place], canonical[place + 1], canonical[place + 2])
                let x = output.rotations[row].inverse * (position - middle)
                let m = weights[cloud.kinds[i]]
                var cross = SIMD3<Double>.zero
                for axis in 0..<3 {
                    let (j, k) = ((axis + 1) % 3, (axis + 2) % 3)
                    cross[axis] = c[j] * x[k] - c[k] * x[j]
                }
                moment += m * cross
                scale += m * ((c * c).sum() * (x * x).sum()).squareRoot()
            }
            #expect((moment * moment).sum().squareRoot() < 1e-4 * scale)
        }
    }

    @Test func noiseDisturbsTheLossAndNotTheFrame() throws {
        let network = try network(0.5, kindWeight: 1)
        let batch = network.batch([cloud(6, seed: 1), cloud(8, seed: 2)])
        let clean = network(batch)
        let zero = network(batch, noise: .zeros([2, 5], device: currentDevice))
        let noisy = network(batch, noise: Tensor([Float](repeating: 1, count: 10), shape: [2, 5]))
        #expect(network.loss(zero, batch).item() == network.loss(clean, batch).item())
        #expect(network.loss(noisy, batch).item() != network.loss(clean, batch).item())
        #expect(noisy.frame.floats() == clean.frame.floats())
        let code = clean.code.floats()
        for row in 0..<2 {
            let power = code[(5 * row)..<(5 * row + 5)].reduce(0) { $0 + $1 * $1 } / 5
            #expect(abs(power - 1) < 1e-3)
        }
    }

    /// Two groups of points further apart than the cutoff are as each alone.
    @Test func nothingPassesBeyondTheCutoff() {
        let graph = EquivariantGraph(
            ParameterStore(seed: 5).scope["graph"],
            configuration: EquivariantGraphConfiguration(
                width: 6, layers: 3, centres: 5, reach: 3, cutoff: 3))
        let (a, b) = (cloud(4, seed: 3), cloud(3, seed: 4))
        func state(_ parts: [(cloud: PointCloud, shift: Double)]) -> [Float] {
            let points = parts.flatMap { part in
                part.cloud.positions.map { 0.3 * $0 + SIMD3(part.shift, 0, 0) }
            }
            let kinds = parts.flatMap(\.cloud.kinds)
            return graph(
                scalars: Tensor(
                    kinds.flatMap { kind in (0..<6).map { Float((kind + $0) % 4) } },
                    shape: [1, points.count, 6]),
                positions: Tensor(
                    points.flatMap { [Float($0.x), Float($0.y), Float($0.z)] },
                    shape: [1, points.count, 3])
            ).scalars.floats()
        }
        let alone = state([(a, 0)])
        let both = state([(a, 0), (b, 40)])
        expectClose(Array(both.prefix(alone.count)), alone, absolute: 1e-5, "scalars")
        let near = state([(a, 0), (b, 1)])
        #expect(zip(near, alone).contains { abs($0 - $1) > 1e-3 })
    }

    // MARK: Folders

    private let rules = SymmetryFolders.PointRules(
        points: 4, kinds: 6, elements: MoleculeSource.elements)

    @Test func moleculesAreReadByTheirElements() throws {
        let folder = try TemporaryFolder()
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }
        try write("3\nwater\nO 0 0 0\nH 0 0.76 -0.59\nH 0 -0.76 -0.59\n", "a.xyz")
        try write("Xx 0 0 0\nH 0 0 1\n", "b.xyz")
        try write("1 2 3\n4 5 6\n", "c.xyz")
        try write("C 0 0 0\nH 0 0 1\nH 0 1 0\nH 1 0 0\nH 1 1 1\n", "d.xyz")
        let set = try SymmetryFolders.points(folder.path, rules: rules)
        #expect(set.names == ["a.xyz"])
        #expect(set.inputs[0].kinds == [3, 0, 0])
        #expect(set.title.contains("3 of 4 files left out"))
        #expect(set.title.contains("Xx"))
        #expect(MoleculeSource.bonds(of: set.inputs[0]) == [SIMD2(0, 1), SIMD2(0, 2)])
    }

    @Test func whatIsNotThereIsSaid() throws {
        let folder = try TemporaryFolder()
        #expect(throws: FileFormatError.self) {
            try SymmetryFolders.points(folder.path + "/none", rules: rules)
        }
        #expect(throws: SymmetryError.self) {
            try SymmetryFolders.points(folder.path, rules: rules)
        }
        // Where nothing can be read, the first file's own trouble is told.
        try Data("no numbers".utf8).write(to: URL(fileURLWithPath: folder.path + "/a.xyz"))
        #expect(throws: FileFormatError.self) {
            try SymmetryFolders.points(folder.path, rules: rules)
        }
    }
}
