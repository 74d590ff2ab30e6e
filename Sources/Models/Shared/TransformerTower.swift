// Blocks and head that turn one input sequence into code logits.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The head: a modulated norm and a linear layer to the codebook.
///
///     (scale, shift) = head_nm.ada_lin(SiLU(c));  logits = head(LN(x)·(1 + scale) + shift)
///
/// Checkpoint keys: `<prefix>head_nm.ada_lin.1.*` [2C, C], `<prefix>head.*` [V, C].
struct TransformerHead: Sendable {
    private let adaWeight, adaBias, weight, bias: Parameter

    var parameters: [Parameter] { [adaWeight, adaBias, weight, bias] }
    /// Codes V.
    var vocabulary: Int { bias.value.shape[0] }

    init(_ scope: ParameterScope, configuration c: TransformerConfiguration, prefix: String = "") {
        let deviation = (1 / (3 * Float(c.width))).squareRoot()
        let norm = scope[prefix + "head_nm"]["ada_lin.1"]
        adaWeight = norm.parameter(
            "weight", shape: [2 * c.width, c.width],
            initializer: .normal(standardDeviation: 0.5 * deviation), isLinearWeight: true)
        adaBias = norm.parameter("bias", shape: [2 * c.width])
        weight = scope[prefix + "head"].parameter(
            "weight", shape: [c.vocabulary, c.width],
            initializer: .normal(standardDeviation: 0.02 * deviation), isLinearWeight: true)
        bias = scope[prefix + "head"].parameter("bias", shape: [c.vocabulary])
    }

    /// (scale, shift), each [B, 1, C], for SiLU(c) [B, C].
    func modulation(activated: Tensor) -> (scale: Tensor, shift: Tensor) {
        let (batch, width) = (activated.shape[0], activated.shape[1])
        let parts = linear(activated, adaWeight.tensor, adaBias.tensor)
            .reshaped([batch, 2, width]).split(axis: 1, sizes: [1, 1])
        return (parts[0], parts[1])
    }

    /// Logits [B, L, V].
    func callAsFunction(
        _ x: TowerFeatures, _ modulation: (scale: Tensor, shift: Tensor),
        as result: ResultType = .float32
    ) -> Tensor {
        let normed =
            x.isNormed
            ? x.value
            : modulatedLayerNorm(
                x.value, scale: modulation.scale, shift: modulation.shift, epsilon: 1e-6,
                as: .operand)
        return linear(normed, weight.tensor, bias.tensor, as: result)
    }
}

/// What the blocks give to the head, [B, L, C].
struct TowerFeatures {
    var value: Tensor
    /// Whether the head's norm is already taken.
    var isNormed: Bool

    /// The same for a range of the sequence.
    func narrowed(start: Int, length: Int) -> TowerFeatures {
        let part = value.narrowed(axis: 1, start: start, length: length)
        return TowerFeatures(value: part.contiguous(), isNormed: isNormed)
    }
}

/// Everything a tower takes from the condition, computed once per label and image.
struct TowerConditioning: Sendable {
    var blocks: [Modulation]
    var head: (scale: Tensor, shift: Tensor)

    /// The same for a range of the batch.
    func narrowed(start: Int, length: Int) -> TowerConditioning {
        TowerConditioning(
            blocks: blocks.map { $0.narrowed(start: start, length: length) },
            head: (
                head.scale.narrowed(axis: 0, start: start, length: length),
                head.shift.narrowed(axis: 0, start: start, length: length)
            ))
    }
}

/// A stack of blocks with a head.
struct TransformerTower: Sendable {
    let blocks: [AdaLNSelfAttn]
    let head: TransformerHead
    /// `shared_ada_lin.1` of models whose blocks share it: weight [6C, C] and bias.
    var sharedAdaLN: (weight: Parameter, bias: Parameter)?

