// Loading the class-pose network for points.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension PointClassPoseNetwork {
    /// The key of the metadata that holds the sizes as JSON.
    static let metadataKey = "point_class_pose"

    /// Loads a network; its sizes stand in the file's metadata.
    ///
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(archive: TensorArchive) throws {
        guard let text = archive.metadata[Self.metadataKey],
            let configuration = try? JSONDecoder().decode(
                PointClassPoseConfiguration.self, from: Data(text.utf8))
        else {
            throw CheckpointError.notInferable(
                file: archive.path, what: "the sizes of the class-pose network",
                hint: "use weights written by `workbench train`")
        }
        let store = ParameterStore(tensors: archive.tensors())
        try self.init(configuration: configuration, store: store)
        try store.refuseMismatch(file: archive.path, model: "a class-pose network for points")
    }

    /// The sizes as metadata of a weight file.
    var metadata: [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = (try? encoder.encode(configuration)).map { String(decoding: $0, as: UTF8.self) }
        return ["system": "recon-points", Self.metadataKey: text ?? ""]
    }
}

extension PointClassPoseNetwork: ClassPoseModel {
    /// Frames less determined than this count as dead: a line has no pose about itself.
    public static let leastGap = 0.005

    public func classPoses(
        of inputs: [PointCloud], cancellation: Cancellation = Cancellation()
    ) throws -> ClassPoses<Rotation3> {
        try embed(inputs, cancellation: cancellation).poses
    }

    /// Embeddings and poses, how well each frame is determined, and the mean squared distance of a
    /// point from its reconstruction.
    func embed(
        _ inputs: [PointCloud], cancellation: Cancellation
    ) throws -> (poses: ClassPoses<Rotation3>, gaps: [Double], error: Double) {
        var all = ClassPoses<Rotation3>(
            embeddings: FeatureMatrix(width: embeddingWidth), poses: [])
        var gaps: [Double] = []
        var error = 0.0
        for start in stride(from: 0, to: inputs.count, by: 64) {
            try cancellation.check()
            let part = Array(inputs[start..<min(start + 64, inputs.count)])
            let (output, loss) = withoutGradients {
                let batch = self.batch(part)
                let output = self(batch)
                return (output, Double(self.reconstructionError(output, batch).item()))
            }
            all.append(
                ClassPoses(
                    embeddings: FeatureMatrix(output.embedding), poses: output.rotations,
                    deadVectors: output.gaps.count { $0 < Self.leastGap }))
            gaps += output.gaps
            error += loss * Double(part.count) / Double(inputs.count)
        }
        return (all, gaps, error)
    }
}
