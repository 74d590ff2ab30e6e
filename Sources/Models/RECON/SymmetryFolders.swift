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
        return SymmetryInputs(
            title: folder,
            inputs: try files.map { file in
                PictureBackend.grey(
                    try ImageFile.read(path: file.path, side: PictureBackend.side).image)
            }, names: files.map(\.name), labels: files.map(\.label), labelNames: classes)
    }

    /// Meshes and point lists: `points` points each, drawn from the surface, their longest extent
    /// from the centre 1; kinds are all 0, or 0, 1, 2… when the network tells points apart.
    ///
    /// - Throws: ``SymmetryError/nothingReadable(folder:expected:)``, `FileFormatError`.
    static func points(
        _ folder: String, points: Int, kinds: Int
    ) throws -> SymmetryInputs<PointCloud, Rotation3> {
        let (files, classes) = try list(
            folder, expected: "PLY or OBJ meshes, or .xyz lists of points", TriangleMesh.reads)
        let inputs = try files.enumerated().map { index, file in
            let mesh = try TriangleMesh(path: file.path)
            // Lists that fit are taken as they stand: their order may mean something.
            let isList = mesh.triangles.isEmpty && mesh.vertices.count <= points
            var generator = RandomGenerator(seed: 0, stream: UInt64(index))
            let positions = isList ? mesh.vertices : mesh.sample(points, &generator)
            return PointCloud(
                positions: positions,
                kinds: positions.indices.map { kinds == 1 ? 0 : min($0, kinds - 1) }
            ).centred
        }
        return SymmetryInputs(
            title: folder, inputs: inputs, names: files.map(\.name), labels: files.map(\.label),
            labelNames: classes)
    }

    private static func list(
        _ folder: String, expected: String, _ isReadable: (String) -> Bool
    ) throws -> (files: [(path: String, name: String, label: Int)], classes: [String]) {
        func names(_ path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
                .filter { !$0.hasPrefix(".") }.sorted()
        }
        var files = names(folder).filter(isReadable).map { ("\(folder)/\($0)", $0, -1) }
        var classes: [String] = []
        for name in names(folder) {
            let inside = names("\(folder)/\(name)").filter(isReadable)
            if inside.isEmpty { continue }
            files += inside.map { ("\(folder)/\(name)/\($0)", "\(name)/\($0)", classes.count) }
            classes.append(name)
        }
        guard !files.isEmpty else {
            throw SymmetryError.nothingReadable(folder: folder, expected: expected)
        }
        return (files.map { (path: $0.0, name: $0.1, label: $0.2) }, classes)
    }
}
