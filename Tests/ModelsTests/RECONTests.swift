// RECON and its sessions on inputs whose class and pose are known.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

/// A class and an angle; embeddings are a noisy class centre, poses the angle behind an offset.
private struct Toy: Sendable, Equatable {
    var kind: Int
    var degrees: Double
    var noise: [Float]
}

private struct ToyBackend: SymmetryBackend {
    let takesPictures = false
    let offsets: [Double]

    func classPoses(of inputs: [Toy], cancellation: Cancellation) -> ClassPoses<Rotation2> {
        ClassPoses(
            embeddings: FeatureMatrix(
                width: 6,
                values: inputs.flatMap { toy in
                    (0..<6).map { ($0 == toy.kind ? 1 : 0) + toy.noise[$0] }
                }),
            poses: inputs.map { Rotation2(degrees: $0.degrees + offsets[$0.kind]) })
    }

    func rotated(_ input: Toy, by pose: Rotation2) -> Toy {
        Toy(
            kind: input.kind, degrees: Rotation2.wrap(input.degrees + pose.degrees),
            noise: input.noise)
    }

    func canonical(of input: Toy) -> Toy? {
        Toy(kind: input.kind, degrees: -offsets[input.kind], noise: input.noise)
    }

    func shape(of input: Toy, label: Int?) -> SymmetryShape {
        .points(PointSet(positions: [SIMD3(Double(input.kind), input.degrees, 0)]))
    }

    func input(of picture: RGBImage) -> Toy? { nil }
    func amortised(_ input: Toy) -> (level: Double?, centre: Rotation2?)? { nil }
}

private let offsets = [0.0, 75, 150, -120, -60, 30]

private func toys(
    levels: [Double], count: Int = 300, seed: UInt64 = 1
) -> SymmetryInputs<Toy, Rotation2> {
    var generator = RandomGenerator(seed: seed)
    let inputs = (0..<count).map { i -> Toy in
        let kind = i % levels.count
        // Every input draws its own numbers, so that another law moves its class alone.
        var own = generator.split(UInt64(i))
        let angle = levels[kind] * (2 * own.nextUniform() - 1)
        return Toy(
            kind: kind, degrees: angle, noise: (0..<6).map { _ in 0.05 * Float(own.nextNormal()) })
    }
    _ = generator.next()
    return SymmetryInputs(
        title: "toys", inputs: inputs, names: inputs.indices.map { "toy \($0)" },
        labels: inputs.map(\.kind), labelNames: levels.indices.map { "kind \($0)" },
        truth: inputs.map { Rotation2(degrees: $0.degrees) },
        laws: levels.map { .uniform(halfWidth: $0) },
        offsets: levels.map { _ in .identity })
}

private func session(
    _ inputs: SymmetryInputs<Toy, Rotation2>, offsets toyOffsets: [Double] = offsets
) throws -> SymmetryBankSession<ToyBackend> {
    try SymmetryBankSession(
        backend: ToyBackend(offsets: toyOffsets), inputs: inputs,
        defaults: SymmetrySettings(neighbours: 24, mean: .frechet), cancellation: Cancellation()
    ) { _, _, _ in }
}

private func levels(
    _ session: SymmetryBankSession<ToyBackend>, _ settings: SymmetrySettings? = nil
) throws -> [Double] {
    let settings = settings ?? session.offer.defaults
    let rows = try session.table(settings: settings, cancellation: Cancellation()) { _, _ in }.rows
    return (0..<session.labelNames.count).map { label in
        let own = rows.filter { session.label(of: $0.input) == label }
        return own.reduce(0) { $0 + $1.level } / Double(own.count)
    }
}

@Suite struct RECONTests {
    private let laws: [Double] = [0, 20, 45, 80, 120, 60]

