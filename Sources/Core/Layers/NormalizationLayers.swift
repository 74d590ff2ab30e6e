// Normalisation layers. SPDX-License-Identifier: Apache-2.0

/// Group normalisation with an affine map.
///
/// Checkpoint keys: `weight` [C], `bias` [C].
public struct GroupNorm: Sendable {
    /// [C], starts at 1.
    public let weight: Parameter
    /// [C], starts at 0.
    public let bias: Parameter
    /// Groups of channels.
    public let groups: Int
    /// Added to the variance.
    public let epsilon: Float

    /// Makes or takes the parameters of a scope.
    public init(_ scope: ParameterScope, channels: Int, groups: Int = 32, epsilon: Float = 1e-6) {
        weight = scope.parameter("weight", shape: [channels], initializer: .ones)
        bias = scope.parameter("bias", shape: [channels], initializer: .zeros)
        self.groups = groups
        self.epsilon = epsilon
    }

    /// x [B, C, …], normalised and passed through `activation`.
    public func callAsFunction(_ x: Tensor, activation: FusedActivation = .none) -> Tensor {
        groupNorm(
            x, groups: groups, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon,
            activation: activation)
    }
}

/// Layer normalisation with an affine map.
///
/// Checkpoint keys: `weight` [C], `bias` [C].
public struct LayerNorm: Sendable {
    /// [C], starts at 1.
    public let weight: Parameter
    /// [C], starts at 0.
    public let bias: Parameter
    /// Added to the variance.
    public let epsilon: Float

    /// Makes or takes the parameters of a scope.
    public init(_ scope: ParameterScope, channels: Int, epsilon: Float = 1e-6) {
        weight = scope.parameter("weight", shape: [channels], initializer: .ones)
        bias = scope.parameter("bias", shape: [channels], initializer: .zeros)
        self.epsilon = epsilon
    }

    /// x [..., C].
    public func callAsFunction(_ x: Tensor) -> Tensor {
        layerNorm(x, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
    }
}
