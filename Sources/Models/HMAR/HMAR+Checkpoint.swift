// Loading an assembled HMAR.
// SPDX-License-Identifier: Apache-2.0
import Core

extension HMAR {
    /// Loads an assembled HMAR by its public tensor names; sizes are read from the tensors.
    ///
    /// - Parameters:
    ///   - archive: safetensors or `.pth`; mapped tensors stay mapped.
    ///   - patchNums: for files without `lvl_1L`.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(archive: TensorArchive, patchNums: [Int]? = nil) throws {
        let archive = archive.transformerScope()
        let kind = try CheckpointKind.infer(archive)
        guard kind == .hmar else {
            throw CheckpointError.wrongKind(
                file: archive.path, expected: CheckpointKind.hmar.title, found: kind.title,
                hint: "assemble the two phases first, or give an assembled file")
        }
        let configuration = try TransformerConfiguration(
            archive: archive, kind: kind, patchNums: patchNums)
        var tensors = archive.tensors()
        try SequenceBuffers.complete(
            &tensors, archive: archive, configuration: configuration, attention: .blockDiagonal)
        let store = ParameterStore(tensors: tensors)
        try self.init(configuration: configuration, store: store)
        try store.refuseMismatch(file: archive.path, model: kind.title)
    }
}
