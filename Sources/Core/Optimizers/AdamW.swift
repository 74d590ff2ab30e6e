// Adam with decoupled weight decay. SPDX-License-Identifier: Apache-2.0

/// Parameters that share a learning-rate factor and a weight decay.
public struct ParameterGroup: Sendable {
    /// The parameters, in checkpoint order.
    public var parameters: [Parameter]
    /// Multiplies the step's learning rate.
    public var learningRateScale: Float
    /// Whether the step's weight decay applies.
    public var usesWeightDecay: Bool

    public init(_ parameters: [Parameter], learningRateScale: Float = 1, usesWeightDecay: Bool) {
        self.parameters = parameters
        self.learningRateScale = learningRateScale
        self.usesWeightDecay = usesWeightDecay
    }
}

/// AdamW: bias-corrected moments, weight decay applied to the weights and not to the gradient.
///
/// Parameters without a gradient in a step keep their moments and are not decayed.
/// Source: Loshchilov, Hutter, "Decoupled weight decay regularization", arXiv 1711.05101, alg. 2.
public struct AdamW: Sendable {
    /// The groups it steps.
    public let groups: [ParameterGroup]
    /// Decay of the first moment.
    public let beta1: Float
    /// Decay of the second moment.
    public let beta2: Float
    /// Added to the root of the second moment.
    public let epsilon: Float
    /// Steps made.
    public private(set) var stepCount = 0
    private var moments: [String: (Tensor, Tensor)] = [:]

    public init(
        groups: [ParameterGroup], beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8
    ) {
        self.groups = groups
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    /// Updates every parameter that has a gradient, in place.
    ///
    /// - Parameters:
    ///   - gradients: of the loss.
    ///   - gradientScale: multiplies every gradient first; ``clippingScale(_:parameters:maxNorm:)``.
    public mutating func step(
        _ gradients: Gradients, learningRate: Float, weightDecay: Float, gradientScale: Float = 1
    ) {
        stepCount += 1
        // Double precision: 1 − β^t loses its digits in float for small t.
        let correction1 = Float(1 - power(Double(beta1), stepCount))
        let correction2 = Float(1 - power(Double(beta2), stepCount))
        var updates: [AdamWUpdate] = []
        for group in groups {
            for parameter in group.parameters {
                guard let gradient = gradients[parameter] else { continue }
                let (m, v) = momentTensors(of: parameter)
                updates.append(
                    AdamWUpdate(
                        weight: parameter.value, gradient: gradient.contiguous(), moment1: m,
                        moment2: v,
                        settings: AdamWSettings(
                            gradientScale: gradientScale,
                            learningRate: learningRate * group.learningRateScale, beta1: beta1,
                            beta2: beta2, epsilon: epsilon,
                            weightDecay: group.usesWeightDecay ? weightDecay : 0,
                            correction1: correction1, correction2: correction2)))
            }
        }
        updates.first?.weight.device.adamW(updates)
    }

    private mutating func momentTensors(of parameter: Parameter) -> (Tensor, Tensor) {
        if let found = moments[parameter.name] { return found }
        let value = parameter.value
        let made = (
            Tensor.zeros(value.shape, device: value.device),
            Tensor.zeros(value.shape, device: value.device)
        )
        moments[parameter.name] = made
        return made
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var factor = base
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }

    // MARK: State

    /// Everything needed to go on, under `exp_avg.<name>` and `exp_avg_sq.<name>`.
    public var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (name, pair) in moments {
            state["exp_avg.\(name)"] = pair.0
            state["exp_avg_sq.\(name)"] = pair.1
        }
        return state
    }

    /// Takes back what ``state`` gave.
    public mutating func restore(_ state: [String: Tensor], stepCount: Int) {
        self.stepCount = stepCount
        moments = [:]
        for group in groups {
            for parameter in group.parameters {
                guard let m = state["exp_avg.\(parameter.name)"],
                    let v = state["exp_avg_sq.\(parameter.name)"]
                else { continue }
                moments[parameter.name] = (m.copied(), v.copied())
            }
        }
    }
}

extension Tensor {
    /// The same values in memory of their own, float32; for tensors that are updated in place.
    public func copied() -> Tensor {
        let source = detached().cast(to: .float32)
        let copy = Tensor.empty(source.shape, device: device)
        device.copy(source, into: copy)
        return copy
    }
}
