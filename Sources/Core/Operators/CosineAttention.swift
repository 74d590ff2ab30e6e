// Attention by cosine similarity, from one projection. SPDX-License-Identifier: Apache-2.0

/// softmax(s_h · q̂ k̂ᵀ + mask) v with q̂ and k̂ of unit length, per batch entry and head.
///
/// - Parameters:
///   - qkv: [B, L, 3, H, D], as one projection gives queries, keys and values.
///   - scale: s, [H].
///   - mask: the keys that each query sees.
///   - epsilon: least norm; below it the gradient treats the divisor as constant.
/// - Returns: [B, L, H, D]; in 16 bits where the device reads operands of products so.
/// - Complexity: as ``attention(_:_:_:scale:mask:)``; devices with a kernel for it divide scores by the
///   norms instead of writing normalised queries and keys.
///
/// Source: Liu et al., "Swin Transformer V2", arXiv 2111.09883, §3.2; VAR's `attn_l2_norm`.
public func cosineAttention(
    _ qkv: Tensor, scale: Tensor, mask: AttentionMask = .full, epsilon: Float = 1e-12
) -> Tensor {
    requireShapes(
        qkv.rank == 5 && qkv.shape[2] == 3 && scale.shape == [qkv.shape[3]], "cosineAttention",
        [qkv.shape, scale.shape])
    let (qkv, scale) = (qkv.contiguous(), scale.contiguous())
    let length = qkv.shape[1]
    let isRecorded = Recording.isOn && (qkv.node != nil || scale.node != nil)
    if !isRecorded, mask == .full,
        let output = qkv.device.cosineAttention(
            qkv.detached(), scale: scale.detached(), epsilon: epsilon)
    {
        return output
    }
    if let fused = qkv.device.cosineAttention(
        qkv.detached(), scale: scale.detached(), epsilon: epsilon,
        intervals: mask.intervals(queries: length, keys: length))
    {
        return recorded(fused.output, inputs: [qkv, scale]) { dy in
            let (dqkv, dscale) = fused.gradient(dy)
            return [.init(dqkv), .init(dscale)]
        }
    }
    let parts = qkv.cast(to: .float32).split(axis: 2, sizes: [1, 1, 1]).map { $0.squeezed(2) }
    let q = l2Normalized(parts[0], epsilon: epsilon) * scale.reshaped([1, 1, qkv.shape[3], 1])
    let k = l2Normalized(parts[1], epsilon: epsilon)
    return attention(
        q.transposed(1, 2), k.transposed(1, 2), parts[2].transposed(1, 2), scale: 1, mask: mask
    ).transposed(1, 2)
}
