// Embedding look-up and nearest codes. SPDX-License-Identifier: Apache-2.0

/// Rows of a table by index.
///
/// - Parameters:
///   - weight: [V, C].
///   - indices: int32 of any shape, each in 0 ..< V.
/// - Returns: [..., C]. The gradient adds rows in the order of the indices.
public func embedding(_ weight: Tensor, indices: Tensor) -> Tensor {
    requireShapes(
        weight.rank == 2 && indices.dtype == .int32, "embedding", [weight.shape, indices.shape])
    let (weight, indices) = (weight.contiguous(), indices.contiguous())
    let y = weight.device.gatherRows(weight.detached(), indices)
    let (entries, width) = (weight.shape[0], weight.shape[1])
    return recorded(y, inputs: [weight]) { dy in
        [
            .init(
                dy.device.scatterAddRows(
                    dy.contiguous().reshaped([indices.count, width]), indices, count: entries))
        ]
    }
}

/// The nearest entry of a codebook for each vector: argmin_v (|z|² + |E_v|²) − 2 z·E_v.
///
/// - Parameters:
///   - z: [N, Z].
///   - codebook: [V, Z].
/// - Returns: int32 [N]; the first entry on ties. Not differentiable.
///
/// Numerics: evaluated in f32 in exactly this form, as the reference does: tokens depend on it.
/// Source: hmar.md §3.4.
public func nearestCodes(_ z: Tensor, codebook: Tensor) -> Tensor {
    requireShapes(
        z.rank == 2 && codebook.rank == 2 && z.shape[1] == codebook.shape[1]
            && (codebook.shape[0] > 0 || z.shape[0] == 0),
        "nearestCodes", [z.shape, codebook.shape])
    return z.device.nearestRows(z.detached().contiguous(), codebook.detached().contiguous())
}
