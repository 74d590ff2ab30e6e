// Laws of rotations of space that data are made by.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How the inputs of a construction are turned from their natural pose.
public enum SpaceLaw: Sendable, Equatable {
    /// About the z-axis by U(−a, a) degrees.
    case axial(halfWidth: Double)
    /// exp of a rotation vector whose coordinates are N(0, σ²), in degrees.
    case gaussian(deviation: Double)
    /// Haar measure.
    case uniform

    /// The laws of the published experiments' kind.
    public static let all: [SpaceLaw] = [
        .axial(halfWidth: 30), .axial(halfWidth: 90), .gaussian(deviation: 20), .uniform,
    ]

    /// A short name, `z30`, `z90`, `normal20`, `uniform`.
    public var name: String {
        switch self {
        case .axial(let halfWidth): "z\(Int(halfWidth))"
        case .gaussian(let deviation): "normal\(Int(deviation))"
        case .uniform: "uniform"
        }
    }

    /// For people.
    public var title: String {
        switch self {
        case .axial(let halfWidth): "U(±\(Int(halfWidth))°) about z"
        case .gaussian(let deviation): "normal vectors, σ = \(Int(deviation))°"
        case .uniform: "all rotations alike"
        }
    }

    /// The law with a name.
    public init?(name: String) {
        guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Draws a rotation.
    public func draw(_ generator: inout RandomGenerator) -> Rotation3 {
        switch self {
        case .axial(let halfWidth):
            let degrees = halfWidth * (2 * generator.nextUniform() - 1)
            return Rotation3(rotationVector: SIMD3(0, 0, degrees))
        case .gaussian(let deviation):
            return Rotation3(
                rotationVector: deviation
                    * SIMD3(
                        generator.nextNormal(), generator.nextNormal(), generator.nextNormal()))
        case .uniform: return Rotation3.uniform(&generator)
        }
    }

    /// The law as panes and reports show it.
    public var shown: SymmetryLaw {
        switch self {
        case .axial(let halfWidth): .axial(axis: SIMD3(0, 0, 1), halfWidth: halfWidth)
        case .gaussian(let deviation): .gaussian(sigma: deviation)
        case .uniform: .haar
        }
    }
}
