// Perceptual distance, critic, and the one gradient that they make together.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct ReconstructionLossTests {
    private static let perceptual = PerceptualFeatures(store: ParameterStore(tensors: weights()))

    /// Weights by formula, which the golden's program uses too.
    private static func weights() -> [String: Tensor] {
        let sizes = [
            ("conv1_1", 3, 64), ("conv1_2", 64, 64), ("conv2_1", 64, 128), ("conv2_2", 128, 128),
            ("conv3_1", 128, 256), ("conv3_2", 256, 256), ("conv3_3", 256, 256),
        ]
        var tensors: [String: Tensor] = [:]
        for (layer, (name, inputs, outputs)) in sizes.enumerated() {
            let scale = (2 / Double(inputs * 9)).squareRoot()
            tensors["\(name).weight"] = Tensor(
                (0..<(outputs * inputs * 9)).map { n in
                    let x = Double(n) * 0.7 + Double(n * n % 97) * 0.13 + Double(layer)
                    return Float(sin(x) * scale)
                }, shape: [outputs, inputs, 3, 3])
            tensors["\(name).bias"] = Tensor(
                (0..<outputs).map { Float(cos(Double($0 + layer)) * 0.1) }, shape: [outputs])
        }
        return tensors
    }

    private func pictures(_ k: Int, batch: Int = 2, side: Int = 8) -> Tensor {
        let values = (0..<(batch * 3 * side * side)).map { n -> Float in
            let angle: Double = Double(n) * 0.31 + Double(k) * 0.8 + Double(n % 7) * 0.2
            return Float(0.9 * sin(angle))
        }
        return Tensor(values, shape: [batch, 3, side, side])
    }

    /// Stored values: PyTorch 2.15 in float64 on the same formulas (max_pool2d, conv2d with padding
    /// 1, relu, B-G-R means taken off, unit length over channels, squares summed over channels and
    /// averaged over space, the three stages added), and its autograd.
    @Test func perceptualDistanceIsThatOfPyTorch() throws {
        let leaf = pictures(0).leaf()
        let distance = Self.perceptual.distance(leaf, to: pictures(1))
        expectClose([distance.item()], [1.291499684881982], relative: 2e-5)
        let means = Self.perceptual.features(pictures(0)).map { $0.abs().mean().item() }
        expectClose(
            means, [17.082430621413142, 6.9787602944512175, 0.898851773963045], relative: 2e-5)
        let gradient = try #require(distance.backward()[leaf]).floats()
        expectClose(
            [0, 77, 200, 383].map { gradient[$0] },
            [
                -0.0037234901463241528, -0.02069845405371666, 0.0012822412933796727,
                -0.0022455460185051915,
            ], absolute: 2e-6, relative: 1e-3)
        let length = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(length - 0.27151972770894867) < 1e-4)
        #expect(Self.perceptual.distance(pictures(0), to: pictures(0)).item() < 1e-5)
    }

    // MARK: Critic

    private func critic() -> PatchDiscriminator {
        PatchDiscriminator(AdversarialConfiguration(width: 8, layers: 1), seed: 4)
    }

    @Test func criticsGradientsAreDifferences() throws {
        let critic = critic()
        for parameter in critic.parameters {
            parameter.isTrainable = true
            // Larger than the start, so that differences in float32 see them.
            if parameter.name.hasSuffix("conv.weight") || parameter.name == "answer.weight" {
                parameter.value = parameter.value * 8
            }
        }
        let (real, made) = (pictures(0), pictures(1) * 0.5)
        let gradients = critic.loss(pictures: real, reconstructions: made).backward()
        for parameter in critic.parameters {
            let gradient = try #require(gradients[parameter]).floats()
            let kept = parameter.value.floats()
            // A few entries of every tensor by central differences.
            for i in stride(from: 0, to: kept.count, by: max(1, kept.count / 4)) {
                func loss(_ shift: Float) -> Double {
                    var moved = kept
                    moved[i] += shift
                    parameter.value = Tensor(moved, shape: parameter.shape)
                    defer { parameter.value = Tensor(kept, shape: parameter.shape) }
                    return Double(critic.loss(pictures: real, reconstructions: made).item())
                }
                let numeric = (loss(2e-3) - loss(-2e-3)) / 4e-3
                #expect(
                    abs(numeric - Double(gradient[i])) < 2e-3 + 0.03 * abs(numeric),
                    "\(parameter.name)[\(i)]")
            }
        }
        // Frozen, the critic records nothing of its own.
        let leaf = made.leaf()
        let judged = critic.judgement(of: leaf).backward()
        #expect(judged[leaf] != nil && critic.parameters.allSatisfy { judged[$0] == nil })
    }

    @Test func theCriticsWeightGrowsAfterItsStart() {
        let configuration = AdversarialConfiguration(weight: 0.2, start: 0.5)
        #expect(configuration.weight(progress: 0.49) == 0)
        #expect(abs(configuration.weight(progress: 0.525) - 0.1) < 1e-6)
        #expect(configuration.weight(progress: 0.9) == 0.2)
    }

    // MARK: All together

    @Test func surrogateHasTheGradientOfTheSum() throws {
        let loss = ReconstructionLoss(
            absoluteWeight: 0.5, squaredWeight: 2, perceptualWeight: 0.3,
            perceptual: Self.perceptual)
        let targets = pictures(1)
        let scale = Tensor([1.3], shape: [1]).leaf()
        let result = loss(pictures(0) * scale, targets: targets)
        let recorded = try #require(result.surrogate.backward()[scale]).item()
        let numeric = numericalGradient(
            of: { factor in
                let x = pictures(0) * factor
                let difference = x - targets
                return difference.abs().mean() * 0.5 + difference.square().mean() * 2
                    + Self.perceptual.distance(x, to: targets) * 0.3
            }, at: Tensor([1.3], shape: [1]), step: 1e-3
        ).item()
        #expect(abs(recorded - numeric) < 0.01 * abs(numeric) + 1e-3)
    }

    @Test func theCriticsPartIsAsLongAsItsWeightSays() throws {
        let loss = ReconstructionLoss(
            absoluteWeight: 1, squaredWeight: 1, perceptualWeight: 0, perceptual: nil)
        func gradient(_ weight: Float?) throws -> [Float] {
            let leaf = pictures(0).leaf()
            let result = loss(
                leaf, targets: pictures(1), critic: weight.map { (critic(), $0) })
            return try #require(result.surrogate.backward()[leaf]).floats()
        }
        let plain = try gradient(nil)
        let judged = try gradient(0.25)
        func length(_ x: [Float]) -> Double {
            x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        let part = length(zip(judged, plain).map { $0 - $1 })
        #expect(abs(part / length(plain) - 0.25) < 1e-3)
    }
}
