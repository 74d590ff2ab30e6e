// The self-test's gradients against central differences. SPDX-License-Identifier: Apache-2.0
import Core

extension SelfCheck {
    /// An operator on small inputs.
    struct Operator {
        var name: String
        var shapes: [[Int]]
        /// Mean of the inputs; keeps them away from kinks and poles.
        var offset: Float = 0
        var function: ([Tensor]) -> Tensor

        init(
            _ name: String, _ shapes: [Int]..., offset: Float = 0,
            function: @escaping ([Tensor]) -> Tensor
        ) {
            self.name = name
            self.shapes = shapes
            self.offset = offset
            self.function = function
        }
    }

    /// One check for every differentiable operator.
    static var gradients: [SelfCheck] {
        (tensorOperators + networkOperators).map { row in
            SelfCheck(name: "gradient of \(row.name)") { try compare(row) }
        }
    }

    /// Compares the gradients of Σ w·f(x), w fixed and random, with central differences.
    private static func compare(_ row: Operator) throws -> String {
        var generator = RandomGenerator(seed: 17)
        let inputs = row.shapes.map {
            Tensor.normal($0, mean: row.offset, standardDeviation: 0.5, generator: &generator)
        }
        let weights = Tensor.normal(row.function(inputs).shape, generator: &generator)
        var worst: Float = 0
        for position in inputs.indices {
            func objective(_ x: Tensor) -> Tensor {
                var all = inputs
                all[position] = x
                return (row.function(all) * weights).sum()
            }
            let leaf = inputs[position].leaf()
            let gradients = objective(leaf).backward()
            guard let recorded = gradients[leaf] else {
                throw Failure(description: "input \(position) has no gradient.")
            }
            let numeric = numericalGradient(of: objective, at: inputs[position], step: 1e-2)
                .floats()
            let scale = max(numeric.map(abs).max() ?? 0, 1e-2)
            for (a, b) in zip(recorded.floats(), numeric) {
                let error = abs(a - b) / scale
                try require(
                    error < 5e-3,
                    "input \(position): \(a) by the operator, \(b) by differences.")
                worst = max(worst, error)
            }
        }
        return "within \(worst)"
    }

    static var tensorOperators: [Operator] {
        [
            Operator("add", [2, 3], [3]) { $0[0] + $0[1] },
            Operator("subtract", [2, 3], [2, 1]) { $0[0] - $0[1] },
            Operator("multiply", [2, 3], [3]) { $0[0] * $0[1] },
            Operator("divide", [2, 3], [2, 3], offset: 3) { $0[0] / $0[1] },
            Operator("maximum", [7], [7]) { Tensor.maximum($0[0] + 3, $0[1]) },
            Operator("minimum", [7], [7]) { Tensor.minimum($0[0] + 3, $0[1]) },
            Operator("addScalar", [4]) { $0[0] + 2 },
            Operator("multiplyScalar", [4]) { $0[0] * 3 },
            Operator("negate", [4]) { 1 - $0[0] },
            Operator("exp", [5]) { $0[0].exp() },
            Operator("log", [5], offset: 3) { $0[0].log() },
            Operator("sqrt", [5], offset: 3) { $0[0].sqrt() },
            Operator("reciprocal", [5], offset: 3) { $0[0].reciprocal() },
            Operator("square", [5]) { $0[0].square() },
            Operator("abs", [5], offset: 3) { $0[0].abs() },
            Operator("relu", [5], offset: 3) { $0[0].relu() },
            Operator("sigmoid", [5]) { $0[0].sigmoid() },
            Operator("tanh", [5]) { $0[0].tanh() },
            Operator("silu", [5]) { $0[0].silu() },
            Operator("geluTanh", [5]) { $0[0].geluTanh() },
            Operator("clamped", [5]) { $0[0].clamped(-9, 9) },
            Operator("sum", [2, 3]) { $0[0].sum(axes: [1]) },
            Operator("mean", [2, 3]) { $0[0].mean(axes: [0]) },
            Operator("max", [1, 4]) { ($0[0] + ramp(4)).max(axis: 1) },
            Operator("reshaped", [2, 6]) { $0[0].reshaped([3, 4]) },
            Operator("permuted", [2, 3, 2]) { $0[0].permuted([2, 0, 1]).contiguous() },
            Operator("narrowed", [4, 3]) { $0[0].narrowed(axis: 0, start: 1, length: 2) },
            Operator("expanded", [1, 3]) { $0[0].expanded(to: [4, 3]) },
            Operator("padded", [2, 3]) { $0[0].padded(axis: 1, before: 1, after: 2) },
            Operator("concatenated", [2, 3], [2, 2]) { Tensor.concatenated($0, axis: 1) },
            Operator("stacked", [3], [3]) { Tensor.stacked($0, axis: 0) },
            Operator("matmul", [2, 3, 4], [2, 4, 2]) { matmul($0[0], $0[1]) },
            Operator("linear", [3, 4], [2, 4], [2]) { linear($0[0], $0[1], $0[2]) },
        ]
    }