    @Test func levelsAreFoundBehindUnknownOffsets() throws {
        let session = try session(toys(levels: laws))
        for (found, level) in zip(try levels(session), laws) {
            #expect(abs(found - level) < 0.2 * level + 1)
        }
        // Without a centre the offsets count as rotation.
        var raw = session.offer.defaults
        raw.mean = .none
        let uncentred = try levels(session, raw)
        #expect(uncentred[2] > 170 && uncentred[0] < 1)
    }

    @Test func labelsChangeNoLevel() throws {
        let inputs = toys(levels: laws)
        var shuffled = inputs
        var generator = RandomGenerator(seed: 7)
        shuffled.labels = generator.permutation(inputs.labels.count).map { inputs.labels[$0] }
        shuffled.truth = nil
        let settings = SymmetrySettings(neighbours: 24, mean: .tukey(c: nil))
        let first = try session(inputs).table(settings: settings, cancellation: Cancellation()) {
            _, _ in
        }
        let second = try session(shuffled).table(
            settings: settings, cancellation: Cancellation()
        ) { _, _ in }
        #expect(first.rows == second.rows)
    }

    @Test func anotherLawMovesItsClassAlone() throws {
        var swapped = laws
        swapped[2] = 90
        let before = try levels(try session(toys(levels: laws)))
        let after = try levels(try session(toys(levels: swapped)))
        for label in laws.indices {
            if label == 2 {
                #expect(abs(after[2] - 90) < 15 && abs(before[2] - 45) < 10)
            } else {
                #expect(abs(before[label] - after[label]) < 1e-9)
            }
        }
    }

    @Test func twoNetworksWithOtherCanonicalsAgree() throws {
        let inputs = toys(levels: laws)
        let first = try levels(try session(inputs))
        let second = try levels(
            try session(inputs, offsets: [100, -170, 10, 44, 160, -90]))
        for (a, b) in zip(first, second) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func aRotatedInputMovesItsPoseAndNothingElse() throws {
        let session = try session(toys(levels: laws))
        let settings = session.offer.defaults
        let still = try session.row(of: 9, settings: settings)
        let moved = try session.response(of: 9, to: .angle(37), settings: settings)
        #expect(abs(moved.poseChange.degrees - 37) < 3)
        #expect(moved.embeddingChange < 1e-6)
        // Its own pose joins its neighbours: a small change of the level.
        #expect(abs(moved.row.level - still.level) < 6)
        let far = try session.response(of: 7, to: .angle(150), settings: settings)
        #expect(far.row.isOutside)
        #expect(try !session.row(of: 12, settings: settings).isOutside || laws[0] == 0)
    }

    @Test func tablesAndSingleRowsAgreeUnderEverySetting() throws {
        let session = try session(toys(levels: laws, count: 120))
        let means: [SymmetryMean] = [.none, .frechet, .tukey(c: nil), .tukey(c: 60)]
        let families = SymmetryFamily.allCases
        for (i, mean) in means.enumerated() {
            for (j, metric) in SymmetryMetric.allCases.enumerated() {
                let family = families[(i + j) % families.count]
                let settings = SymmetrySettings(
                    neighbours: 12, metric: metric, mean: mean, family: family,
                    outside: family == .empirical ? .density(quantile: 0.02) : .support)
                let table = try session.table(
                    settings: settings, cancellation: Cancellation()
                ) { _, _ in }
                for input in [0, 5, 100] {
                    let row = try session.row(of: input, settings: settings)
                    #expect(row == table.rows[input], "\(mean) \(metric) \(family)")
                }
            }
        }
        var components = SymmetrySettings(neighbours: 12, mean: .frechet)
        components.neighbourhood = .component(step: 0.05)
        let found = try session.distribution(
            .neighbours(3), settings: components, cancellation: Cancellation())
        #expect(found.purity == 1)
        #expect(found.inputs.count > 12)
    }

    @Test func formsUndoWhatTheyShould() throws {
        let session = try session(toys(levels: laws))
        let settings = session.offer.defaults
        func angle(_ form: SymmetryForm) throws -> Double {
            guard
                case .points(let set) = try session.shape(of: 8, as: form, settings: settings)
            else { return .nan }
            return set.positions[0].y
        }
        let input = try angle(.input)
        #expect(abs(Rotation2.wrap(try angle(.reconstruction) - input)) < 1e-9)
        #expect(abs(try angle(.standardized)) < 15)
        #expect(abs(try angle(.naturalCanonical)) < 15)
        #expect(abs(Rotation2.wrap(try angle(.orbit(degrees: 90)) - input - 90)) < 1e-9)
        #expect(throws: SymmetryError.self) {
            try session.shape(of: 100_000, as: .input, settings: settings)
        }
    }

