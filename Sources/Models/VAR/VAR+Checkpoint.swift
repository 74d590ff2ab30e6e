// Loading VAR and HMAR's one-tower phases.
// SPDX-License-Identifier: Apache-2.0
import Core

extension NextScaleTransformer {
    /// Loads VAR, a phase-1 or a phase-2 network by its public tensor names.
    ///
    /// - Parameters:
    ///   - archive: safetensors or `.pth`, also a training checkpoint.
    ///   - kind: what is wanted; told by the file when nil, and decisive for files without a mask.
    ///   - patchNums: for files without `lvl_1L`.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(
        archive: TensorArchive, kind wanted: CheckpointKind? = nil, patchNums: [Int]? = nil
    ) throws {
        let archive = archive.transformerScope()
        var kind = try CheckpointKind.infer(archive)
        if kind == .var, wanted == .nextScale, CheckpointKind.storedAttention(archive) == nil {
            // Nothing in the file tells the two apart, so the caller's word counts.
            kind = .nextScale
        }
        let isOneTower = kind != .tokenizer && kind != .hmar
        guard isOneTower, wanted == nil || wanted == kind else {
            throw CheckpointError.wrongKind(
                file: archive.path, expected: (wanted ?? .var).title, found: kind.title,
                hint: "give a file of that kind")
        }
        let configuration = try TransformerConfiguration(
            archive: archive, kind: kind, patchNums: patchNums)
        let attention: ScaleAttention = kind == .var ? .blockCausal : .blockDiagonal
        var tensors = archive.tensors()
        try SequenceBuffers.complete(
            &tensors, archive: archive, configuration: configuration, attention: attention)
        let store = ParameterStore(tensors: tensors)
        try self.init(
            configuration: configuration, attention: attention, store: store,
            isMaskedPrediction: kind == .maskedPrediction)
        try store.refuseMismatch(file: archive.path, model: kind.title)
    }
}

extension VAR {
    /// Loads VAR by its public tensor names.
    ///
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(archive: TensorArchive, patchNums: [Int]? = nil) throws {
        self.init(try NextScaleTransformer(archive: archive, kind: .var, patchNums: patchNums))
    }
}
