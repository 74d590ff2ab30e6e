// How new parameters start. SPDX-License-Identifier: Apache-2.0

/// The distribution that a new parameter is drawn from.
public enum Initializer: Sendable, Equatable {
    case zeros
    case ones
    case constant(Float)
    /// Normal with mean 0.
    case normal(standardDeviation: Float)
    /// Uniform in [−bound, bound).
    case uniform(bound: Float)
    /// Normal with mean 0, values beyond two standard deviations drawn again.
    case truncatedNormal(standardDeviation: Float)

    /// Draws a tensor of a shape.
    public func callAsFunction(
        _ shape: [Int], generator: inout RandomGenerator, device: any Device
    ) -> Tensor {
        switch self {
        case .zeros: return .zeros(shape, device: device)
        case .ones: return .full(shape, 1, device: device)
        case .constant(let value): return .full(shape, value, device: device)
        case .normal(let deviation):
            return .normal(
                shape, standardDeviation: deviation, generator: &generator, device: device)
        case .uniform(let bound):
            return .uniform(
                shape, low: -bound, high: bound, generator: &generator, device: device)
        case .truncatedNormal(let deviation):
            let values = (0..<shape.reduce(1, *)).map { _ -> Float in
                var x = generator.nextNormal()
                while Swift.abs(x) > 2 { x = generator.nextNormal() }
                return Float(x) * deviation
            }
            return Tensor(values, shape: shape, device: device)
        }
    }
}