    static var networkOperators: [Operator] {
        [
            Operator("convolution2D", [1, 2, 4, 4], [3, 2, 3, 3], [3]) {
                convolution2D($0[0], weight: $0[1], bias: $0[2], padding: .same(1))
            },
            Operator("convolution2D, strided, grouped", [1, 4, 5, 5], [4, 2, 3, 3]) {
                convolution2D($0[0], weight: $0[1], stride: 2, groups: 2)
            },
            Operator("fusedConvolution2D", [1, 2, 3, 3], [2, 2, 3, 3], [2], [1, 2, 3, 3]) {
                fusedConvolution2D(
                    $0[0],
                    prologue: .groupNormSiLU(
                        weight: $0[2], bias: $0[2], groups: 1, epsilon: 1e-2),
                    weight: $0[1], bias: $0[2], padding: .same(1), residual: $0[3])
            },
            Operator("groupNorm", [1, 4, 3], [4], [4]) {
                groupNorm($0[0], groups: 2, weight: $0[1], bias: $0[2])
            },
            Operator("layerNorm", [2, 5], [5], [5]) {
                layerNorm($0[0], weight: $0[1], bias: $0[2])
            },
            Operator("modulatedLayerNorm", [1, 3, 4], [1, 1, 4], [1, 1, 4]) {
                modulatedLayerNorm($0[0], scale: $0[1], shift: $0[2])
            },
            Operator("gatedResidual", [1, 3, 4], [1, 3, 4], [1, 1, 4]) {
                gatedResidual($0[0], $0[1], gate: $0[2])
            },
            Operator("l2Normalized", [3, 4], offset: 1) { l2Normalized($0[0]) },
            Operator("softmax", [2, 5]) { softmax($0[0]) },
            Operator("logSoftmax", [2, 5]) { logSoftmax($0[0]) },
            Operator("crossEntropy", [3, 5]) {
                crossEntropy($0[0], targets: Tensor(int32: [1, 4, 0], shape: [3]))
            },
            Operator("attention", [1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 4]) {
                attention($0[0], $0[1], $0[2], scale: 0.5)
            },
            Operator("attention, block-diagonal", [1, 1, 5, 4], [1, 1, 5, 4], [1, 1, 5, 4]) {
                attention($0[0], $0[1], $0[2], scale: 1, mask: .blockDiagonal([1, 4]))
            },
            Operator("attention, block-causal", [1, 1, 5, 4], [1, 1, 5, 4], [1, 1, 5, 4]) {
                attention($0[0], $0[1], $0[2], scale: 1, mask: .blockCausal([1, 4]))
            },
            Operator("cosineAttention", [1, 4, 3, 2, 3], [2], offset: 0.5) {
                cosineAttention($0[0], scale: $0[1], mask: .blockCausal([1, 3]))
            },
            Operator("feedForward", [3, 4], [5, 4], [5], [2, 5], [2]) {
                feedForward($0[0], $0[1], $0[2], $0[3], $0[4])
            },
            Operator("embedding", [4, 3]) {
                embedding($0[0], indices: Tensor(int32: [2, 0, 2], shape: [3]))
            },
            Operator("resized, bicubic", [1, 1, 3, 3]) {
                resized($0[0], to: (5, 5), method: .bicubic)
            },
            Operator("resized, area", [1, 1, 5, 5]) {
                resized($0[0], to: (3, 3), method: .area)
            },
            Operator("resized, bilinear", [1, 1, 3, 3]) {
                resized($0[0], to: (5, 5), method: .bilinear)
            },
            Operator("resized, binomial pool", [1, 1, 4, 4]) {
                resized($0[0], to: (2, 2), method: .binomialPool)
            },
            Operator("fieldNorm", [3, 4, 2, 2], [2], [2], [1], offset: 1) {
                fieldNorm(
                    $0[0], type: FieldType(scalars: 2, vectors: 1),
                    weights: FieldWeights(
                        weight: $0[1], bias: $0[2] + 3, vectorWeight: $0[3],
                        logBias: $0[3] - 4),
                    running: FieldMoments(
                        mean: .zeros([2]), variance: .full([2], 1),
                        vectorVariance: .full([1], 1)), momentum: 0, epsilon: 1e-2)
            },
            Operator("basisExpansion", [6]) {
                basisExpansion(
                    $0[0], basis: Tensor((0..<24).map { Float($0 % 5) - 2 }, shape: [24]),
                    blocks: [
                        BasisBlock(
                            inputs: .init(start: 1, count: 1, size: 2),
                            outputs: .init(start: 0, count: 2, size: 1), elements: 3,
                            weightStart: 0, basisStart: 0)
                    ], shape: [3, 3, 2, 2])
            },
            Operator("rotated", [2, 1, 4, 4]) { rotated($0[0], degrees: [17, -110]) },
            Operator("rotated, angle", [2, 2]) {
                rotated(
                    SelfCheck.ramp(16).reshaped([1, 1, 4, 4]).expanded(to: [2, 1, 4, 4]) * 0.01,
                    by: $0[0] * 0.02
                        + Tensor([0.6, 0.8, -0.96, 0.28], shape: [2, 2]))
            },
            Operator("upsampledNearest2x", [1, 1, 2, 3]) { upsampledNearest2x($0[0]) },
            Operator("averagePool2D", [1, 1, 4, 4]) { averagePool2D($0[0], size: 2) },
            Operator("maxPool2D", [1, 1, 4, 4]) {
                maxPool2D($0[0] * 0.1 + ramp(16).reshaped([1, 1, 4, 4]), size: 2)
            },
        ]
    }

    /// Values far enough apart that a largest one stays the largest.
    static func ramp(_ count: Int) -> Tensor {
        Tensor((0..<count).map { Float($0) * 3 }, shape: [1, count])
    }
}
