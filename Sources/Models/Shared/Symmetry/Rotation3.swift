// Rotations of space.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// An element of SO(3), as a matrix in double precision.
public struct Rotation3: RotationGroup {
    /// The rows.
    public let rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)

    /// - Precondition: the rows of a rotation matrix.
    public init(_ r0: SIMD3<Double>, _ r1: SIMD3<Double>, _ r2: SIMD3<Double>) {
        rows = (r0, r1, r2)
    }

    /// Nine values, row-major.
    public init(rowMajor m: [Double]) {
        precondition(m.count == 9, "\(m.count) values are no 3×3 matrix")
        self.init(
            SIMD3(m[0], m[1], m[2]), SIMD3(m[3], m[4], m[5]), SIMD3(m[6], m[7], m[8]))
    }

    /// The unit quaternion w + xi + yj + zk; any length but 0.
    public init(quaternion q: SIMD4<Double>) {
        let n = (q * q).sum()
        let (x, y, z, w) = (q.x, q.y, q.z, q.w)
        self.init(
            SIMD3(w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)) / n,
            SIMD3(2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)) / n,
            SIMD3(2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z) / n)
    }

    /// exp of a rotation vector: axis times angle in degrees.
    public init(rotationVector v: SIMD3<Double>) {
        let angle = (v * v).sum().squareRoot() * .pi / 180
        guard angle > 0 else {
            self = .identity
            return
        }
        let axis = v * (.pi / 180) * (sin(angle / 2) / angle)
        self.init(quaternion: SIMD4(axis.x, axis.y, axis.z, cos(angle / 2)))
    }

    public static let identity = Rotation3(SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

    public static let dimension = 3

    public static func == (a: Rotation3, b: Rotation3) -> Bool { a.rows == b.rows }

    public static func * (g: Rotation3, h: Rotation3) -> Rotation3 {
        func row(_ r: SIMD3<Double>) -> SIMD3<Double> {
            r.x * h.rows.0 + r.y * h.rows.1 + r.z * h.rows.2
        }
        return Rotation3(row(g.rows.0), row(g.rows.1), row(g.rows.2))
    }

    /// R·x.
    public static func * (g: Rotation3, x: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3((g.rows.0 * x).sum(), (g.rows.1 * x).sum(), (g.rows.2 * x).sum())
    }

    /// The transpose.
    public var inverse: Rotation3 {
        let (a, b, c) = rows
        return Rotation3(SIMD3(a.x, b.x, c.x), SIMD3(a.y, b.y, c.y), SIMD3(a.z, b.z, c.z))
    }

    /// Nine values, row-major.
    public var rowMajor: [Double] {
        [rows.0, rows.1, rows.2].flatMap { [$0.x, $0.y, $0.z] }
    }

    /// The unit quaternion (x, y, z, w) with w ≥ 0, by the largest of the four components: accurate
    /// for small angles and near 180° alike.
    ///
    /// Source: Shepperd, "Quaternion from rotation matrix", J. Guidance and Control 1, 1978.
    public var quaternion: SIMD4<Double> {
        let (a, b, c) = rows
        let squares = [
            1 + a.x - b.y - c.z, 1 - a.x + b.y - c.z, 1 - a.x - b.y + c.z, 1 + a.x + b.y + c.z,
        ]
        var q: SIMD4<Double>
        switch squares.indices.max(by: { squares[$0] < squares[$1] }) {
        case 0: q = SIMD4(squares[0], a.y + b.x, c.x + a.z, c.y - b.z)
        case 1: q = SIMD4(a.y + b.x, squares[1], b.z + c.y, a.z - c.x)
        case 2: q = SIMD4(c.x + a.z, b.z + c.y, squares[2], b.x - a.y)
        default: q = SIMD4(c.y - b.z, a.z - c.x, b.x - a.y, squares[3])
        }
        q /= (q * q).sum().squareRoot()
        return q.w < 0 ? -q : q
    }

    /// log: axis times angle in degrees, 0…180.
    public var rotationVector: SIMD3<Double> {
        let q = quaternion
        let v = SIMD3(q.x, q.y, q.z)
        let length = (v * v).sum().squareRoot()
        if length < 1e-300 { return .zero }
        return v * (2 * atan2(length, q.w) * 180 / .pi / length)
    }

    public var angle: Double {
        let q = quaternion
        return 2 * atan2((q.x * q.x + q.y * q.y + q.z * q.z).squareRoot(), q.w) * 180 / .pi
    }

    public var coordinate: Double { angle }

    /// Karcher's iteration from the medoid.
    ///
    /// Source: Karcher, "Riemannian center of mass and mollifier smoothing", CPAM 30, 1977.
    public static func frechetMean(of poses: [Rotation3]) -> Rotation3 {
        precondition(!poses.isEmpty, "the mean of no poses")
        var mean = medoid(of: poses) { $0 * $0 }
        let weights = [Double](repeating: 1, count: poses.count)
        for _ in 0..<100 {
            let next = mean.step(towards: poses, weights: weights)
            mean = next.mean
            if next.length < 1e-13 { break }
        }
        return mean
    }

    public func step(
        towards poses: [Rotation3], weights: [Double]
    ) -> (mean: Rotation3, length: Double) {
        let back = inverse
        var sum = SIMD3<Double>.zero
        var total = 0.0
        for (pose, weight) in zip(poses, weights) where weight > 0 {
            sum += weight * (back * pose).rotationVector
            total += weight
        }
        guard total > 0 else { return (self, 0) }
        let move = sum / total
        return (
            self * Rotation3(rotationVector: move), (move * move).sum().squareRoot()
        )
    }

    /// The mean singular value of the mean matrix.
    public static func resultantLength(of poses: [Rotation3]) -> Double {
        guard !poses.isEmpty else { return 0 }
        var mean = [Double](repeating: 0, count: 9)
        for pose in poses {
            for (i, value) in pose.rowMajor.enumerated() { mean[i] += value }
        }
        for i in mean.indices { mean[i] /= Double(poses.count) }
        var gram = [Double](repeating: 0, count: 9)
        for i in 0..<3 {
            for j in 0..<3 {
                for k in 0..<3 { gram[3 * i + j] += mean[3 * i + k] * mean[3 * j + k] }
            }
        }
        return SymmetricEigensystem(gram, size: 3).values
            .reduce(0) { $0 + max(0, $1).squareRoot() } / 3
    }

    // MARK: Draws

    /// A rotation drawn uniformly (Haar measure).
    public static func uniform(_ generator: inout RandomGenerator) -> Rotation3 {
        Rotation3(
            quaternion: SIMD4(
                generator.nextNormal(), generator.nextNormal(), generator.nextNormal(),
                generator.nextNormal()))
    }
}
