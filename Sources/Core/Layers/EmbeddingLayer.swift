// The embedding layer. SPDX-License-Identifier: Apache-2.0

/// A table of vectors looked up by index.
///
/// Checkpoint keys: `weight` [entries, width].
public struct Embedding: Sendable {
    /// [entries, width].
    public let weight: Parameter

    /// Makes or takes the parameters of a scope.
    public init(
        _ scope: ParameterScope, entries: Int, width: Int,
        initializer: Initializer = .normal(standardDeviation: 1)
    ) {
        weight = scope.parameter("weight", shape: [entries, width], initializer: initializer)
    }

    /// int32 indices of any shape → [..., width].
    public func callAsFunction(_ indices: Tensor) -> Tensor {
        embedding(weight.tensor, indices: indices)
    }
}
