// What a symmetry session answers: distributions, rows, responses, pictures.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Whose poses a distribution is made of.
public enum SymmetryScope: Sendable, Equatable, Hashable {
    /// The input alone: one pose.
    case input(Int)
    /// The input's neighbours in the bank under the settings.
    case neighbours(Int)
    /// All inputs of the bank with one label; for the report, no fit ever uses it.
    case label(Int)
    /// Every input of the bank.
    case all
}

/// A law fitted to poses.
public struct SymmetryFit: Sendable, Equatable {
    public var law: SymmetryLaw
    /// The level in degrees by the estimator in force.
    public var level: Double
    /// The centre Γ̂ that poses were corrected by; nil when none was asked for or none exists.
    public var center: SymmetryPose?
    /// Length of the mean resultant vector of the poses, 0…1, on SO(2); 1 − spread/127° on SO(3).
    public var concentration: Double
    /// Whether the poses have no centre: all rotations occur about alike (concentration < 0.1).
    public var isFullRotation: Bool
    /// The level that the same estimator finds on inputs that were not rotated; nil when unknown.
    public var noiseFloor: Double?
    /// Mean |corrected pose| in degrees.
    public var spread: Double

    public init(
        law: SymmetryLaw, level: Double, center: SymmetryPose?, concentration: Double,
        isFullRotation: Bool, noiseFloor: Double?, spread: Double
    ) {
        self.law = law
        self.level = level
        self.center = center
        self.concentration = concentration
        self.isFullRotation = isFullRotation
        self.noiseFloor = noiseFloor
        self.spread = spread
    }
}

/// The poses of a scope with the law fitted to them.
public struct SymmetryDistribution: Sendable, Equatable {
    public var scope: SymmetryScope
    public var group: SymmetryGroup
    /// Whose poses they are, nearest first for neighbours.
    public var inputs: [Int]
    /// ψ(x) of each.
    public var raw: [SymmetryPose]
    /// ψ(x)·Γ̂⁻¹ of each; equal to `raw` without a centre. For scopes that hold several
    /// neighbourhoods, every pose is corrected by the centre of its own.
    public var corrected: [SymmetryPose]
    public var fit: SymmetryFit
    /// The law that the inputs of this scope were rotated by, where their construction is known.
    public var truth: SymmetryLaw?
    /// The centre of the construction's law (offset sets); identity otherwise.
    public var truthCenter: SymmetryPose?
    /// The share of neighbours that have the input's own label; report only.
    public var purity: Double?

    public init(
        scope: SymmetryScope, group: SymmetryGroup, inputs: [Int], raw: [SymmetryPose],
        corrected: [SymmetryPose], fit: SymmetryFit, truth: SymmetryLaw? = nil,
        truthCenter: SymmetryPose? = nil, purity: Double? = nil
    ) {
        self.scope = scope
        self.group = group
        self.inputs = inputs
        self.raw = raw
        self.corrected = corrected
        self.fit = fit
        self.truth = truth
        self.truthCenter = truthCenter
        self.purity = purity
    }
}

/// What is found for one input.
public struct SymmetryRow: Sendable, Equatable {
    public var input: Int
    /// ψ(x).
    public var pose: SymmetryPose
    /// ψ(x)·Γ̂⁻¹.
    public var corrected: SymmetryPose
    /// Degrees.
    public var level: Double
    /// Γ̂ of this input's neighbourhood; nil without one.
    public var center: SymmetryPose?
    /// How far outside of the distribution the pose is: degrees beyond the level (support rule) or
    /// minus the log-density's distance to the threshold (density rule); above 0 is outside.
    public var outsideScore: Double

    /// Whether the pose is outside of what the data holds.
    public var isOutside: Bool { outsideScore > 0 }

    public init(
        input: Int, pose: SymmetryPose, corrected: SymmetryPose, level: Double,
        center: SymmetryPose?, outsideScore: Double
    ) {
        self.input = input
        self.pose = pose
        self.corrected = corrected
        self.level = level
        self.center = center
        self.outsideScore = outsideScore
    }
}

