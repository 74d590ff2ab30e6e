// The two bookkeeping tensors of published transformer checkpoints.
// SPDX-License-Identifier: Apache-2.0
import Core

/// `lvl_1L` and `attn_bias_for_masking`: stored by the published code, checked here, never used.
enum SequenceBuffers {
    /// Takes or makes both buffers.
    static func take(
        _ scope: ParameterScope, configuration: TransformerConfiguration, attention: ScaleAttention
    ) {
        let length = configuration.tokenCount
        _ = scope.buffer("lvl_1L", shape: [1, length]) { levels(configuration) }
        _ = scope.buffer("attn_bias_for_masking", shape: [1, 1, length, length]) {
            bias(configuration, attention)
        }
    }

    /// Both buffers by name, as an export writes them.
    static func exported(
        _ configuration: TransformerConfiguration, _ attention: ScaleAttention
    ) -> [String: Tensor] {
        [
            "lvl_1L": levels(configuration),
            "attn_bias_for_masking": bias(configuration, attention),
        ]
    }

    /// The scale of every token, int64 [1, L].
    static func levels(_ configuration: TransformerConfiguration) -> Tensor {
        let ids = configuration.tokenCounts.enumerated().flatMap { scale, count in
            [Int32](repeating: Int32(scale), count: count)
        }
        return Tensor(int32: ids, shape: [1, ids.count]).cast(to: .int64)
    }

    /// 0 where a token may look, −∞ elsewhere, [1, 1, L, L].
    static func bias(
        _ configuration: TransformerConfiguration, _ attention: ScaleAttention
    ) -> Tensor {
        let length = configuration.tokenCount
        var values: [Float] = []
        values.reserveCapacity(length * length)
        for (count, seen) in intervals(configuration, attention) {
            var row = [Float](repeating: -.infinity, count: length)
            row.replaceSubrange(seen, with: repeatElement(0, count: seen.count))
            for _ in 0..<count { values += row }
        }
        return Tensor(values, shape: [1, 1, length, length])
    }

    /// Per map, its number of tokens and the positions that each of them may look at.
    static func intervals(
        _ configuration: TransformerConfiguration, _ attention: ScaleAttention
    ) -> [(count: Int, seen: Range<Int>)] {
        var start = 0
        return configuration.tokenCounts.map { count in
            defer { start += count }
            return (count, (attention == .blockCausal ? 0 : start)..<(start + count))
        }
    }
}
