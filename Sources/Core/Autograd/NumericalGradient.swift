// Central differences, for tests and the self-test. SPDX-License-Identifier: Apache-2.0

/// The gradient of a scalar function by central differences, (f(x+h) − f(x−h)) / 2h.
///
/// - Parameters:
///   - function: from a tensor to one element; called twice per element of `x`.
///   - x: where to differentiate, float32.
///   - step: h; float32 functions of order 1 are best near 1e-2…1e-3.
/// - Returns: a tensor of the shape of `x`.
public func numericalGradient(
    of function: (Tensor) -> Tensor, at x: Tensor, step: Float = 5e-3
) -> Tensor {
    let values = x.floats()
    var gradient = [Float](repeating: 0, count: values.count)
    for i in values.indices {
        var moved = values
        moved[i] = values[i] + step
        let upper = Double(function(Tensor(moved, shape: x.shape)).item())
        let high = Double(moved[i])
        moved[i] = values[i] - step
        let lower = Double(function(Tensor(moved, shape: x.shape)).item())
        gradient[i] = Float((upper - lower) / (high - Double(moved[i])))
    }
    return Tensor(gradient, shape: x.shape)
}
