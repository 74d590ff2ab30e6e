// A class-pose network for pictures, in memory.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A class-pose network for pictures (ssl-sym, or λ = 0 for RECON).
public final class PictureSymmetryModel: SymmetryDiscovering {
    public let card: ModelCard
    public let network: InvariantEquivariantAutoencoder
    /// Θ, where there is one.
    public let level: SymmetryLevelNetwork?
    /// The network for RECON's centres, where there is one.
    public let centre: SymmetryLevelNetwork?
    /// Whether training pulled the poses to the identity (ssl-sym), so that no centre is needed.
    public let isConstrained: Bool
    /// What it was trained on, by its file: set, law, pictures at most, seed.
    let trainingData: (set: String, law: String, limit: Int?, seed: UInt64)
    public let symmetryGroup = SymmetryGroup.so2

    init(
        card: ModelCard, network: InvariantEquivariantAutoencoder, level: SymmetryLevelNetwork?,
        centre: SymmetryLevelNetwork?, metadata: [String: String]
    ) {
        self.card = card
        self.network = network
        self.level = level
        self.centre = centre
        isConstrained = (metadata["group_weight"].flatMap { Double($0) } ?? 0) > 0
        trainingData = (
            metadata["data"] ?? "mnist", metadata["law"] ?? "MNISTMultiple",
            metadata["data_limit"].flatMap { Int($0) } ?? 12_000,
            metadata["data_seed"].flatMap { UInt64($0) } ?? 0
        )
    }

    public var weightBytes: Int { network.parameters.reduce(0) { $0 + 4 * $1.value.count } }
    public var summaryLines: [String] {
        let count = network.parameters.reduce(0) { $0 + $1.value.count }
        return [
            "autoencoder: \(count) parameters, "
                + (isConstrained ? "constrained (ssl-sym)" : "unconstrained (for RECON)")
        ]
    }

    /// What the session starts with: ssl-sym's rule for a constrained model, else RECON's with a
    /// second look, which is better in every figure there.
    public var defaultSettings: SymmetrySettings {
        SymmetrySettings(
            neighbours: 45, mean: isConstrained ? .none : .frechet,
            look: isConstrained ? .first : .second)
    }

    /// A session on pictures at hand, as on a folder of them.
    ///
    /// - Throws: ``SymmetryError``, `CancellationError`.
    public func openSymmetry(
        pictures: [RGBImage], title: String, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int, _ phase: String) -> Void
    ) throws -> any SymmetrySession {
        try SymmetryBankSession(
            backend: backend,
            inputs: SymmetryInputs(
                title: title, inputs: pictures.map(PictureBackend.grey),
                names: pictures.indices.map { "picture \($0)" }, labels: [], labelNames: []),
            defaults: defaults(for: .folder(title)), cancellation: cancellation, progress: progress)
    }

    /// Training put the identity where its own digits are natural; of other pictures, and of digits
    /// with other natural poses, the centre has to be found.
    private func defaults(for source: SymmetrySource) -> SymmetrySettings {
        var settings = defaultSettings
        switch source {
        case .folder: settings.mean = .frechet
        case .construction(let name, _, _, _):
            if name.hasPrefix("fashion/") || name.hasSuffix("+offset") { settings.mean = .frechet }
        }
        return settings
    }

    /// The construction's name for a law: its own in lower case; Fashion-MNIST's behind `fashion/`.
    public var constructions: [SymmetryConstruction] {
        let names = [
            "MNISTMultiple", "MNISTMultiple+offset", "RotMNIST60-90", "RotMNIST60-90+offset",
            "MNISTMultipleGaussian", "MNISTC2C4", "RotMNIST60", "RotMNIST", "MNIST",
        ]
        return names.map { Self.construction($0, set: "MNIST", prefix: "") }
            + ["RotMNIST60-90", "MNISTMultiple"].map {
                Self.construction($0, set: "Fashion-MNIST", prefix: "fashion/")
            }
    }

    private static func construction(
        _ law: String, set: String, prefix: String
    ) -> SymmetryConstruction {
        SymmetryConstruction(
            name: prefix + law.lowercased(), title: "\(set), rotated as \(law)",
            defaultCount: 3000, needsFolder: true)
    }

    public func openSymmetry(
        _ source: SymmetrySource, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int, _ phase: String) -> Void
    ) throws -> any SymmetrySession {
        try SymmetryBankSession(
            backend: backend, inputs: try inputs(source, part: .training),
            defaults: defaults(for: source),
            cancellation: cancellation, progress: progress)
    }

    var backend: PictureBackend {
        PictureBackend(network: network, level: level, centre: centre)
    }

    /// Makes or reads the pictures of a source.
    func inputs(
        _ source: SymmetrySource, part: MNIST.Part
    ) throws -> SymmetryInputs<[Float], Rotation2> {
        switch source {
        case .folder(let path):
            return try SymmetryFolders.pictures(path)
        case .construction(let name, let folder, let count, let seed):
            let known = constructions.map(\.name)
            let isFashion = name.hasPrefix("fashion/")
            let lawName = isFashion ? String(name.dropFirst(8)) : name
            guard let law = RotationLaw.named(lawName) else {
                throw SymmetryError.unknownConstruction(
                    name: name, nearest: nearestName(to: name, among: known), known: known)
            }
            let found = try locate(folder: folder, isFashion: isFashion)
            let set = try RotatedImages.digits(
                folder: found, part: part, law: law, limit: count, seed: seed)
            return set.inputs(
                title: "\(isFashion ? "Fashion-MNIST" : "MNIST") rotated as \(law.name), "
                    + "\(set.count) pictures, seed \(seed)",
                classes: isFashion ? Self.fashionClasses : (0..<10).map(String.init))
        }
    }

    /// The folder with the four files of MNIST or of the other set in its format.
    ///
    /// - Throws: ``SymmetryError/sourceMissing(construction:places:)``.
    func locate(folder: String?, isFashion: Bool) throws(SymmetryError) -> String {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        let roots = folder.map { [$0] } ?? ["data", home + "/.local/share/workbench/data"]
        let places = roots.flatMap {
            isFashion ? ["\($0)/fashion-mnist", $0] : [$0, "\($0)/mnist"]
        }
        do {
            return try MNIST.locate(in: places)
        } catch {
            throw .sourceMissing(
                construction: isFashion ? "Fashion-MNIST" : "MNIST", places: places)
        }
    }

    private static let fashionClasses = [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
    ]
}
