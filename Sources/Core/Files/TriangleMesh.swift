// Meshes and lists of points from files, and points on their surfaces.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Vertices and triangles; polygons are cut into fans.
public struct TriangleMesh: Sendable, Equatable {
    public var vertices: [SIMD3<Double>]
    /// Three vertex numbers each.
    public var triangles: [SIMD3<Int32>]

    /// - Precondition: every triangle's vertices exist.
    public init(vertices: [SIMD3<Double>], triangles: [SIMD3<Int32>]) {
        self.vertices = vertices
        self.triangles = triangles
    }

    /// Whether a file name is one of a format that is read: `.ply`, `.obj`, `.off`, `.xyz`.
    public static func reads(_ name: String) -> Bool {
        let lower = name.lowercased()
        return [".ply", ".obj", ".off", ".xyz"].contains { lower.hasSuffix($0) }
    }

    /// Reads a PLY (ascii, little- or big-endian), OBJ, OFF or list of points by its extension.
    ///
    /// - Throws: ``FileFormatError``, also where a coordinate is not finite or beyond
    ///   ``XYZFile/largestCoordinate``.
    public init(path: String) throws {
        let lower = path.lowercased()
        if lower.hasSuffix(".xyz") {
            try self.init(vertices: XYZFile(path: path).positions, triangles: [])
        } else {
            let file = try MappedFile(filledPath: path)
            if lower.hasSuffix(".ply") {
                try self.init(ply: [UInt8](file.bytes), path: path)
            } else {
                let text = String(decoding: file.bytes, as: UTF8.self)
                if lower.hasSuffix(".off") {
                    try self.init(off: text, path: path)
                } else {
                    try self.init(obj: text, path: path)
                }
            }
        }
        try XYZFile.checkRange(of: vertices, path: path)
    }

    mutating func addFan(_ corners: [Int32]) {
        guard corners.count >= 3 else { return }
        for i in 1..<(corners.count - 1) {
            triangles.append(SIMD3(corners[0], corners[i], corners[i + 1]))
        }
    }

    /// The same with a longest side of its box of `extent`; unchanged when it is a single point.
    public func scaled(toExtent extent: Double) -> TriangleMesh {
        guard var low = vertices.first else { return self }
        var high = low
        for v in vertices {
            low.replace(with: v, where: v .< low)
            high.replace(with: v, where: v .> high)
        }
        let longest = (high - low).max()
        guard longest > 0, longest.isFinite else { return self }
        return TriangleMesh(
            vertices: vertices.map { $0 * (extent / longest) }, triangles: triangles)
    }

    // MARK: Points on the surface

    /// Points drawn uniformly over the surface; without triangles, vertices in random order (again
    /// from the start when there are too few).
    public func sample(_ count: Int, _ generator: inout RandomGenerator) -> [SIMD3<Double>] {
        var sums: [Double] = []
        sums.reserveCapacity(triangles.count)
        var total = 0.0
        for t in triangles {
            let (a, b) = (
                vertices[Int(t.y)] - vertices[Int(t.x)], vertices[Int(t.z)] - vertices[Int(t.x)]
            )
            let n = SIMD3(
                a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
            total += (n * n).sum().squareRoot()
            sums.append(total)
        }
        guard total > 0 else {
            let order = generator.permutation(vertices.count)
            return (0..<count).map { vertices[order[$0 % max(1, order.count)]] }
        }
        return (0..<count).map { _ in
            let wanted = generator.nextUniform() * total
            var (low, high) = (0, sums.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] < wanted { low = middle + 1 } else { high = middle }
            }
            let t = triangles[low]
            var (u, v) = (generator.nextUniform(), generator.nextUniform())
            if u + v > 1 { (u, v) = (1 - u, 1 - v) }
            let origin = vertices[Int(t.x)]
            return origin + u * (vertices[Int(t.y)] - origin) + v * (vertices[Int(t.z)] - origin)
        }
    }
}