    @Test func settingsOutOfRangeAreRefused() throws {
        let session = try session(toys(levels: laws, count: 60))
        for k in [0, 1, 60] {
            #expect(throws: SymmetryError.self) {
                try session.row(of: 0, settings: SymmetrySettings(neighbours: k))
            }
        }
    }

    @Test func uniformLawsHaveNoCentre() throws {
        var generator = RandomGenerator(seed: 3)
        let poses = (0..<400).map { _ in Rotation2(degrees: 360 * generator.nextUniform()) }
        let one = PoseDistribution(
            pose: .identity, neighbours: poses,
            configuration: RECONConfiguration(neighbours: 25, centre: .frechet))
        #expect(one.isFullRotation && one.level == 180 && one.centre == .identity)
    }
}

@Suite struct TriangleMeshTests {
    private let square = """
        ply
        format ascii 1.0
        comment four corners
        element vertex 4
        property float x
        property float y
        property float z
        property uchar red
        element face 1
        property list uchar int vertex_indices
        end_header
        0 0 0 1
        1 0 0 2
        1 1 0 3
        0 1 0 4
        4 0 1 2 3

        """

    @Test func textAndBinaryPLYAgree() throws {
        let ascii = try TriangleMesh(ply: Array(square.utf8), path: "square.ply")
        #expect(ascii.vertices.count == 4)
        #expect(ascii.triangles == [SIMD3(0, 1, 2), SIMD3(0, 2, 3)])
        for isBig in [false, true] {
            let order = isBig ? "binary_big_endian" : "binary_little_endian"
            var bytes = Array(
                square.replacing("ascii", with: order).components(separatedBy: "0 0 0 1")[0].utf8)
            func append<T: FixedWidthInteger>(_ value: T) {
                let value = isBig ? value.bigEndian : value.littleEndian
                withUnsafeBytes(of: value) { bytes += $0 }
            }
            for (i, p) in ascii.vertices.enumerated() {
                for axis in 0..<3 { append(Float(p[axis]).bitPattern) }
                append(UInt8(i + 1))
            }
            append(UInt8(4))
            for corner in 0..<4 { append(Int32(corner)) }
            #expect(try TriangleMesh(ply: bytes, path: "square.ply") == ascii)
            #expect(throws: FileFormatError.self) {
                try TriangleMesh(ply: Array(bytes.dropLast()), path: "square.ply")
            }
        }
        let wrong = square.replacing("4 0 1 2 3", with: "4 0 1 2 9")
        #expect(throws: FileFormatError.self) {
            try TriangleMesh(ply: Array(wrong.utf8), path: "wrong.ply")
        }
    }

    @Test func pointsLieOnTheSurfaceEvenly() throws {
        let mesh = try TriangleMesh(ply: Array(square.utf8), path: "square.ply")
        var generator = RandomGenerator(seed: 1)
        let points = mesh.sample(4000, &generator)
        #expect(points.allSatisfy { $0.z == 0 && (0...1).contains($0.x) && (0...1).contains($0.y) })
        let mean = points.reduce(.zero, +) / 4000
        #expect(abs(mean.x - 0.5) < 0.03 && abs(mean.y - 0.5) < 0.03)
    }
}
