// Sets of points in space, and batches of them.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Points in space with a kind each: a molecule, a mesh's surface, a toy.
public struct PointCloud: Sendable, Equatable {
    public var positions: [SIMD3<Double>]
    /// The kind of every point, from 0.
    public var kinds: [Int]

    /// - Precondition: a kind for every point.
    public init(positions: [SIMD3<Double>], kinds: [Int]) {
        precondition(positions.count == kinds.count, "\(kinds.count) kinds")
        self.positions = positions
        self.kinds = kinds
    }

    /// The same with its centroid at 0.
    public var centred: PointCloud {
        let mean = positions.reduce(.zero, +) / Double(max(1, positions.count))
        return PointCloud(positions: positions.map { $0 - mean }, kinds: kinds)
    }

    /// R·x of every point.
    public func rotated(by rotation: Rotation3) -> PointCloud {
        PointCloud(positions: positions.map { rotation * $0 }, kinds: kinds)
    }

    /// Normal noise added to every coordinate.
    func disturbed(by deviation: Double, _ generator: inout RandomGenerator) -> PointCloud {
        PointCloud(
            positions: positions.map {
                $0 + deviation
                    * SIMD3(
                        generator.nextNormal(), generator.nextNormal(), generator.nextNormal())
            }, kinds: kinds)
    }
}

/// Point sets of different sizes side by side.
public struct PointBatch: Sendable {
    /// [B, n, 3], centroids at 0; 0 where no point is.
    public let positions: Tensor
    /// [B, n], int32.
    public let kinds: Tensor
    /// [B, n], 1 where a point is.
    public let mask: Tensor

    /// Centres the sets and fills them up to `points` each, or to the largest when nil.
    ///
    /// - Precondition: at least one set, none larger than `points`.
    public init(_ clouds: [PointCloud], points: Int? = nil) {
        let n = points ?? clouds.map(\.positions.count).max() ?? 0
        var positions = [Float](repeating: 0, count: clouds.count * n * 3)
        var kinds = [Int32](repeating: 0, count: clouds.count * n)
        var mask = [Float](repeating: 0, count: clouds.count * n)
        for (row, cloud) in clouds.enumerated() {
            precondition(cloud.positions.count <= n, "\(cloud.positions.count) points in \(n)")
            for (i, p) in cloud.centred.positions.enumerated() {
                let place = row * n + i
                for axis in 0..<3 { positions[3 * place + axis] = Float(p[axis]) }
                kinds[place] = Int32(cloud.kinds[i])
                mask[place] = 1
            }
        }
        self.positions = Tensor(positions, shape: [clouds.count, n, 3])
        self.kinds = Tensor(int32: kinds, shape: [clouds.count, n])
        self.mask = Tensor(mask, shape: [clouds.count, n])
    }
}
