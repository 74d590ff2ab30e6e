// A user's own folder as inputs of the symmetry engine.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Reads folders of pictures, point clouds or meshes; subfolders, where there are any, are classes.
enum SymmetryFolders {
    /// Pictures fitted to 28×28 and made grey.
    ///
    /// - Throws: ``SymmetryError/nothingReadable(folder:expected:)``, `FileFormatError`.
    static func pictures(_ folder: String) throws -> SymmetryInputs<[Float], Rotation2> {
        let (files, classes) = try list(folder, expected: "PNG or JPEG pictures") { name in
            let lower = name.lowercased()
            return [".png", ".jpg", ".jpeg"].contains { lower.hasSuffix($0) }
        }
        return try inputs(folder, files, classes) { path, _ in
            PictureBackend.grey(try ImageFile.read(path: path, side: PictureBackend.side).image)
        }
    }

    /// What a network for points takes from a file.
    struct PointRules {
        /// The most points an input may have.
        var points: Int
        /// The number of kinds of points.
        var kinds: Int
        /// The elements that kinds stand for; empty where kinds are no elements.
        var elements: [String] = []
        /// Whether inputs are scaled to a longest extent of 1.
        var isScaled = false
    }

    /// Molecules, or meshes and lists of points.
    ///
    /// Of a mesh so many points are drawn from the surface; lists that fit are taken as they stand,
    /// for their order may mean something. Kinds are all 0, or 0, 1, 2… when the network tells points
    /// apart by number.
    ///
    /// - Throws: ``SymmetryError/nothingReadable(folder:expected:)``, `FileFormatError`.
    static func points(
        _ folder: String, rules: PointRules
    ) throws -> SymmetryInputs<PointCloud, Rotation3> {
        let isMolecules = !rules.elements.isEmpty
        let (files, classes) = try list(
            folder,
            expected: isMolecules
                ? "molecules as .xyz files" : "PLY, OBJ or OFF meshes, or .xyz lists of points"
        ) { name in
            isMolecules ? name.lowercased().hasSuffix(".xyz") : TriangleMesh.reads(name)
        }
        return try inputs(folder, files, classes) { path, index in
            if isMolecules { return try molecule(path, rules: rules) }
            var mesh = try TriangleMesh(path: path)
            if rules.isScaled { mesh = mesh.scaled(toExtent: 1) }
            let isList = mesh.triangles.isEmpty && mesh.vertices.count <= rules.points
            var generator = RandomGenerator(seed: 0, stream: UInt64(index))
            let positions = isList ? mesh.vertices : mesh.sample(rules.points, &generator)
            return PointCloud(
                positions: positions,
                kinds: positions.indices.map {
                    rules.kinds == 1 ? 0 : min($0, rules.kinds - 1)
                }
            ).centred
        }
    }

    private static func molecule(_ path: String, rules: PointRules) throws -> PointCloud {
        let file = try XYZFile(path: path)
        let known = rules.elements.joined(separator: ", ")
        guard let elements = file.elements else {
            throw FileFormatError.notRecognised(
                path: path, expected: "an element before the three numbers of every atom")
        }
        guard elements.count <= rules.points else {
            throw FileFormatError.unsupported(
                path: path, what: "a molecule of \(elements.count) atoms",
                hint: "this model was trained on molecules of at most \(rules.points)")
        }
        let kinds = try elements.map { name -> Int in
            guard
                let kind = rules.elements.firstIndex(where: {
                    $0.caseInsensitiveCompare(name) == .orderedSame
                })
            else {
                throw FileFormatError.unsupported(
                    path: path, what: "the element \(name)", hint: "\(known) are known")
            }
            return kind
        }
        return PointCloud(positions: file.positions, kinds: kinds).centred
    }

    /// Reads the files; those that cannot be read are left out and counted in the title, unless
    /// none can.
    private static func inputs<Input, Pose>(
        _ folder: String, _ files: [File], _ classes: [String],
        _ read: (_ path: String, _ index: Int) throws -> Input
    ) throws -> SymmetryInputs<Input, Pose> {
        var all = SymmetryInputs<Input, Pose>(
            title: folder, inputs: [], names: [], labels: [], labelNames: classes)
        var refused: [any Error] = []
        for (index, file) in files.enumerated() {
            do {
                all.inputs.append(try read(file.path, index))
                all.names.append(file.name)
                all.labels.append(file.label)
            } catch {
                refused.append(error)
            }
        }
        if let first = refused.first {
            if all.inputs.isEmpty { throw first }
            all.title += ", \(refused.count) of \(files.count) files left out (\(first))"
        }
        return all
    }

    private struct File {
        var path: String
        var name: String
        /// The class; −1 beside the subfolders.
        var label: Int
    }

    private static func list(
        _ folder: String, expected: String, _ isReadable: (String) -> Bool
    ) throws -> (files: [File], classes: [String]) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw FileFormatError.notFound(path: folder)
        }
        guard isFolder.boolValue else {
            throw FileFormatError.wrongKind(path: folder, expected: "a folder")
        }
        func names(_ path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
                .filter { !$0.hasPrefix(".") }.sorted()
        }
        var files = names(folder).filter(isReadable)
            .map { File(path: "\(folder)/\($0)", name: $0, label: -1) }
        var classes: [String] = []
        for name in names(folder) {
            let inside = names("\(folder)/\(name)").filter(isReadable)
            if inside.isEmpty { continue }
            files += inside.map {
                File(path: "\(folder)/\(name)/\($0)", name: "\(name)/\($0)", label: classes.count)
            }
            classes.append(name)
        }
        guard !files.isEmpty else {
            throw SymmetryError.nothingReadable(folder: folder, expected: expected)
        }
        return (files, classes)
    }
}
