// Dropout of elements and of whole branches. SPDX-License-Identifier: Apache-2.0

/// Zeroes each element with probability `rate` and scales the rest by 1/(1 − rate).
///
/// - Precondition: 0 ≤ rate < 1.
public func dropout(_ x: Tensor, rate: Float, generator: inout RandomGenerator) -> Tensor {
    masked(x, shape: x.shape, rate: rate, generator: &generator)
}

/// Zeroes whole samples (the first dimension) with probability `rate`, scaling the rest by 1/(1 − rate).
///
/// Applied to a residual branch this is stochastic depth. Source: Huang et al., arXiv 1603.09382.
/// - Precondition: 0 ≤ rate < 1.
public func dropPath(_ x: Tensor, rate: Float, generator: inout RandomGenerator) -> Tensor {
    let shape = x.shape.indices.map { $0 == 0 ? x.shape[0] : 1 }
    return masked(x, shape: shape, rate: rate, generator: &generator)
}

private func masked(
    _ x: Tensor, shape: [Int], rate: Float, generator: inout RandomGenerator
) -> Tensor {
    precondition(rate >= 0 && rate < 1, "dropout: rate \(rate) outside 0..<1")
    if rate == 0 { return x }
    let scale = 1 / (1 - rate)
    let mask = (0..<shape.reduce(1, *)).map { _ in
        generator.nextFloat() < rate ? 0 : scale
    }
    return x * Tensor(mask, shape: shape, device: x.device)
}
