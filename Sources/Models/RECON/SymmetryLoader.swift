// Loading symmetry models by their cards.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Loads cards of the system `symmetry`.
///
/// File roles: `autoencoder` (pictures) or `points`; optional `theta` and `gamma`, autoencoder
/// checkpoints whose level networks give levels and centres.
public struct SymmetryLoader: SymmetryModelLoader {
    public let system = "symmetry"

    public init() {}

    public func load(
        _ entry: ModelEntry, cancellation: Cancellation
    ) throws -> any LoadedModel {
        func archive(_ role: String) throws -> TensorArchive? {
            try cancellation.check()
            return try entry.path(role: role).map { try TensorArchive.open(path: $0) }
        }
        if let points = try archive("points") {
            return PointSymmetryModel(
                card: entry.card, network: try PointClassPoseNetwork(archive: points),
                sourceName: points.metadata["source"] ?? "tetris",
                classes: points.metadata["classes"].flatMap {
                    try? JSONDecoder().decode([String].self, from: Data($0.utf8))
                })
        }
        guard let autoencoder = try archive("autoencoder") else {
            throw CheckpointError.unknownKind(
                file: entry.card.name, tensorCount: 0, firstNames: [],
                hint: "the card names no file with the role autoencoder or points")
        }
        let network = try InvariantEquivariantAutoencoder(archive: autoencoder)
        func amortised(_ role: String) throws -> SymmetryLevelNetwork? {
            try archive(role).flatMap { try InvariantEquivariantAutoencoder(archive: $0).theta }
        }
        return PictureSymmetryModel(
            card: entry.card, network: network,
            level: try amortised("theta") ?? network.theta, centre: try amortised("gamma"),
            metadata: autoencoder.metadata)
    }
}
