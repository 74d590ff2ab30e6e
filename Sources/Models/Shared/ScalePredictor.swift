// What the scale-by-scale sampler asks of a network.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A network that gives guided logits for one token map at a time.
///
/// One value serves one generation: VAR's keeps its key/value cache, HMAR's keeps nothing but the
/// condition.
protocol ScalePredictor: AnyObject {
    /// Sizes of the network.
    var configuration: TransformerConfiguration { get }
    /// Bytes of keys and values held now; 0 for HMAR.
    var cacheBytes: Int { get }

    /// Whether a scale needs what was computed at the scales before it, as VAR's cache; false for HMAR.
    var remembersScales: Bool { get }

    /// Guided logits [B, p_k², V] of a whole map from what came before it.
    ///
    /// - Parameters:
    ///   - scale: k.
    ///   - context: rows R^area(f̂ of scales < k), [B, p_k², Z]; nil at scale 0.
    ///   - checkpoint: called between blocks.
    func nextScaleLogits(
        scale: Int, context: Tensor?, checkpoint: () throws -> Void
    ) throws -> Tensor

    /// Guided logits [B, p_k², V] of a map of which some tokens are masked.
    ///
    /// - Parameters:
    ///   - own: rows of the map's own contribution, [B, p_k², Z].
    ///   - masked: 1 at masked positions, else 0, [B, p_k², 1].
    func maskedLogits(
        scale: Int, context: Tensor, own: Tensor, masked: Tensor, checkpoint: () throws -> Void
    ) throws -> Tensor
}

/// (1 + t)·cond − t·uncond over the halves of a doubled batch.
func guided(_ logits: Tensor, batch: Int, by t: Double) -> Tensor {
    if !Recording.isOn, !(logits.device is CPUDevice) { return logits.device.guided(logits, by: t) }
    let conditional = logits.narrowed(axis: 0, start: 0, length: batch)
    let unconditional = logits.narrowed(axis: 0, start: batch, length: batch)
    return conditional * Float(1 + t) - unconditional * Float(t)
}

/// B labels and as many "no class", int32 [2B].
func guidedLabels(_ labels: [Int32], noClass: Int) -> Tensor {
    let both = labels + [Int32](repeating: Int32(noClass), count: labels.count)
    return Tensor(int32: both, shape: [both.count])
}
