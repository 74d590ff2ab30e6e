// Trained weights in the form that is shipped.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Rewrites a checkpoint with half-precision weights under the same names.
///
/// Tensors become float16; what stays float32: small ones (norms, scale factors), the codebook, whose
/// rows are compared with each other, and anything that float16 cannot hold. Integer tensors stay as
/// they are. `attn_bias_for_masking` is left out: loaders make it from the token maps, and the
/// metadata say which of the two masks it is.
public enum WeightPacking {
    /// Tensors below this many elements are not worth rounding.
    static let smallest = 256

    /// What a packed file holds.
    ///
    /// - Parameter keepsFloat32: rounds nothing.
    public static func items(
        _ archive: TensorArchive, keepsFloat32: Bool = false
    ) -> [Safetensors.Item] {
        archive.records.filter { $0.name != "attn_bias_for_masking" }.map { record in
            let tensor = Tensor(record: record)
            let isRounded = !keepsFloat32 && shouldRound(record, tensor)
            return Safetensors.Item(
                name: record.name, tensor: isRounded ? tensor.cast(to: .float16) : tensor)
        }
    }

    private static func shouldRound(_ record: TensorRecord, _ tensor: Tensor) -> Bool {
        guard record.dtype == .float32, record.count >= smallest,
            !record.name.hasSuffix("quantize.embedding.weight"), !isStatistics(record.name)
        else { return false }
        return tensor.floats().allSatisfy { abs($0) <= 65_504 }
    }

    /// Trained numbers of a checkpoint: everything but bookkeeping.
    public static func parameterCount(_ archive: TensorArchive) -> Int {
        archive.records.reduce(0) { $0 + (isBookkeeping($1.name) ? 0 : $1.count) }
    }

    private static func isStatistics(_ name: String) -> Bool { name.hasSuffix("ema_vocab_hit_SV") }

    /// Tensors that published checkpoints hold besides their parameters.
    private static func isBookkeeping(_ name: String) -> Bool {
        isStatistics(name) || name.hasSuffix("zero_k_bias") || name == "lvl_1L"
            || name == "attn_bias_for_masking"
    }
}
