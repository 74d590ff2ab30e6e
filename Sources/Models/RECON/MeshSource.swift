// Points on the surfaces of meshes.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Points drawn from the surfaces of meshes, each class one mesh.
///
/// Every mesh is scaled to a longest extent of 1. Every sample has other points, uniform over the
/// surface; the kinds are all alike.
public struct MeshSource: PointSource {
    public let name = "meshes"
    public let classes: [String]
    public let kindNames: [String] = []
    public let points: Int
    private let meshes: [TriangleMesh]

    /// Reads the meshes of a folder, or of `meshes.tar.gz` in it.
    ///
    /// - Parameters:
    ///   - limit: meshes at most, evenly over the alphabetical list.
    ///   - names: these meshes alone, file names without their endings; nil for any.
    /// - Throws: `FileFormatError`, `DatasetError`.
    public init(folder: String, points: Int, limit: Int = 32, names: [String]? = nil) throws {
        let archive = folder + "/meshes.tar.gz"
        var named: [(name: String, read: () throws -> TriangleMesh)] = []
        if FileManager.default.fileExists(atPath: archive) {
            let tar = try Tar(path: archive)
            named = tar.entries.filter { $0.name.hasSuffix(".ply") }.map { entry in
                (
                    entry.name,
                    { try TriangleMesh(ply: Array(tar.bytes(of: entry)), path: entry.name) }
                )
            }
        } else {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            named = files.filter(TriangleMesh.reads).map { file in
                (file, { try TriangleMesh(path: "\(folder)/\(file)") })
            }
        }
        named.sort { $0.name < $1.name }
        guard !named.isEmpty else { throw DatasetError.noPictures(folder: folder) }
        func title(_ file: String) -> String {
            ((file as NSString).lastPathComponent as NSString).deletingPathExtension
        }
        if let names {
            let found = Dictionary(named.map { (title($0.name), $0) }) { first, _ in first }
            let missing = names.filter { found[$0] == nil }
            guard missing.isEmpty else {
                throw DatasetError.notFound(
                    name: "some of the meshes", files: missing, places: [folder])
            }
            named = names.compactMap { found[$0] }
        }
        let count = names?.count ?? min(limit, named.count)
        let chosen = (0..<count).map { named[$0 * named.count / count] }
        meshes = try chosen.map { try $0.read().scaled(toExtent: 1) }
        classes = chosen.map { title($0.name) }
        self.points = points
    }

    /// The first of some folders, or their `meshes`, that holds the pack or mesh files.
    ///
    /// - Throws: `DatasetError.notFound`.
    public static func locate(in folders: [String]) throws(DatasetError) -> String {
        let places = folders.flatMap { [$0 + "/meshes", $0] }
        let files = FileManager.default
        for place in places {
            let names = (try? files.contentsOfDirectory(atPath: place)) ?? []
            if names.contains("meshes.tar.gz") || names.contains(where: TriangleMesh.reads) {
                return place
            }
        }
        throw .notFound(
            name: "a folder of meshes", files: ["meshes.tar.gz", "*.ply", "*.obj"], places: places)
    }

    public func sample(
        of label: Int, isHeldOut: Bool, _ generator: inout RandomGenerator
    ) -> PointCloud {
        let positions = meshes[label].sample(points, &generator)
        return PointCloud(
            positions: positions, kinds: [Int](repeating: 0, count: positions.count)
        ).centred
    }
}
