// Group, layer and l2 normalisation. SPDX-License-Identifier: Apache-2.0

/// A function fused behind a normalisation.
public enum FusedActivation: Sendable, Equatable {
    case none
    /// x·σ(x).
    case silu
}

/// Group normalisation, optionally followed by SiLU in the same pass.
///
///     y = (x − μ_g) / √(σ²_g + ε) · weight[c] + bias[c]
///
/// - Parameters:
///   - x: [B, C, …]; statistics are over C/groups channels and all positions.
///   - groups: divides C; 32 in the tokenizer.
///   - weight: [C].
///   - bias: [C].
///   - epsilon: added to the biased variance.
///   - activation: applied to y.
/// - Returns: as x.
///
/// Numerics: two passes; sums in f32 lanes, blocks in f64. Source: Wu & He, arXiv 1803.08494.
public func groupNorm(
    _ x: Tensor, groups: Int = 32, weight: Tensor, bias: Tensor, epsilon: Float = 1e-6,
    activation: FusedActivation = .none
) -> Tensor {
    requireShapes(
        x.rank >= 2 && groups > 0 && x.shape[1] % groups == 0 && weight.shape == [x.shape[1]]
            && bias.shape == [x.shape[1]],
        "groupNorm", [x.shape, [groups], weight.shape, bias.shape])
    let (x, weight, bias) = (x.contiguous(), weight.contiguous(), bias.contiguous())
    let silu = activation == .silu
    let (y, statistics) = x.device.groupNorm(
        x.detached(), weight.detached(), bias.detached(), groups: groups, epsilon: epsilon,
        silu: silu)
    return recorded(y, inputs: [x, weight, bias]) { dy, before in
        let isAddable = before?.dtype == .float32 && before?.shape == x.shape
        let (dx, dweight, dbias, isTotal) = dy.device.groupNormGradient(
            dy.contiguous(), x.detached(), weight.detached(), bias.detached(),
            statistics: statistics, groups: groups, silu: silu,
            before: isAddable ? before?.contiguous() : nil)
        return [.init(dx, isTotal: isTotal), .init(dweight), .init(dbias)]
    }
}

/// Layer normalisation over the last dimension.
///
///     y = (x − μ) / √(σ² + ε) · weight + bias
///
/// - Parameters:
///   - x: [..., C].
///   - weight: [C]; 1 when nil.
///   - bias: [C]; 0 when nil.
///   - epsilon: added to the biased variance.
/// - Returns: as x. Source: Ba et al., arXiv 1607.06450.
public func layerNorm(
    _ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Float = 1e-6
) -> Tensor {
    requireShapes(
        x.rank >= 1 && (weight.map { $0.shape == [x.shape[x.rank - 1]] } ?? true)
            && (bias.map { $0.shape == [x.shape[x.rank - 1]] } ?? true),
        "layerNorm", [x.shape, weight?.shape ?? [], bias?.shape ?? []])
    return normalizedRows(
        x, gain: weight, offset: 0, shift: bias, rowsPerGain: nil, epsilon: epsilon)
}

/// Layer normalisation without weights, modulated by a condition (AdaLN): LN(x)·(1 + scale) + shift.
///
/// - Parameters:
///   - x: [B, L, C].
///   - scale: [B, 1, C] or [B, L, C].
///   - shift: as scale.
///   - epsilon: added to the biased variance.
///   - result: the type of the result; `.operand` where only products read it.
/// - Returns: [B, L, C]. Source: Peebles & Xie, arXiv 2212.09748, §3.2.
public func modulatedLayerNorm(
    _ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float = 1e-6,
    as result: ResultType = .float32
) -> Tensor {
    requireShapes(
        x.rank == 3 && scale.rank == 3 && scale.shape == shift.shape
            && scale.shape[0] == x.shape[0] && scale.shape[2] == x.shape[2]
            && (scale.shape[1] == 1 || scale.shape[1] == x.shape[1]),
        "modulatedLayerNorm", [x.shape, scale.shape, shift.shape])
    let share = scale.shape[1] == x.shape[1] ? 1 : x.shape[1]
    return normalizedRows(
        x, gain: scale, offset: 1, shift: shift, rowsPerGain: share, epsilon: epsilon,
        as: result)
}

