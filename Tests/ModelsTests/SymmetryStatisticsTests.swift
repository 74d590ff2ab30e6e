// Means, estimators and neighbours of the symmetry engine.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

private struct SO2Golden: Decodable {
    struct Case: Decodable {
        var name: String
        var poses: [Double]
        var frechet: Double
        var frechet_cost: Double
        var tukey_c45: Double
        var tukey_c90: Double
        var centred_by_frechet: [Double]
    }
    var so2: [Case]
}

private struct EstimatorGolden: Decodable {
    struct Case: Decodable {
        var kind: String
        var signed: [[Double]]
        var est: [String: [Double?]]
    }
    struct Cyclic: Decodable {
        var signed: [[Double]]
        var class_index_from_signed: [Int]
    }
    var cases: [Case]
    var cyclic: [Cyclic]
    var cyclic_templates_nonzero: [String: [[Double]]]
    var calibration_uniform_k45_mean_std: [String: [String: [Double]]]
}

private func golden<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let text = try String(contentsOfFile: Fixture.path("symmetry/\(name)"), encoding: .utf8)
    // The published code gives NaN where nothing is left to average.
    return try JSONDecoder().decode(type, from: Data(text.replacing("NaN", with: "null").utf8))
}

private func near(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    abs(Rotation2.wrap(a - b)) <= tolerance
}

@Suite struct SymmetryStatisticsTests {
    @Test func meansOnTheCircleAgreeWithTheStoredOnes() throws {
        for item in try golden("recon_so2.json", as: SO2Golden.self).so2 {
            let poses = item.poses.map { Rotation2(degrees: $0) }
            let mean = Rotation2.frechetMean(of: poses)
            #expect(near(mean.degrees, item.frechet, 1e-6), "\(item.name): \(mean)")
            let cost = poses.reduce(0) { $0 + pow(mean.distance(to: $1), 2) }
            #expect(abs(cost - item.frechet_cost) < 1e-6 * item.frechet_cost)
            let t45 = Rotation2.tukeyMean(of: poses, scale: 45).degrees
            let t90 = Rotation2.tukeyMean(of: poses, scale: 90).degrees
            #expect(near(t45, item.tukey_c45, 1e-6), "\(item.name): \(t45)")
            #expect(near(t90, item.tukey_c90, 1e-6), "\(item.name): \(t90)")
            for (pose, centred) in zip(poses, item.centred_by_frechet) {
                #expect(near((pose * mean.inverse).degrees, centred, 1e-6))
            }
        }
    }

