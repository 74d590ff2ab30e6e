// The two linear layers of a transformer block. SPDX-License-Identifier: Apache-2.0

/// GELU(x·W₁ᵀ + b₁)·W₂ᵀ + b₂ over the last dimension, GELU in its tanh form.
///
/// - Parameters:
///   - x: [..., K].
///   - weight1: [H, K].
///   - bias1: [H].
///   - weight2: [N, H].
///   - bias2: [N].
///   - result: the type of the result.
/// - Returns: [..., N].
/// - Complexity: 2·rows·H·(K + N) FLOP.
///
/// Devices that can apply GELU at the end of a product keep the hidden layer in 16 bits.
public func feedForward(
    _ x: Tensor, _ weight1: Tensor, _ bias1: Tensor, _ weight2: Tensor, _ bias2: Tensor,
    as result: ResultType = .float32
) -> Tensor {
    requireShapes(
        weight1.rank == 2 && weight2.rank == 2 && x.rank >= 1
            && x.shape[x.rank - 1] == weight1.shape[1] && bias1.shape == [weight1.shape[0]]
            && weight2.shape[1] == weight1.shape[0] && bias2.shape == [weight2.shape[0]],
        "feedForward",
        [x.shape, weight1.shape, bias1.shape, weight2.shape, bias2.shape])
    let device = x.device
    let flat = flattenedRows(x, width: weight1.shape[1])
    let inputs = [flat, weight1, bias1, weight2, bias2]
    let isRecorded = Recording.isOn && inputs.contains { $0.node != nil }
    guard
        let hidden = device.linearGELU(
            flat.detached(), weight1.detached(), bias1.detached(), keepsInput: isRecorded)
    else {
        return linear(linear(x, weight1, bias1).geluTanh(), weight2, bias2, as: result)
    }
    let value = device.linear(
        hidden.activated, weight2.detached(), bias2.detached(), as: result.dtype(on: device))
    let y = recorded(value, inputs: inputs) { dy in
        let dy = dy.contiguous()
        guard let input = hidden.input else {
            preconditionFailure("the input of GELU was not kept")
        }
        let (dhidden, dbias1) = device.linearGELUGradient(dy, weight2.detached(), input: input)
        return [
            needsGradient(flat)
                ? .init(device.matmul(dhidden, weight1.detached(), as: flat.dtype)) : nil,
            needsGradient(weight1) ? .init(matmul(dhidden.transposed(), flat.detached())) : nil,
            .init(dbias1),
            needsGradient(weight2) ? .init(matmul(dy.transposed(), hidden.activated)) : nil,
            needsGradient(bias2) ? .init(device.biasGradient(dy)) : nil,
        ]
    }
    return y.reshaped(Array(x.shape.dropLast()) + [weight2.shape[0]])
}

/// GELU(x·Wᵀ + b) over the last dimension, in its tanh form; in 16 bits where the device reads operands of
/// products so.
///
/// - Parameters:
///   - x: [..., K].
///   - weight: [H, K].
///   - bias: [H].
/// - Returns: [..., H].
public func linearGELU(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    let isRecorded = Recording.isOn && [x, weight, bias].contains { $0.node != nil }
    let flat = flattenedRows(x, width: weight.shape[1])
    guard !isRecorded,
        let hidden = x.device.linearGELU(
            flat.detached(), weight.detached(), bias.detached(), keepsInput: false)
    else { return linear(x, weight, bias).geluTanh() }
    return hidden.activated.reshaped(Array(x.shape.dropLast()) + [weight.shape[0]])
}
