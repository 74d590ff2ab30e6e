// The transformer block of VAR and HMAR.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The six vectors by which a condition steers a block, each [B, 1, C], and what else a block needs
/// once however often it runs.
public struct Modulation: Sendable {
    let gamma1, gamma2, scale1, scale2, shift1, shift2: Tensor
    /// Biases of queries, keys and values, [3C].
    let qkvBias: Tensor
    /// Factors of the queries, one a head.
    let queryScale: Tensor

    /// The same for a range of the batch.
    func narrowed(start: Int, length: Int) -> Modulation {
        func part(_ x: Tensor) -> Tensor { x.narrowed(axis: 0, start: start, length: length) }
        return Modulation(
            gamma1: part(gamma1), gamma2: part(gamma2), scale1: part(scale1),
            scale2: part(scale2), shift1: part(shift1), shift2: part(shift2), qkvBias: qkvBias,
            queryScale: queryScale)
    }
}

/// Self-attention and feed-forward, each modulated and gated by the condition.
///
///     (γ1, γ2, s1, s2, b1, b2) = ada_lin(SiLU(c))
///     x = x + Attn(LN(x)·(1 + s1) + b1)·γ1
///     x = x + FFN (LN(x)·(1 + s2) + b2)·γ2
///
/// Queries and keys are normalised to unit length; queries are scaled per head by
/// exp(min(scale_mul, ln 100)) and the softmax by nothing more.
///
/// Numerics: LayerNorm without affine part, ε = 1e-6; norms of q and k are at least 1e-12.
/// Source: VAR's `AdaLNSelfAttn`. Checkpoint keys: `attn.*`, `ffn.*`, `ada_lin.1.*` or `ada_gss`.
public struct AdaLNSelfAttn: Sendable {
    let width: Int
    let heads: Int
    private let scaleMul, qkvWeight, qBias, vBias: Parameter
    private let zeroKeyBias: Tensor
    private let projectionWeight, projectionBias: Parameter
    private let fc1Weight, fc1Bias, fc2Weight, fc2Bias: Parameter
    private let adaWeight, adaBias: Parameter?
    private let adaShared: Parameter?

    /// Every trainable parameter of the block.
    var parameters: [Parameter] {
        [
            scaleMul, qkvWeight, qBias, vBias, projectionWeight, projectionBias, fc1Weight, fc1Bias,
            fc2Weight, fc2Bias,
        ] + [adaWeight, adaBias, adaShared].compactMap { $0 }
    }

    init(
        _ scope: ParameterScope, configuration: TransformerConfiguration,
        gammaInitialScale: Float = 1e-3
    ) {
        let c = configuration
        let width = c.width
        self.width = width
        heads = c.heads
        let initial = Initializer.transformer(width: width)
        // Branch outputs start small: the residual stream adds up 2d of them.
        let deviation = (1 / (3 * Float(width))).squareRoot()
        let output = Initializer.normal(
            standardDeviation: deviation / Float(2 * c.depth).squareRoot())
        let attn = scope["attn"]
        scaleMul = attn.parameter(
            "scale_mul_1H11", shape: [1, c.heads, 1, 1], initializer: .constant(log(Float(4))))
        qBias = attn.parameter("q_bias", shape: [width])
        vBias = attn.parameter("v_bias", shape: [width])
        zeroKeyBias = attn.buffer("zero_k_bias", shape: [width]) { .zeros([width]) }
        qkvWeight = attn.parameter(
            "mat_qkv.weight", shape: [3 * width, width], initializer: initial,
            isLinearWeight: true)
        projectionWeight = attn.parameter(
            "proj.weight", shape: [width, width], initializer: output, isLinearWeight: true)
        projectionBias = attn.parameter("proj.bias", shape: [width])
        let ffn = scope["ffn"]
        fc1Weight = ffn.parameter(
            "fc1.weight", shape: [4 * width, width], initializer: initial, isLinearWeight: true)
        fc1Bias = ffn.parameter("fc1.bias", shape: [4 * width])
        fc2Weight = ffn.parameter(
            "fc2.weight", shape: [width, 4 * width], initializer: output, isLinearWeight: true)
        fc2Bias = ffn.parameter("fc2.bias", shape: [width])
        if c.usesSharedAdaLN {
            adaShared = scope.parameter(
                "ada_gss", shape: [1, 1, 6, width],
                initializer: .normal(standardDeviation: 1 / Float(width).squareRoot()))
            adaWeight = nil
            adaBias = nil
        } else {
            let weight = scope.parameter(
                "ada_lin.1.weight", shape: [6 * width, width], initializer: initial,
                isLinearWeight: true)
            adaBias = scope.parameter("ada_lin.1.bias", shape: [6 * width])
            if !scope.isLoading {
                // Gates start near zero, so that a new block is close to the identity.
                weight.value = Tensor.concatenated(
                    [
                        weight.value.narrowed(axis: 0, start: 0, length: 2 * width)
                            * gammaInitialScale,
                        weight.value.narrowed(axis: 0, start: 2 * width, length: 4 * width) * 0.5,
                    ], axis: 0)
            }
            adaWeight = weight
            adaShared = nil
        }
    }

