// Loading the classifier.
// SPDX-License-Identifier: Apache-2.0
import Core

extension ImageClassifier {
    /// Loads a classifier; sizes are read from the tensors, the picture side from the metadata.
    ///
    /// - Parameter imageSize: for files whose metadata do not say it.
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(archive: TensorArchive, imageSize: Int? = nil) throws {
        let model = "an image classifier"
        let head = try archive.requiredShape("head.weight", rank: 2, model: model)
        let first = try archive.requiredShape("stages.0.conv.weight", rank: 4, model: model)
        let stored = archive.metadata["image_size"].flatMap { Int($0) }
        guard let side = imageSize ?? stored else {
            throw CheckpointError.notInferable(
                file: archive.path, what: "the side of the pictures",
                hint: "train the classifier again: its file then says image_size")
        }
        if let imageSize, let stored, imageSize != stored {
            throw ConfigurationError.imageSizeMismatch(found: stored, expected: imageSize)
        }
        let store = ParameterStore(tensors: archive.tensors())
        try self.init(
            configuration: ImageClassifierConfiguration(
                imageSize: side, classCount: head[0], width: first[0], features: head[1]),
            store: store)
        try store.refuseMismatch(file: archive.path, model: model)
    }
}
