// Activation functions as a choice. SPDX-License-Identifier: Apache-2.0

/// An activation that a configuration can name.
public enum Activation: String, Sendable, Codable, CaseIterable {
    case relu, silu, geluTanh, tanh, sigmoid

    /// Applies it elementwise.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .silu: x.silu()
        case .geluTanh: x.geluTanh()
        case .tanh: x.tanh()
        case .sigmoid: x.sigmoid()
        }
    }
}
