// Elements of the rotation groups, as panes and models exchange them.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The group that the inputs of a symmetry model are moved by.
public enum SymmetryGroup: String, Sendable, Codable, CaseIterable {
    /// Rotations of the picture plane.
    case so2
    /// Rotations of space.
    case so3

    /// The largest distance from the identity, in degrees, that both groups share.
    public static let largestAngle = 180.0

    /// The unit element.
    public var identity: SymmetryPose {
        switch self {
        case .so2: .angle(0)
        case .so3: .rotation(.identity)
        }
    }
}

/// A rotation of space as an orthogonal matrix of determinant 1.
public struct SpaceRotation: Sendable, Equatable {
    /// The images of the three unit vectors: the matrix's columns.
    public var columns: [SIMD3<Double>]

    /// Creates a rotation from its columns; they must be orthonormal and right-handed.
    public init(_ first: SIMD3<Double>, _ second: SIMD3<Double>, _ third: SIMD3<Double>) {
        columns = [first, second, third]
    }

    /// Creates the rotation about an axis of any length, counter-clockwise seen from its tip.
    ///
    /// ```
    /// R = cos a · I + sin a · [n]ₓ + (1 − cos a) · n nᵀ,  n = axis / |axis|
    /// ```
    /// An axis shorter than 1e-12 gives the identity. Source: Rodrigues' formula.
    public init(axis: SIMD3<Double>, degrees: Double) {
        let length = (axis * axis).sum().squareRoot()
        guard length > 1e-12 else {
            self = .identity
            return
        }
        let n = axis / length
        let c = cos(degrees * .pi / 180)
        let s = sin(degrees * .pi / 180)
        let t = (1 - c) * n
        self.init(
            SIMD3(t.x * n.x + c, t.x * n.y + s * n.z, t.x * n.z - s * n.y),
            SIMD3(t.y * n.x - s * n.z, t.y * n.y + c, t.y * n.z + s * n.x),
            SIMD3(t.z * n.x + s * n.y, t.z * n.y - s * n.x, t.z * n.z + c))
    }

    /// No rotation.
    public static let identity = SpaceRotation(SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

    /// The opposite rotation (the transposed matrix).
    public var inverse: SpaceRotation {
        SpaceRotation(
            SIMD3(columns[0].x, columns[1].x, columns[2].x),
            SIMD3(columns[0].y, columns[1].y, columns[2].y),
            SIMD3(columns[0].z, columns[1].z, columns[2].z))
    }

    /// The rotated vector.
    public func applied(to v: SIMD3<Double>) -> SIMD3<Double> {
        columns[0] * v.x + columns[1] * v.y + columns[2] * v.z
    }

    /// First `b`, then `a`.
    public static func * (a: SpaceRotation, b: SpaceRotation) -> SpaceRotation {
        SpaceRotation(
            a.applied(to: b.columns[0]), a.applied(to: b.columns[1]), a.applied(to: b.columns[2]))
    }

    /// The angle of the rotation in degrees, 0…180.
    public var degrees: Double {
        // The half-angle form is exact near 0 and near 180 degrees alike.
        let s = axisVector
        let sine = (s * s).sum().squareRoot() / 2
        let cosine = (columns[0].x + columns[1].y + columns[2].z - 1) / 2
        return atan2(sine, cosine) * 180 / .pi
    }

    /// The axis as a unit vector; the z-axis for the identity.
    public var axis: SIMD3<Double> {
        let s = axisVector
        let length = (s * s).sum().squareRoot()
        if length > 1e-6 { return s / length }
        guard columns[0].x + columns[1].y + columns[2].z < 1 else { return SIMD3(0, 0, 1) }
        // Half a turn: R + I = 2 n nᵀ; its longest column is parallel to n.
        let candidates = [
            columns[0] + SIMD3(1, 0, 0), columns[1] + SIMD3(0, 1, 0), columns[2] + SIMD3(0, 0, 1),
        ]
        let best = candidates.max { ($0 * $0).sum() < ($1 * $1).sum() } ?? SIMD3(0, 0, 1)
        return best / (best * best).sum().squareRoot()
    }

    /// 2 sin a · n, from the skew part.
    private var axisVector: SIMD3<Double> {
        SIMD3(
            columns[1].z - columns[2].y, columns[2].x - columns[0].z, columns[0].y - columns[1].x)
    }
}

/// A pose: how an input is turned against its canonical form.
public enum SymmetryPose: Sendable, Equatable {
    /// Degrees in −180…180, positive counter-clockwise on the screen.
    case angle(Double)
    /// A rotation of space.
    case rotation(SpaceRotation)

    /// Wraps degrees into −180 < a ≤ 180.
    public static func wrap(_ degrees: Double) -> Double {
        guard degrees.isFinite else { return degrees }
        let a = degrees.remainder(dividingBy: 360)
        return a <= -180 ? a + 360 : a
    }

    /// The distance from the identity in degrees, 0…180.
    public var size: Double {
        switch self {
        case .angle(let a): abs(SymmetryPose.wrap(a))
        case .rotation(let r): r.degrees
        }
    }

    /// The signed angle of a plane rotation, the angle 0…180 of a space rotation; in degrees.
    public var degrees: Double {
        switch self {
        case .angle(let a): SymmetryPose.wrap(a)
        case .rotation(let r): r.degrees
        }
    }

    /// The opposite.
    public var inverse: SymmetryPose {
        switch self {
        case .angle(let a): .angle(SymmetryPose.wrap(-a))
        case .rotation(let r): .rotation(r.inverse)
        }
    }

    /// First `b`, then `a`.
    ///
    /// - Precondition: both are of one group.
    public static func * (a: SymmetryPose, b: SymmetryPose) -> SymmetryPose {
        switch (a, b) {
        case (.angle(let x), .angle(let y)): return .angle(wrap(x + y))
        case (.rotation(let x), .rotation(let y)): return .rotation(x * y)
        default: preconditionFailure("poses of two groups cannot be composed")
        }
    }
}