    /// What the block makes of its weights alone.
    struct Fixed {
        /// Biases of queries, keys and values, [3C].
        var qkvBias: Tensor
        /// Factors of the queries, one a head.
        var queryScale: Tensor
    }

    /// Made anew at every call: weights may change in training.
    var fixed: Fixed {
        Fixed(
            qkvBias: Tensor.concatenated([qBias.tensor, zeroKeyBias, vBias.tensor], axis: 0),
            // The limit holds on the logarithm: exp(ln 100) at most.
            queryScale: scaleMul.tensor.clamped(-.greatestFiniteMagnitude, log(Float(100)))
                .exp().reshaped([heads]))
    }

    /// The six vectors for a condition.
    ///
    /// - Parameters:
    ///   - activated: SiLU(c), [B, C].
    ///   - shared: output of the shared network [B, 1, 6, C], for models that have one.
    ///   - fixed: made from the same weights.
    func modulation(activated: Tensor, shared: Tensor?, fixed: Fixed? = nil) -> Modulation {
        let batch = activated.shape[0]
        let all: Tensor
        if let adaShared {
            guard let shared else { preconditionFailure("a shared modulation is missing") }
            all = (shared + adaShared.tensor).reshaped([batch, 6, width])
        } else if let adaWeight, let adaBias {
            all = linear(activated, adaWeight.tensor, adaBias.tensor)
                .reshaped([batch, 6, width])
        } else {
            preconditionFailure("a block has one kind of modulation")
        }
        let parts = all.split(axis: 1, sizes: [1, 1, 1, 1, 1, 1])
        let fixed = fixed ?? self.fixed
        return Modulation(
            gamma1: parts[0], gamma2: parts[1], scale1: parts[2], scale2: parts[3],
            shift1: parts[4], shift2: parts[5],
            qkvBias: fixed.qkvBias, queryScale: fixed.queryScale)
    }

    /// Runs the block.
    ///
    /// - Parameters:
    ///   - x: [B, L, C].
    ///   - modulation: for the same batch.
    ///   - mask: which tokens see which.
    ///   - cache: keys and values of earlier scales, extended by this call.
    ///   - dropPath: per sample 0 or 1/keep for the two branches, [B, 1, 1]; nil outside training.
    /// - Returns: [B, L, C].
    func callAsFunction(
        _ x: Tensor, modulation m: Modulation, mask: AttentionMask = .full,
        cache: KeyValueCache? = nil, dropPath: (Tensor, Tensor)? = nil
    ) -> Tensor {
        let gamma1 = dropPath.map { m.gamma1 * $0.0 } ?? m.gamma1
        let gamma2 = dropPath.map { m.gamma2 * $0.1 } ?? m.gamma2
        let attended = attend(
            modulatedLayerNorm(
                x, scale: m.scale1, shift: m.shift1, epsilon: 1e-6, as: .operand),
            modulation: m, mask: mask, cache: cache)
        let h = gatedResidual(x, attended, gate: gamma1)
        let normed = modulatedLayerNorm(
            h, scale: m.scale2, shift: m.shift2, epsilon: 1e-6, as: .operand)
        return gatedResidual(h, feedForward(normed), gate: gamma2)
    }

    /// The block in a chain without gradients: what ends a branch also normalises for the next one.
    ///
    /// - Parameters:
    ///   - x: the residual stream, [B, L, C].
    ///   - normed: LN(x)·(1 + s1) + b1.
    ///   - next: scale and shift of the norm behind the block.
    /// - Returns: the stream, and its norm for what comes next.
    func chained(
        _ x: Tensor, normed: Tensor, modulation m: Modulation, next: (scale: Tensor, shift: Tensor),
        cache: KeyValueCache?
    ) -> (h: Tensor, normed: Tensor) {
        let (h, inner) = projectedResidual(
            x, mix(normed, modulation: m, mask: .full, cache: cache), projectionWeight.tensor,
            projectionBias.tensor, gate: m.gamma1, scale: m.scale2, shift: m.shift2)
        let hidden = linearGELU(inner, fc1Weight.tensor, fc1Bias.tensor)
        return projectedResidual(
            h, hidden, fc2Weight.tensor, fc2Bias.tensor, gate: m.gamma2, scale: next.scale,
            shift: next.shift)
    }

