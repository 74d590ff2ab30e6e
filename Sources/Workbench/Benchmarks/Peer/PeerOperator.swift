// Single operators, prepared for timing. SPDX-License-Identifier: Apache-2.0
import Core

/// An operator with its inputs in memory.
///
/// Backward passes are timed by themselves, on what the forward pass left: the gradients with respect
/// to every input, as training needs them.
struct PeerOperator: PeerWorkload {
    private let body: () -> Void

    func run(_ request: PeerRequest) throws -> PeerAnswer {
        withoutGradients(body)
        return PeerAnswer()
    }

    static func convolution(
        batch: Int, input: Int, output: Int, side: Int, kernel: Int, isBackward: Bool
    ) -> PeerOperator {
        var inputs = PeerInputs()
        let x = inputs.tensor([batch, input, side, side])
        let weight = inputs.tensor([output, input, kernel, kernel])
        let bias = inputs.tensor([output])
        let geometry = ConvolutionGeometry(padding: .same(kernel / 2))
        guard isBackward else {
            return PeerOperator {
                _ = convolution2D(x, weight: weight, bias: bias, padding: geometry.padding)
            }
        }
        let dy = inputs.tensor(geometry.outputShape(input: x.shape, weight: weight.shape))
        return PeerOperator {
            let device = dy.device
            _ = device.convolution2DInputGradient(dy, weight, shape: x.shape, geometry)
            _ = device.convolution2DWeightGradient(dy, x, shape: weight.shape, geometry)
            _ = device.channelSums(dy)
        }
    }

    static func product(rows: Int, input: Int, output: Int) -> PeerOperator {
        var inputs = PeerInputs()
        let x = inputs.tensor([rows, input])
        let weight = inputs.tensor([output, input])
        let bias = inputs.tensor([output])
        return PeerOperator { _ = linear(x, weight, bias) }
    }

    static func attention(shape: [Int], mask: AttentionMask, isBackward: Bool) -> PeerOperator {
        var inputs = PeerInputs()
        let (q, k, v) = (inputs.tensor(shape), inputs.tensor(shape), inputs.tensor(shape))
        let scale = 1 / Float(shape[3]).squareRoot()
        guard isBackward else {
            return PeerOperator { _ = Core.attention(q, k, v, scale: scale, mask: mask) }
        }
        let intervals = mask.intervals(queries: shape[2], keys: shape[2])
        let (y, logSumExp) = q.device.attention(q, k, v, scale: scale, intervals: intervals)
        let dy = inputs.tensor(shape)
        return PeerOperator {
            _ = dy.device.attentionGradient(
                dy, q, k, v, output: y, logSumExp: logSumExp, scale: scale, intervals: intervals)
        }
    }

    static func groupNorm(
        batch: Int, channels: Int, side: Int, isBackward: Bool
    ) -> PeerOperator {
        var inputs = PeerInputs()
        let x = inputs.tensor([batch, channels, side, side])
        let (weight, bias) = (inputs.tensor([channels]), inputs.tensor([channels]))
        guard isBackward else {
            return PeerOperator {
                _ = Core.groupNorm(x, weight: weight, bias: bias, activation: .silu)
            }
        }
        let (y, statistics) = x.device.groupNorm(
            x, weight, bias, groups: 32, epsilon: 1e-6, silu: true)
        let dy = inputs.tensor(y.shape)
        return PeerOperator {
            _ = dy.device.groupNormGradient(
                dy, x, weight, bias, statistics: statistics, groups: 32, silu: true)
        }
    }

    static func layerNorm(shape: [Int], isBackward: Bool) -> PeerOperator {
        var inputs = PeerInputs()
        let x = inputs.tensor(shape)
        let modulation = [shape[0], 1, shape[2]]
        let (scale, shift) = (inputs.tensor(modulation), inputs.tensor(modulation))
        guard isBackward else {
            return PeerOperator { _ = modulatedLayerNorm(x, scale: scale, shift: shift) }
        }
        let rows = x.reshaped([shape[0] * shape[1], shape[2]])
        let (y, statistics) = x.device.layerNorm(
            rows, gain: scale, offset: 1, shift: shift, share: shape[1], epsilon: 1e-6)
        let dy = inputs.tensor(y.shape)
        return PeerOperator {
            _ = dy.device.layerNormGradient(
                dy, rows, gain: scale, offset: 1, share: shape[1], statistics: statistics)
        }
    }

    static func adamW(count: Int) -> PeerOperator {
        var inputs = PeerInputs()
        let weight = Parameter(name: "weight", value: inputs.tensor([count]), isTrainable: true)
        // The gradient of Σ w·g is g: a way to have one without a network.
        let gradients = (weight.tensor * inputs.tensor([count])).sum().backward()
        let optimizer = PeerOptimizer(
            AdamW(groups: [ParameterGroup([weight], usesWeightDecay: true)], beta2: 0.95))
        return PeerOperator { optimizer.step(gradients) }
    }
}

/// An optimiser that a workload keeps between runs.
private final class PeerOptimizer {
    private var optimizer: AdamW

    init(_ optimizer: AdamW) { self.optimizer = optimizer }

    func step(_ gradients: Gradients) {
        optimizer.step(gradients, learningRate: 1e-4, weightDecay: 0.05)
    }
}

/// Reproducible random inputs.
private struct PeerInputs {
    private var generator = RandomGenerator(seed: 1)

    /// Values of standard deviation 1.
    mutating func tensor(_ shape: [Int]) -> Tensor {
        Tensor.normal(shape, generator: &generator)
    }
}
