// The linear layer. SPDX-License-Identifier: Apache-2.0

/// y = x·Wᵀ + b over the last dimension.
///
/// Checkpoint keys: `weight` [outputs, inputs], `bias` [outputs].
public struct Linear: Sendable {
    /// [outputs, inputs].
    public let weight: Parameter
    /// [outputs]; nil without bias.
    public let bias: Parameter?

    /// Makes or takes the parameters of a scope.
    public init(
        _ scope: ParameterScope, inputs: Int, outputs: Int, hasBias: Bool = true,
        initializer: Initializer? = nil, biasInitializer: Initializer = .zeros
    ) {
        weight = scope.parameter(
            "weight", shape: [outputs, inputs],
            initializer: initializer ?? .uniform(bound: 1 / Float(max(1, inputs)).squareRoot()),
            isLinearWeight: true)
        bias =
            hasBias
            ? scope.parameter("bias", shape: [outputs], initializer: biasInitializer) : nil
    }

    /// x [..., inputs] → [..., outputs].
    public func callAsFunction(_ x: Tensor) -> Tensor {
        linear(x, weight.tensor, bias?.tensor)
    }
}
