// Loading symmetry models by their cards.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Loads cards of the system `symmetry`.
///
/// File role: `points`.
public struct SymmetryLoader: ModelLoader {
    public let system = "symmetry"

    public init() {}

    public func load(
        _ entry: ModelEntry, cancellation: Cancellation
    ) throws -> any LoadedModel {
        guard let path = entry.path(role: "points") else {
            throw CheckpointError.unknownKind(
                file: entry.card.name, tensorCount: 0, firstNames: [],
                hint: "the card names no file with the role points")
        }
        let points = try TensorArchive.open(path: path)
        return PointSymmetryModel(
            card: entry.card, network: try PointClassPoseNetwork(archive: points),
            sourceName: points.metadata["source"] ?? "tetris")
    }
}
