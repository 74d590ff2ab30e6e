// Scaled dot-product attention with interval masks. SPDX-License-Identifier: Apache-2.0

/// Which keys a query may see; every query sees one interval.
public enum AttentionMask: Sendable, Equatable {
    /// All keys.
    case full
    /// Keys at or before the query.
    case causal
    /// Sequences cut into blocks of these lengths: keys of the query's own block.
    case blockDiagonal([Int])
    /// Keys of the query's own block and of all before it.
    case blockCausal([Int])

    /// The interval of each query; nil for all keys.
    ///
    /// - Precondition: queries and keys are the same sequence, and block lengths sum to its length.
    package func intervals(queries: Int, keys: Int) -> AttentionIntervals? {
        switch self {
        case .full: return nil
        case .causal:
            requireShapes(queries == keys, "attention, causal mask", [[queries, keys]])
            return AttentionIntervals(
                start: [Int32](repeating: 0, count: queries),
                end: (0..<queries).map { Int32($0 + 1) })
        case .blockDiagonal(let lengths), .blockCausal(let lengths):
            requireShapes(
                queries == keys && lengths.reduce(0, +) == queries, "attention, block mask",
                [[queries, keys], lengths])
            var isDiagonal = false
            if case .blockDiagonal = self { isDiagonal = true }
            var intervals = AttentionIntervals(start: [], end: [])
            var first: Int32 = 0
            for length in lengths {
                let last = first + Int32(length)
                for _ in 0..<length {
                    intervals.start.append(isDiagonal ? first : 0)
                    intervals.end.append(last)
                }
                first = last
            }
            return intervals
        }
    }
}

/// For each query the half-open interval of keys that it sees.
public struct AttentionIntervals: Sendable, Hashable {
    public var start: [Int32]
    public var end: [Int32]
}

/// softmax(scale · q kᵀ + mask) v, per batch entry and head, by tiles: no L × M matrix exists.
///
/// - Parameters:
///   - q: [B, H, L, D]; may be a strided view such as [B, L, H, D] transposed, as may k and v.
///   - k: [B, H, M, D].
///   - v: [B, H, M, D].
///   - scale: multiplies the products; 1 for l2-normalised q and k, else usually 1/√D.
///   - mask: the keys that each query sees.
/// - Returns: [B, H, L, D], laid out so that `transposed(1, 2).reshaped([B, L, H·D])` copies nothing.
/// - Complexity: 4·B·H·D FLOP per visible pair; the backward pass 10. Memory L·H·B beyond the output.
///
/// Numerics: f32, online softmax over tiles of 64 keys from the first visible one on. The backward pass
/// recomputes the weights from the kept logsumexp.
/// Source: Dao et al., arXiv 2205.14135; interval masks as hmar.md §7.
public func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, mask: AttentionMask = .full
) -> Tensor {
    requireShapes(
        q.rank == 4 && k.rank == 4 && v.shape == k.shape && q.shape[0] == k.shape[0]
            && q.shape[1] == k.shape[1] && q.shape[3] == k.shape[3],
        "attention", [q.shape, k.shape, v.shape])
    let (q, k, v) = (denseRows(q), denseRows(k), denseRows(v))
    let intervals = mask.intervals(queries: q.shape[2], keys: k.shape[2])
    let (output, logSumExp) = q.device.attention(
        q.detached(), k.detached(), v.detached(), scale: scale, intervals: intervals)
    return recorded(output, inputs: [q, k, v]) { dy in
        let (dq, dk, dv) = dy.device.attentionGradient(
            dy, q.detached(), k.detached(), v.detached(), output: output, logSumExp: logSumExp,
            scale: scale, intervals: intervals)
        return [.init(dq), .init(dk), .init(dv)]
    }
}

/// Itself if the last dimension is dense.
private func denseRows(_ x: Tensor) -> Tensor {
    x.strides[3] == 1 || x.shape[3] == 1 ? x : x.contiguous()
}
