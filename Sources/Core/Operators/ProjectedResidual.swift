// The end of one branch of a transformer block and the start of the next. SPDX-License-Identifier: Apache-2.0

/// h = x + (input·Wᵀ + b)·gate and LN(h)·(1 + scale) + shift, the input of the next branch.
///
/// - Parameters:
///   - x: the residual stream, [B, L, C].
///   - input: [B, L, K].
///   - weight: [C, K].
///   - bias: [C].
///   - gate: [B, 1, C].
///   - scale: of the next norm, [B, 1, C].
///   - shift: as scale.
///   - epsilon: added to the biased variance.
/// - Returns: h as x, and its norm, in 16 bits where the device reads operands of products so.
/// - Complexity: 2·B·L·C·K FLOP; without gradients devices may add, gate and normalise in one pass.
///
/// The same as ``linear(_:_:_:as:)``, ``gatedResidual(_:_:gate:)`` and
/// ``modulatedLayerNorm(_:scale:shift:epsilon:as:)`` one after the other.
public func projectedResidual(
    _ x: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, gate: Tensor, scale: Tensor,
    shift: Tensor, epsilon: Float = 1e-6
) -> (h: Tensor, normed: Tensor) {
    let batch = x.shape[0]
    requireShapes(
        x.rank == 3 && input.rank == 3 && Array(input.shape.dropLast()) == Array(x.shape.dropLast())
            && weight.shape == [x.shape[2], input.shape[2]] && bias.shape == [x.shape[2]]
            && [gate, scale, shift].allSatisfy { $0.shape == [batch, 1, x.shape[2]] },
        "projectedResidual", [x.shape, input.shape, weight.shape, gate.shape])
    let all = [x, input, weight, bias, gate, scale, shift]
    if x.count == 0 || (Recording.isOn && all.contains { $0.node != nil }) {
        let h = gatedResidual(x, linear(input, weight, bias, as: .operand), gate: gate)
        return (
            h, modulatedLayerNorm(h, scale: scale, shift: shift, epsilon: epsilon, as: .operand)
        )
    }
    let rows = batch * x.shape[1]
    let (h, normed) = x.device.projectedResidual(
        x.contiguous().reshaped([rows, x.shape[2]]),
        input.contiguous().reshaped([rows, input.shape[2]]), weight, bias,
        ResidualModulation(
            gate: vectors(gate), gain: vectors(scale), shift: vectors(shift), share: x.shape[1],
            epsilon: epsilon))
    return (h.reshaped(x.shape), normed.reshaped(x.shape))
}
