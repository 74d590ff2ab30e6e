// Frames: rotations read off what a network computes.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Ways from equivariant quantities to a rotation.
public enum RotationFrame {
    /// The rotation whose first column is v₁ normalised and whose second is the rest of v₂.
    ///
    /// - Parameters:
    ///   - v1: [B, 3].
    ///   - v2: [B, 3].
    /// - Returns: [B, 3, 3], differentiable; no rotation where v₁ and v₂ are parallel.
    public static func gramSchmidt(_ v1: Tensor, _ v2: Tensor) -> Tensor {
        func normalised(_ v: Tensor) -> Tensor {
            v / (v.square().sum(axes: [1], keepDimensions: true).sqrt() + 1e-8)
        }
        let first = normalised(v1)
        let second = normalised(
            v2 - (first * v2).sum(axes: [1], keepDimensions: true) * first)
        let a = first.split(axis: 1, sizes: [1, 1, 1])
        let b = second.split(axis: 1, sizes: [1, 1, 1])
        let third = Tensor.concatenated(
            [
                a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2],
                a[0] * b[1] - a[1] * b[0],
            ], axis: 1)
        return Tensor.stacked([first, second, third], axis: 2)
    }

    /// The rotation closest to a 3×3 matrix M (its polar factor with determinant +1):
    /// argmax over R of tr(RᵀM).
    ///
    /// - Parameter m: nine values, row-major.
    /// - Returns: the rotation, and how well M tells it from others: the gap between the largest and
    ///   the second eigenvalue of Horn's matrix as a share of the spectrum's width, 0 where a whole
    ///   circle of rotations is equally close (points on a line).
    ///
    /// Source: Horn, "Closed-form solution of absolute orientation using unit quaternions",
    /// J. Opt. Soc. Am. A 4, 1987.
    public static func polar(_ m: [Double]) -> (rotation: Rotation3, gap: Double) {
        // S[a][b] = Σ c_a x_b is the transpose of M = Σ x cᵀ.
        func s(_ a: Int, _ b: Int) -> Double { m[3 * b + a] }
        let (xx, yy, zz) = (s(0, 0), s(1, 1), s(2, 2))
        let n = [
            xx + yy + zz, s(1, 2) - s(2, 1), s(2, 0) - s(0, 2), s(0, 1) - s(1, 0),
            s(1, 2) - s(2, 1), xx - yy - zz, s(0, 1) + s(1, 0), s(2, 0) + s(0, 2),
            s(2, 0) - s(0, 2), s(0, 1) + s(1, 0), -xx + yy - zz, s(1, 2) + s(2, 1),
            s(0, 1) - s(1, 0), s(2, 0) + s(0, 2), s(1, 2) + s(2, 1), -xx - yy + zz,
        ]
        let system = SymmetricEigensystem(n, size: 4)
        let order = (0..<4).sorted { system.values[$0] > system.values[$1] }
        let v = Array(system.vectors[(4 * order[0])..<(4 * order[0] + 4)])
        let width = system.values[order[0]] - system.values[order[3]]
        let gap = width > 0 ? (system.values[order[0]] - system.values[order[1]]) / width : 0
        return (Rotation3(quaternion: SIMD4(v[1], v[2], v[3], v[0])), gap)
    }

    /// Rotations as a tensor [B, 3, 3] on the current device.
    static func tensor(_ rotations: [Rotation3]) -> Tensor {
        Tensor(
            rotations.flatMap { $0.rowMajor.map(Float.init) }, shape: [rotations.count, 3, 3])
    }
}