    @Test func estimatorsAgreeWithThePublishedCode() throws {
        let stored = try golden("estimators.json", as: EstimatorGolden.self)
        for item in stored.cases {
            for (name, values) in item.est {
                let estimator = try #require(
                    SymmetryEstimator(rawValue: name.replacing("_", with: "-")))
                for (signed, expected) in zip(item.signed, values) {
                    let expected = expected ?? 0
                    // The published code takes absolute values always; fed with them, ours agrees.
                    let poses = estimator == .gaussian ? signed.map { abs($0) } : signed
                    let level = estimator.level(of: poses)
                    #expect(
                        abs(level - expected) <= 2e-5 * abs(expected) + 1e-4,
                        "\(item.kind) \(name): \(level), expected \(expected)")
                }
            }
        }
    }

    @Test func cyclicOrdersAndTemplatesAgreeWithThePublishedCode() throws {
        let stored = try golden("estimators.json", as: EstimatorGolden.self)
        for (text, entries) in stored.cyclic_templates_nonzero {
            let template = CyclicTemplates.template(try #require(Int(text)))
            #expect(template.filter { $0 > 0 }.count == entries.count)
            for entry in entries { #expect(abs(template[Int(entry[0])] - entry[1]) < 1e-5) }
        }
        for item in stored.cyclic {
            for (signed, index) in zip(item.signed, item.class_index_from_signed) {
                #expect(SymmetryEstimator.cyclic.level(of: signed) == Double(index + 1))
            }
        }
    }

    @Test func estimatorsAreCalibratedOnExactUniformLaws() throws {
        let stored = try golden("estimators.json", as: EstimatorGolden.self)
        var generator = RandomGenerator(seed: 5)
        for (text, figures) in stored.calibration_uniform_k45_mean_std {
            let width = try #require(Double(text))
            let rows = (0..<400).map { _ in
                (0..<45).map { _ in width * (2 * generator.nextUniform() - 1) }
            }
            for (name, expected) in figures where name != "gaussian" {
                let estimator = try #require(
                    SymmetryEstimator(rawValue: name.replacing("_", with: "-")))
                let levels = rows.map { estimator.level(of: $0) }
                let mean = SymmetryEstimator.mean(levels)
                #expect(
                    abs(mean - expected[0]) < 5 * expected[1] / 20,
                    "\(name) of U(±\(width)): \(mean), expected \(expected[0])")
            }
            // Signed values give the deviation of the law itself.
            let signed = SymmetryEstimator.mean(
                rows.map { SymmetryEstimator.gaussian.level(of: $0) })
            #expect(abs(signed - width / 3.0.squareRoot()) < 0.05 * width)
        }
    }

    @Test func rotationsOfSpaceHaveExactLogarithmsUpToHalfATurn() {
        var generator = RandomGenerator(seed: 2)
        for angle in [1e-9, 1e-4, 1, 90, 179, 179.9999, 180 - 1e-9] {
            let axis = SIMD3(
                generator.nextNormal(), generator.nextNormal(), generator.nextNormal())
            let vector = axis * (angle / (axis * axis).sum().squareRoot())
            let rotation = Rotation3(rotationVector: vector)
            let found = rotation.rotationVector
            let difference = found - vector
            #expect((difference * difference).sum().squareRoot() < 1e-9 * angle + 1e-12)
            #expect(abs(rotation.angle - angle) < 1e-9)
            let product = (rotation * rotation.inverse).angle
            #expect(product < 1e-6)
        }
    }

    @Test func meansInSpaceMoveWithTheirPoses() {
        var generator = RandomGenerator(seed: 3)
        let centre = Rotation3.uniform(&generator)
        let poses = (0..<40).map { _ in
            Rotation3(
                rotationVector: SIMD3(
                    generator.nextNormal(), generator.nextNormal(), generator.nextNormal()) * 20)
        }
        let means = [
            Rotation3.frechetMean(of: poses), Rotation3.tukeyMean(of: poses),
        ]
        // The gradient of the Fréchet cost vanishes at the mean.
        let gradient = poses.map { (means[0].inverse * $0).rotationVector }.reduce(.zero, +)
        #expect((gradient * gradient).sum().squareRoot() < 1e-9)
        // Bi-invariance: F(μ·Γ) = F(μ)·Γ and F(Γ·μ) = Γ·F(μ).
        let right = poses.map { $0 * centre }
        let left = poses.map { centre * $0 }
        #expect(Rotation3.frechetMean(of: right).distance(to: means[0] * centre) < 1e-9)
        #expect(Rotation3.frechetMean(of: left).distance(to: centre * means[0]) < 1e-9)
        #expect(Rotation3.tukeyMean(of: right).distance(to: means[1] * centre) < 1e-9)
    }

    @Test func tukeyMeanInSpaceIgnoresASecondMode() {
        var generator = RandomGenerator(seed: 4)
        func noise() -> Rotation3 {
            Rotation3(
                rotationVector: SIMD3(
                    generator.nextNormal(), generator.nextNormal(), generator.nextNormal()) * 4)
        }
        let first = Rotation3(rotationVector: SIMD3(0, 0, 40))
        let second = Rotation3(rotationVector: SIMD3(0, 0, -130))
        let poses = (0..<30).map { _ in noise() * first } + (0..<15).map { _ in noise() * second }
        #expect(Rotation3.tukeyMean(of: poses, scale: 60).distance(to: first) < 3)
        #expect(Rotation3.frechetMean(of: poses).distance(to: first) > 20)
    }

    @Test func resultantLengthTellsAPointFromTheUniformLaw() {
        var generator = RandomGenerator(seed: 6)
        let uniform3 = (0..<4000).map { _ in Rotation3.uniform(&generator) }
        let uniform2 = (0..<4000).map { _ in
            Rotation2(degrees: 360 * generator.nextUniform())
        }
        #expect(Rotation3.resultantLength(of: uniform3) < 0.05)
        #expect(Rotation2.resultantLength(of: uniform2) < 0.05)
        #expect(abs(Rotation3.resultantLength(of: [uniform3[0], uniform3[0]]) - 1) < 1e-12)
        #expect(abs(Rotation2.resultantLength(of: [uniform2[0], uniform2[0]]) - 1) < 1e-12)
    }

    @Test func lawsIntegrateToOneAndRulesFollowThem() {
        let poses = [-20.0, -10, -4, 3, 8, 15, 170]
        for family in SymmetryFamily.allCases {
            let law = FittedLaw(family, poses: poses)
            let sum = stride(from: -179.5, through: 179.5, by: 1).reduce(0) {
                $0 + law.density(at: $1)
            }
            #expect(abs(sum - 1) < 0.02, "\(family): \(sum)")
        }
        let neighbours = (-30...30).map { Rotation2(degrees: Double($0)) }
        let law = FittedLaw(.uniform, poses: neighbours.map(\.degrees), estimator: .mle)
        for rule in [
            OutOfDistributionRule.level(margin: 0), .support(quantile: 0.02),
            .density(quantile: 0.02),
        ] {
            func score(_ degrees: Double) -> Double {
                rule.score(Rotation2(degrees: degrees), neighbours: neighbours, law: law)
            }
            #expect(score(10) <= 0, "\(rule)")
            #expect(score(-100) > 0, "\(rule)")
        }
    }

    @Test(arguments: NeighbourMetric.allCases)
    func blockedSearchFindsTheExactNeighbours(metric: NeighbourMetric) {
        let (n, width, k) = (700, 9, 12)
        let values = randomTensor([n, width], seed: 8).floats().map { $0 + 0.5 }
        let set = FeatureMatrix(width: width, values: values)
        for subtracts in [false, true] {
            let bank = NeighbourBank(set, metric: metric, subtractsMean: subtracts)
            let table = bank.nearestOthers(k: k)
            let means = (0..<width).map { c in
                (0..<n).reduce(0.0) { $0 + Double(values[$1 * width + c]) } / Double(n)
            }
            func row(_ i: Int) -> [Double] {
                (0..<width).map {
                    Double(values[i * width + $0]) - (subtracts ? means[$0] : 0)
                }
            }
            let rows = (0..<n).map(row)
            func dot(_ a: [Double], _ b: [Double]) -> Double {
                zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
            }
            for i in stride(from: 0, to: n, by: 97) {
                let distances = (0..<n).map { j -> Double in
                    if j == i { return .infinity }
                    if metric == .cosine {
                        return 1 - dot(rows[i], rows[j])
                            / (dot(rows[i], rows[i]) * dot(rows[j], rows[j])).squareRoot()
                    }
                    let difference = zip(rows[i], rows[j]).map { $0 - $1 }
                    return dot(difference, difference).squareRoot()
                }
                let sorted = distances.sorted()
                for place in 0..<k {
                    let found = distances[Int(table[i][i * k + place])]
                    #expect(abs(found - sorted[place]) < 1e-5)
                    #expect(abs(Double(table.distances[i * k + place]) - found) < 2e-3)
                }
            }
            let own = bank.nearest(to: set, k: 1)
            #expect((0..<n).allSatisfy { Int(own.indices[$0]) == $0 })
        }
    }
}
