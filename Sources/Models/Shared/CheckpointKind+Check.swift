// Checking a checkpoint's tensors without reading them.
// SPDX-License-Identifier: Apache-2.0
import Core

extension CheckpointKind {
    /// Refuses an archive that is not exactly a model of its kind: missing, unexpected and misshapen
    /// tensors are named, the bookkeeping tensors compared.
    ///
    /// No weight is read, so the cost does not depend on the file's size.
    /// - Parameters:
    ///   - archive: safetensors or `.pth`, also a training checkpoint.
    ///   - patchNums: for files that do not tell.
    /// - Returns: the kind.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public static func check(
        _ archive: TensorArchive, patchNums: [Int]? = nil
    ) throws -> CheckpointKind {
        let light = archive.withoutNarrowValues()
        switch try infer(archive.transformerScope().tokenizerScope()) {
        case .tokenizer:
            _ = try VQVAE(archive: light, patchNums: patchNums ?? archive.anyPatchNums())
            return .tokenizer
        case .hmar:
            _ = try HMAR(archive: light, patchNums: patchNums)
            return .hmar
        case let kind:
            _ = try NextScaleTransformer(archive: light, patchNums: patchNums)
            return kind
        }
    }
}

extension TensorArchive {
    /// The archive with its 16-bit weights replaced by a view that repeats four bytes.
    ///
    /// A network widens 16-bit weights when it takes them; names and shapes can be checked without.
    fileprivate func withoutNarrowValues() -> TensorArchive {
        TensorArchive(
            path: path, format: format, metadata: metadata,
            records: records.map { record in
                let isNarrow = record.dtype == .float16 || record.dtype == .bfloat16
                guard isNarrow, record.count > 0, !record.name.hasSuffix("attn_bias_for_masking")
                else { return record }
                return TensorRecord(
                    name: record.name, dtype: .float32, shape: record.shape,
                    strides: record.shape.map { _ in 0 }, file: record.file, byteRange: 0..<4)
            })
    }

    /// The stored sides, or sides that any tokenizer has when the file does not tell: they decide
    /// nothing about its tensors but the usage statistics, which may have any.
    fileprivate func anyPatchNums() -> [Int]? { storedPatchNums() ?? [1, 2] }
}