    /// Whether ``chained(_:normed:modulation:next:cache:)`` fits a sequence of so many rows.
    func canBeChained(rows: Int, on device: any Device) -> Bool {
        !(device is CPUDevice) && !fc1Weight.isTrainable
            && rows <= Self.hiddenBytes(device) / (16 * width)
    }

    /// The hidden layer takes at most this much memory outside of training; on a GPU, which has more and
    /// is slow at small products, more.
    private static func hiddenBytes(_ device: any Device) -> Int {
        device is CPUDevice ? 32 << 20 : 256 << 20
    }

    /// Rows are independent of each other, so a long sequence goes through the wide hidden layer in
    /// blocks: same numbers, and memory that doesn't grow with four times the width.
    private func feedForward(_ x: Tensor) -> Tensor {
        func all(_ x: Tensor) -> Tensor {
            Core.feedForward(
                x, fc1Weight.tensor, fc1Bias.tensor, fc2Weight.tensor, fc2Bias.tensor,
                as: .operand)
        }
        let rows = x.count / width
        let block = max(1, Self.hiddenBytes(x.device) / (16 * width))
        guard rows > block, !fc1Weight.isTrainable else { return all(x) }
        let flat = x.reshaped([rows, width])
        let parts = stride(from: 0, to: rows, by: block).map {
            all(flat.narrowed(axis: 0, start: $0, length: min(block, rows - $0)))
        }
        return Tensor.concatenated(parts, axis: 0).reshaped(x.shape)
    }

    private func attend(
        _ x: Tensor, modulation: Modulation, mask: AttentionMask, cache: KeyValueCache?
    ) -> Tensor {
        linear(
            mix(x, modulation: modulation, mask: mask, cache: cache), projectionWeight.tensor,
            projectionBias.tensor, as: .operand)
    }

    /// The heads' outputs side by side, before their projection.
    private func mix(
        _ x: Tensor, modulation: Modulation, mask: AttentionMask, cache: KeyValueCache?
    ) -> Tensor {
        let (batch, length) = (x.shape[0], x.shape[1])
        let qkv = linear(
            x, qkvWeight.tensor, modulation.qkvBias, as: cache == nil ? .operand : .float32
        )
        .reshaped([batch, length, 3, heads, width / heads])
        let scale = modulation.queryScale
        let mixed =
            cache.map { attend(qkv, scale: scale, mask: mask, cache: $0) }
            ?? cosineAttention(qkv, scale: scale, mask: mask)
        return mixed.reshaped([batch, length, width])
    }

    /// The same as `cosineAttention` of qkv [B, l, 3, H, D] that also sees what is in the cache.
    private func attend(
        _ qkv: Tensor, scale: Tensor, mask: AttentionMask, cache: KeyValueCache
    ) -> Tensor {
        let parts = qkv.split(axis: 2, sizes: [1, 1, 1]).map { $0.squeezed(2) }
        let q = l2Normalized(parts[0]) * scale.reshaped([1, 1, heads, 1])
        let (k, v) = cache.append(
            l2Normalized(parts[1]).transposed(1, 2), parts[2].transposed(1, 2))
        return attention(q.transposed(1, 2), k, v, scale: 1, mask: mask).transposed(1, 2)
    }
}

/// Normalised keys and values of the scales already generated, for one block; VAR only.
public final class KeyValueCache {
    private var keys: Tensor?
    private var values: Tensor?

    /// Bytes held.
    var byteCount: Int { 4 * ((keys?.count ?? 0) + (values?.count ?? 0)) }

    /// Adds a scale's keys and values [B, H, l, D] and returns all so far.
    func append(_ k: Tensor, _ v: Tensor) -> (Tensor, Tensor) {
        let allKeys = keys.map { Tensor.concatenated([$0, k], axis: 2) } ?? k.contiguous()
        let allValues = values.map { Tensor.concatenated([$0, v], axis: 2) } ?? v.contiguous()
        keys = allKeys
        values = allValues
        return (allKeys, allValues)
    }
}
