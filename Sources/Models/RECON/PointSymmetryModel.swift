// A class-pose network for points in space, in memory.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A class-pose network for points in space.
public final class PointSymmetryModel: SymmetryDiscovering {
    public let card: ModelCard
    public let network: PointClassPoseNetwork
    public let symmetryGroup = SymmetryGroup.so3
    /// What it was trained on: `tetris`, `molecules`, `meshes`.
    public let sourceName: String

    /// The names of what it was trained on, where the weights tell.
    let classes: [String]?

    init(
        card: ModelCard, network: PointClassPoseNetwork, sourceName: String,
        classes: [String]? = nil
    ) {
        self.card = card
        self.network = network
        self.sourceName = sourceName
        self.classes = classes
    }

    public var weightBytes: Int { network.parameters.reduce(0) { $0 + 4 * $1.value.count } }
    public var summaryLines: [String] {
        let count = network.parameters.reduce(0) { $0 + $1.value.count }
        return ["points: \(count) parameters, trained on \(sourceName)"]
    }

    public var defaultSettings: SymmetrySettings {
        SymmetrySettings(
            // Frames of conformers may flip, which the mean of all would not survive; a fixed c of
            // 1.5 rad is a little better for narrow laws and much worse for wide ones.
            neighbours: 25, mean: sourceName == "tetris" ? .frechet : .tukey(c: nil),
            bandwidth: 10)
    }

    public var constructions: [SymmetryConstruction] {
        SpaceLaw.all.map { law in
            SymmetryConstruction(
                name: "\(sourceName)-\(law.name)", title: "\(sourceName), turned by \(law.title)",
                defaultCount: sourceName == "tetris" ? 1600 : 2640,
                needsFolder: sourceName != "tetris")
        }
    }

    public func openSymmetry(
        _ source: SymmetrySource, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int, _ phase: String) -> Void
    ) throws -> any SymmetrySession {
        let (inputs, points) = try inputs(source)
        return try SymmetryBankSession(
            backend: backend(points), inputs: inputs, defaults: defaultSettings,
            cancellation: cancellation, progress: progress)
    }

    func backend(_ source: (any PointSource)?) -> PointBackend {
        PointBackend(
            network: network, source: source,
            kindNames: sourceName == "molecules"
                ? MoleculeSource.elements : source?.kindNames ?? [],
            isMolecules: sourceName == "molecules")
    }

    /// The set of shapes behind a construction.
    ///
    /// - Throws: ``SymmetryError``, file errors.
    func source(folder: String?) throws -> any PointSource {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        let roots = folder.map { [$0] } ?? ["data", home + "/.local/share/workbench/data"]
        switch sourceName {
        case "tetris": return TetrisSource()
        case "molecules": return try MoleculeSource(path: MoleculeSource.locate(in: roots))
        default:
            return try MeshSource(
                folder: MeshSource.locate(in: roots), points: network.configuration.points,
                names: classes)
        }
    }

    func inputs(
        _ source: SymmetrySource
    ) throws -> (SymmetryInputs<PointCloud, Rotation3>, (any PointSource)?) {
        switch source {
        case .folder(let path):
            return (
                try SymmetryFolders.points(
                    path,
                    rules: SymmetryFolders.PointRules(
                        points: network.configuration.points,
                        kinds: network.configuration.kinds,
                        elements: sourceName == "molecules" ? MoleculeSource.elements : [],
                        isScaled: sourceName == "meshes")), nil
            )
        case .construction(let name, let folder, let count, let seed):
            guard name.hasPrefix(sourceName + "-"),
                let law = SpaceLaw(name: String(name.dropFirst(sourceName.count + 1)))
            else {
                let known = constructions.map(\.name)
                throw SymmetryError.unknownConstruction(
                    name: name, nearest: nearestName(to: name, among: known), known: known)
            }
            let set = try self.source(folder: folder)
            return (set.inputs(law: law, count: count, seed: seed), set)
        }
    }
}
