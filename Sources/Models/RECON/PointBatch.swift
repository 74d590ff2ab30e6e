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
    public var centred: PointCloud { centred(nil) }

    /// The same with its weighted centroid at 0; a weight for every kind.
    func centred(_ weights: [Float]?) -> PointCloud {
        var sum = SIMD3<Double>.zero
        var total = 0.0
        for (i, position) in positions.enumerated() {
            let weight = Double(weight(of: i, weights))
            sum += weight * position
            total += weight
        }
        let mean = sum / (total > 0 ? total : 1)
        return PointCloud(positions: positions.map { $0 - mean }, kinds: kinds)
    }

    func weight(of point: Int, _ weights: [Float]?) -> Float {
        guard let weights else { return 1 }
        return weights[kinds[point]]
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
    /// The kind in every slot + 1, 0 where no point is; int32 [B · n].
    let slotKinds: Tensor
    /// [B, n], what a point counts for; 0 where none is.
    public let weights: Tensor

    /// Centres the sets and fills them up to `points` each, or to the largest when nil.
    ///
    /// - Parameter weights: what a point of every kind counts for; 1 when nil.
    /// - Precondition: at least one set, none larger than `points`.
    public init(_ clouds: [PointCloud], points: Int? = nil, weights: [Float]? = nil) {
        let n = points ?? clouds.map(\.positions.count).max() ?? 0
        var positions = [Float](repeating: 0, count: clouds.count * n * 3)
        var kinds = [Int32](repeating: 0, count: clouds.count * n)
        var mask = [Float](repeating: 0, count: clouds.count * n)
        var shares = mask
        for (row, cloud) in clouds.enumerated() {
            precondition(cloud.positions.count <= n, "\(cloud.positions.count) points in \(n)")
            for (i, p) in cloud.centred(weights).positions.enumerated() {
                let place = row * n + i
                for axis in 0..<3 { positions[3 * place + axis] = Float(p[axis]) }
                kinds[place] = Int32(cloud.kinds[i])
                mask[place] = 1
                shares[place] = cloud.weight(of: i, weights)
            }
        }
        self.positions = Tensor(positions, shape: [clouds.count, n, 3])
        self.kinds = Tensor(int32: kinds, shape: [clouds.count, n])
        slotKinds = Tensor(
            int32: zip(kinds, mask).map { $1 > 0 ? $0 + 1 : 0 }, shape: [clouds.count * n])
        self.mask = Tensor(mask, shape: [clouds.count, n])
        self.weights = Tensor(shares, shape: [clouds.count, n])
    }
}