/// The common form: y = x̂·(offset + gain) + shift, one row of gain for `rowsPerGain` rows (nil: for all).
private func normalizedRows(
    _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, rowsPerGain: Int?, epsilon: Float,
    as result: ResultType = .float32
) -> Tensor {
    let width = x.shape[x.rank - 1]
    let shape = x.shape
    let rows = shape.dropLast().reduce(1, *)
    if x.count == 0 { return x }
    let share = rowsPerGain ?? rows
    let x = x.contiguous()
    let (gainRows, shiftRows) = (gain.map { vectors($0) }, shift.map { vectors($0) })
    let flat = x.detached().reshaped([rows, width])
    let (y, statistics) = x.device.layerNorm(
        flat, gain: gainRows, offset: offset, shift: shiftRows, share: share, epsilon: epsilon,
        as: result.dtype(on: x.device))
    let inputs = [x] + [gain, shift].compactMap { $0 }
    return recorded(y.reshaped(shape), inputs: inputs) { dy, before in
        let isAddable = before?.dtype == .float32 && before?.shape == shape
        let (dx, dgain, dshift, isTotal) = dy.device.layerNormGradient(
            dy.contiguous().reshaped([rows, width]), flat, gain: gainRows, offset: offset,
            share: share, statistics: statistics,
            before: isAddable ? before?.contiguous().reshaped([rows, width]) : nil)
        var gradients: [Gradient?] = [.init(dx.reshaped(shape), isTotal: isTotal)]
        if let gain { gradients.append(.init(dgain.reshaped(gain.shape))) }
        if let shift { gradients.append(.init(dshift.reshaped(shift.shape))) }
        return gradients
    }
}

/// A gain [C], [B, 1, C] or [B, L, C] as rows of C, without a copy where its rows lie apart evenly.
func vectors(_ x: Tensor) -> Tensor {
    let x = x.detached()
    if x.rank == 3, x.shape[1] == 1, x.strides[2] == 1 { return x.squeezed(1) }
    return x.contiguous().reshaped([-1, x.shape[x.rank - 1]])
}

/// The gated residual of AdaLN blocks: x + branch · gate in one pass.
///
/// - Parameters:
///   - x: [B, L, C].
///   - branch: as x, or in 16 bits as a product with an `.operand` result gives it.
///   - gate: [B, 1, C] or [B, L, C].
/// - Returns: as x.
public func gatedResidual(_ x: Tensor, _ branch: Tensor, gate: Tensor) -> Tensor {
    requireShapes(
        x.rank == 3 && branch.shape == x.shape && gate.rank == 3 && gate.shape[0] == x.shape[0]
            && gate.shape[2] == x.shape[2]
            && (gate.shape[1] == 1 || gate.shape[1] == x.shape[1]),
        "gatedResidual", [x.shape, branch.shape, gate.shape])
    if x.count == 0 { return x }
    let shape = x.shape
    let flatShape = [shape[0] * shape[1], shape[2]]
    let share = gate.shape[1] == shape[1] ? 1 : shape[1]
    let (x, branch) = (x.contiguous(), branch.contiguous())
    let flatBranch = branch.detached().reshaped(flatShape)
    let flatGate = vectors(gate)
    let y = x.device.gatedResidual(
        x.detached().reshaped(flatShape), flatBranch, gate: flatGate, share: share)
    return recorded(y.reshaped(shape), inputs: [x, branch, gate]) { dy in
        guard needsGradient(branch) || needsGradient(gate) else { return [.init(dy), nil, nil] }
        let (dbranch, dgate) = dy.device.gatedResidualGradient(
            dy.contiguous().reshaped(flatShape), flatBranch, gate: flatGate, share: share)
        return [.init(dy), .init(dbranch.reshaped(shape)), .init(dgate.reshaped(gate.shape))]
    }
}

/// x / max(|x|₂, ε) along an axis.
///
/// - Parameters:
///   - x: any shape.
///   - axis: the dimension whose vectors get length 1.
///   - epsilon: least divisor; below it the gradient treats the divisor as constant.
public func l2Normalized(_ x: Tensor, axis: Int = -1, epsilon: Float = 1e-12) -> Tensor {
    alongLastAxis(x, axis) { x in
        if x.count == 0 { return x }
        let shape = x.shape
        let x = x.contiguous()
        let (y, norms) = x.device.l2Normalized(
            x.detached().reshaped([-1, shape[shape.count - 1]]), epsilon: epsilon)
        return recorded(y.reshaped(shape), inputs: [x]) { dy in
            [
                .init(
                    dy.device.l2NormalizedGradient(
                        dy.contiguous().reshaped(y.shape), y: y, norms: norms, epsilon: epsilon
                    ).reshaped(shape))
            ]
        }
    }
}

/// Applies a function of rows to any axis by making it the last one.
func alongLastAxis(_ x: Tensor, _ axis: Int, _ function: (Tensor) -> Tensor) -> Tensor {
    let axis = x.resolved(axis)
    if axis == x.rank - 1 { return function(x) }
    return function(x.transposed(axis, -1)).transposed(axis, -1)
}