/// One number of a report.
public struct SymmetryFigure: Sendable, Equatable, Codable {
    /// `symmetry error`, `OOD accuracy`, `neighbour purity`, `collapsed vectors`…
    public var name: String
    public var value: Double
    /// `°`, `%`, or empty.
    public var unit: String

    public init(_ name: String, _ value: Double, unit: String = "") {
        self.name = name
        self.value = value
        self.unit = unit
    }
}

/// What is found for every input of the bank.
public struct SymmetryTable: Sendable, Equatable {
    /// One row for every input, by index.
    public var rows: [SymmetryRow]
    /// Figures over the set; those that need labels or true angles only where these are known.
    public var figures: [SymmetryFigure]

    public init(rows: [SymmetryRow], figures: [SymmetryFigure] = []) {
        self.rows = rows
        self.figures = figures
    }
}

/// Points in space with what is known of them.
public struct PointSet: Sendable, Equatable {
    /// Positions, any unit; panes scale them to fit.
    public var positions: [SIMD3<Double>]
    /// Atom type or slot of each point; empty when all are alike.
    public var kinds: [Int]
    /// Bonds or edges: pairs of point indices.
    public var edges: [SIMD2<Int>]
    /// A name for every kind, `C`, `H`; empty when they have none.
    public var kindNames: [String]

    public init(
        positions: [SIMD3<Double>], kinds: [Int] = [], edges: [SIMD2<Int>] = [],
        kindNames: [String] = []
    ) {
        self.positions = positions
        self.kinds = kinds
        self.edges = edges
        self.kindNames = kindNames
    }

    /// The points as an `.xyz` file: their number, a comment, and a line for each with the name of its
    /// kind (`X` where kinds have none).
    public func xyz(comment: String) -> String {
        let title = comment.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "\(positions.count)\n\(title)\n"
            + positions.indices.map { i -> String in
                let kind = kinds.indices.contains(i) ? kinds[i] : -1
                let name = kindNames.indices.contains(kind) ? kindNames[kind] : "X"
                let p = positions[i]
                let numbers = [p.x, p.y, p.z].map { String(format: "%.5f", $0) }
                return "\(name) \(numbers.joined(separator: " "))\n"
            }.joined()
    }
}

/// What an input looks like.
public enum SymmetryShape: Sendable, Equatable {
    case picture(RGBImage)
    case points(PointSet)
}

/// The forms of an input that can be shown.
public enum SymmetryForm: Sendable, Equatable, Hashable {
    case input
    /// The decoder's δ(η(x)).
    case canonical
    /// The canonical turned by the centre: ρ(Γ̂) δ(η(x)).
    case naturalCanonical
    /// The canonical turned by the pose: ρ(ψ(x)) δ(η(x)).
    case reconstruction
    /// The input turned back by its corrected pose: ρ(ĝ⁻¹) x.
    case standardized
    /// The input turned by so many degrees about the screen's axis.
    case orbit(degrees: Double)
    /// The n-th nearest neighbour of the bank, from 0.
    case neighbour(Int)
}

/// What changes when an input is rotated by hand.
public struct SymmetryResponse: Sendable, Equatable {
    /// What it was rotated by.
    public var rotation: SymmetryPose
    /// The rotated input's row; `row.input` is the input it was made from.
    public var row: SymmetryRow
    /// The change of the corrected pose against the unrotated input.
    public var poseChange: SymmetryPose
    /// |η(rotated) − η(x)| / |η(x)|: 0 for an invariant embedding.
    public var embeddingChange: Double
    /// The rotated input.
    public var shape: SymmetryShape
    /// The rotated input turned back by its own corrected pose.
    public var standardized: SymmetryShape

    public init(
        rotation: SymmetryPose, row: SymmetryRow, poseChange: SymmetryPose,
        embeddingChange: Double, shape: SymmetryShape, standardized: SymmetryShape
    ) {
        self.rotation = rotation
        self.row = row
        self.poseChange = poseChange
        self.embeddingChange = embeddingChange
        self.shape = shape
        self.standardized = standardized
    }
}