    /// What the tower takes from conditions c [B, C].
    ///
    /// - Parameters:
    ///   - fixed: of every block, made from the same weights.
    ///   - known: of the first blocks, for the same conditions.
    func conditioning(
        _ condition: Tensor, fixed: [AdaLNSelfAttn.Fixed]? = nil, known: [Modulation] = []
    ) -> TowerConditioning {
        let activated = condition.silu()
        let shared = sharedAdaLN.map {
            linear(activated, $0.weight.tensor, $0.bias.tensor)
                .reshaped([condition.shape[0], 1, 6, condition.shape[1]])
        }
        return TowerConditioning(
            blocks: known
                + blocks.indices.dropFirst(known.count).map {
                    blocks[$0].modulation(
                        activated: activated, shared: shared, fixed: fixed?[$0])
                },
            head: head.modulation(activated: activated))
    }

    /// Guided logits [B, L, V] of inputs x [2B, L, C], conditional rows first; see ``guided(_:batch:by:)``.
    ///
    /// The head and the guidance go through the sequence in blocks, so that the logits of both halves
    /// never exist together.
    func guidedLogits(
        _ x: Tensor, conditioning: TowerConditioning, caches: [KeyValueCache]? = nil, by t: Double,
        checkpoint: () throws -> Void
    ) rethrows -> Tensor {
        let h = try features(
            x, conditioning: conditioning, mask: .full, caches: caches, dropPath: nil,
            checkpoint: checkpoint)
        let (batch, length) = (x.shape[0] / 2, x.shape[1])
        let bytes = Self.logitBytes * (x.device is CPUDevice ? 1 : 8)
        let block = max(1, bytes / (4 * x.shape[0] * head.vocabulary))
        let parts = stride(from: 0, to: length, by: block).map { start in
            let part = h.narrowed(start: start, length: min(block, length - start))
            return guided(head(part, conditioning.head), batch: batch, by: t)
        }
        return parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 1)
    }

    /// What the logits of one block take at most on a CPU; on a GPU eight times that.
    private static let logitBytes = 32 << 20

    /// Logits [B, L, V] of inputs x [B, L, C].
    ///
    /// - Parameters:
    ///   - caches: one per block, for VAR.
    ///   - dropPath: one pair per block, in training.
    ///   - result: the type of the logits.
    ///   - checkpoint: called before every block; may throw to end the work.
    func callAsFunction(
        _ x: Tensor, conditioning: TowerConditioning, mask: AttentionMask = .full,
        caches: [KeyValueCache]? = nil, dropPath: [(Tensor, Tensor)]? = nil,
        as result: ResultType = .float32, checkpoint: () throws -> Void
    ) rethrows -> Tensor {
        head(
            try features(
                x, conditioning: conditioning, mask: mask, caches: caches, dropPath: dropPath,
                checkpoint: checkpoint), conditioning.head, as: result)
    }

    private func features(
        _ x: Tensor, conditioning: TowerConditioning, mask: AttentionMask,
        caches: [KeyValueCache]?, dropPath: [(Tensor, Tensor)]?, checkpoint: () throws -> Void
    ) rethrows -> TowerFeatures {
        if let first = blocks.first, mask == .full, dropPath == nil,
            first.canBeChained(rows: x.shape[0] * x.shape[1], on: x.device)
        {
            return try chained(
                x, conditioning: conditioning, caches: caches, checkpoint: checkpoint)
        }
        var h = x
        for (index, block) in blocks.enumerated() {
            try checkpoint()
            h = block(
                h, modulation: conditioning.blocks[index], mask: mask, cache: caches?[index],
                dropPath: dropPath?[index])
        }
        return TowerFeatures(value: h, isNormed: false)
    }

    private func chained(
        _ x: Tensor, conditioning: TowerConditioning, caches: [KeyValueCache]?,
        checkpoint: () throws -> Void
    ) rethrows -> TowerFeatures {
        let all = conditioning.blocks
        var h = x
        var normed = modulatedLayerNorm(
            x, scale: all[0].scale1, shift: all[0].shift1, epsilon: 1e-6, as: .operand)
        for (index, block) in blocks.enumerated() {
            try checkpoint()
            let next =
                index + 1 < blocks.count
                ? (scale: all[index + 1].scale1, shift: all[index + 1].shift1) : conditioning.head
            (h, normed) = block.chained(
                h, normed: normed, modulation: all[index], next: next, cache: caches?[index])
        }
        return TowerFeatures(value: normed, isNormed: true)
    }
}
