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
        var values = [Float](repeating: -.infinity, count: length * length)
        var start = 0
        for count in configuration.tokenCounts {
            let end = start + count
            let first = attention == .blockCausal ? 0 : start
            for row in start..<end {
                for column in first..<end { values[row * length + column] = 0 }
            }
            start = end
        }
        return Tensor(values, shape: [1, 1, length, length])
    }
}
