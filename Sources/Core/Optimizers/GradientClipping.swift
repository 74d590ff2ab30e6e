// Clipping by global norm. SPDX-License-Identifier: Apache-2.0

/// The Euclidean norm of all gradients taken as one vector.
public func globalNorm(_ gradients: Gradients, of parameters: [Parameter]) -> Double {
    let found = parameters.compactMap { gradients[$0]?.contiguous() }
    return (found.first?.device.sumOfSquares(found) ?? 0).squareRoot()
}

/// The factor that brings a norm down to `maxNorm`; 1 when it is below.
///
/// - Returns: NaN for a norm that is not finite, so that the caller stops.
public func clippingScale(norm: Double, maxNorm: Double) -> Float {
    guard norm.isFinite else { return .nan }
    return norm > maxNorm ? Float(maxNorm / (norm + 1e-6)) : 1
}
