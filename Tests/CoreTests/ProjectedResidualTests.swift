// The operators of a chain of transformer blocks against those they stand for.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@Suite struct ProjectedResidualTests {
    private static func random(_ shape: [Int], seed: UInt64) -> Tensor {
        var generator = RandomGenerator(seed: seed)
        return .normal(shape, generator: &generator)
    }

    private let inputs = [
        random([2, 3, 8], seed: 1), random([2, 3, 12], seed: 2), random([8, 12], seed: 3),
        random([8], seed: 4), random([2, 1, 8], seed: 5), random([2, 1, 8], seed: 6),
        random([2, 1, 8], seed: 7),
    ]

    private func composed(_ x: [Tensor]) -> (h: Tensor, normed: Tensor) {
        let h = x[0] + linear(x[1], x[2], x[3]) * x[4]
        let mean = h.mean(axes: [2], keepDimensions: true)
        let variance = (h - mean).square().mean(axes: [2], keepDimensions: true)
        return (h, (h - mean) / (variance + 1e-6).sqrt() * (1 + x[5]) + x[6])
    }

    @Test func isWhatItsPartsAre() {
        let expected = composed(inputs)
        let found = withoutGradients {
            projectedResidual(
                inputs[0], inputs[1], inputs[2], inputs[3], gate: inputs[4], scale: inputs[5],
                shift: inputs[6])
        }
        expectClose(found.h, expected.h.floats(), absolute: 1e-5)
        expectClose(found.normed, expected.normed.floats(), absolute: 1e-4)
    }

    @Test func passesGradientsOn() {
        let leaves = inputs.map { $0.leaf() }
        let (h, normed) = projectedResidual(
            leaves[0], leaves[1], leaves[2], leaves[3], gate: leaves[4], scale: leaves[5],
            shift: leaves[6])
        let found = (h.square() + normed.square() * normed).sum().backward()
        let others = inputs.map { $0.leaf() }
        let expected = composed(others)
        let wanted = (expected.h.square() + expected.normed.square() * expected.normed).sum()
            .backward()
        for (leaf, other) in zip(leaves, others) {
            expectClose(found[leaf] ?? .zeros([1]), wanted[other]?.floats() ?? [], absolute: 2e-3)
        }
    }

    @Test func activationFollowsTheProduct() {
        let expected = linear(inputs[1], inputs[2], inputs[3]).geluTanh()
        let found = withoutGradients { linearGELU(inputs[1], inputs[2], inputs[3]) }
        #expect(found.shape == [2, 3, 8])
        expectClose(found, expected.floats(), absolute: 1e-6)
    }
}
