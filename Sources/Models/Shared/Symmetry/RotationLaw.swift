// Laws that pictures of a class are rotated by.
// SPDX-License-Identifier: Apache-2.0
import Core

extension SymmetryLaw {
    /// A signed angle in degrees drawn from a law of SO(2).
    ///
    /// - Precondition: no empirical law and none of SO(3).
    public func angle(_ generator: inout RandomGenerator) -> Double {
        switch self {
        case .none: return 0
        case .uniform(let halfWidth): return (2 * generator.nextUniform() - 1) * halfWidth
        case .gaussian(let sigma): return SymmetryPose.wrap(sigma * generator.nextNormal())
        case .cyclic(let order):
            return SymmetryPose.wrap(360 / Double(order) * Double(generator.nextInt(below: order)))
        case .empirical, .axial, .haar: preconditionFailure("an angle of a \(familyTitle) law")
        }
    }

    /// Whether an angle in degrees lies outside: beyond the level, or more than 5° from every
    /// element of a cyclic group. Nothing is outside of an empirical law.
    ///
    /// Source: ssl-sym's reference code, test protocol.
    public func excludes(_ angle: Double) -> Bool {
        let angle = SymmetryPose.wrap(angle)
        guard case .cyclic(let order) = self else {
            return level.map { abs(angle) > $0 } ?? false
        }
        let step = 360 / Double(order)
        return abs(angle - step * (angle / step).rounded()) > 5
    }
}

/// A law for every class, and what is added to it.
///
/// Source: Romero & Lohit / Urbano & Romero, ssl-sym, run scripts of the reference repository; the
/// offsets are ours.
public struct RotationLaw: Sendable, Equatable {
    public var name: String
    /// By class.
    public var classes: [SymmetryLaw]
    /// Degrees by class; moves the centre of its law.
    public var offsets: [Double]

    public init(name: String, classes: [SymmetryLaw], offsets: [Double]? = nil) {
        self.name = name
        self.classes = classes
        self.offsets = offsets ?? [Double](repeating: 0, count: classes.count)
    }

    /// The law of a label; classes beyond the list, and unknown ones, are not rotated.
    public func law(of label: Int) -> SymmetryLaw {
        classes.indices.contains(label) ? classes[label] : .none
    }

    /// The offset of a label in degrees.
    public func offset(of label: Int) -> Double {
        offsets.indices.contains(label) ? offsets[label] : 0
    }

    /// The published constructions for ten classes.
    public static let all: [RotationLaw] = [
        RotationLaw(name: "MNIST", classes: ten { _ in .none }),
        RotationLaw(name: "RotMNIST60", classes: ten { _ in .uniform(halfWidth: 60) }),
        RotationLaw(
            name: "RotMNIST60-90", classes: ten { .uniform(halfWidth: $0 < 5 ? 60 : 90) }),
        RotationLaw(
            name: "MNISTMultiple", classes: ten { .uniform(halfWidth: 18 * Double($0)) }),
        RotationLaw(
            name: "MNISTMultipleGaussian",
            classes: ten { .gaussian(sigma: 9 * Double($0)) }),
        RotationLaw(name: "MNISTC2C4", classes: ten { .cyclic(order: $0 < 5 ? 2 : 4) }),
        RotationLaw(name: "RotMNIST", classes: ten { _ in .uniform(halfWidth: 180) }),
    ]

    /// The offsets of our offset sets, by class in degrees.
    public static let standardOffsets: [Double] = [
        0, 40, 80, 120, 160, -160, -120, -80, -40, 20,
    ]

    /// A published law by name, case ignored; with "+offset" behind it, moved by
    /// ``standardOffsets``. nil when there is none.
    public static func named(_ name: String) -> RotationLaw? {
        let hasOffset = name.lowercased().hasSuffix("+offset")
        let base = hasOffset ? String(name.dropLast(7)) : name
        guard var law = all.first(where: { $0.name.lowercased() == base.lowercased() }) else {
            return nil
        }
        if hasOffset {
            law.name += "+offset"
            law.offsets = standardOffsets
        }
        return law
    }

    private static func ten(_ law: (Int) -> SymmetryLaw) -> [SymmetryLaw] { (0..<10).map(law) }
}
