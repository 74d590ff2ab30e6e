// A symmetry model by arithmetic: poses, neighbours and levels in closed form.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Input i of class c = i mod 10 is turned by a fixed sequence that fills −18c…18c degrees evenly;
/// the raw pose adds 40° (the centre that RECON has to find). Neighbours are the other inputs of
/// the class, nearest number first. On SO(3) the same angles turn about the z-axis.
public final class FakeSymmetryModel: SymmetryDiscovering, SymmetryModelLoader, @unchecked Sendable
{
    public let card: ModelCard
    public let symmetryGroup: SymmetryGroup
    public let constructions: [SymmetryConstruction]
    public var weightBytes: Int { 1000 }
    public var summaryLines: [String] { ["fake: no weights"] }
    public var system: String { "fake-symmetry" }
    private let count: Int
    /// Thrown when a set is opened.
    public let failure: SymmetryError?

    public init(
        name: String = "fake-symmetry", group: SymmetryGroup = .so2, count: Int = 400,
        failure: SymmetryError? = nil
    ) {
        card = ModelCard(
            name: name, system: "fake-symmetry", summary: "Poses by arithmetic, for tests.",
            data: "none", dataLicence: "none", licence: "Apache-2.0")
        symmetryGroup = group
        self.count = count
        self.failure = failure
        constructions = [
            SymmetryConstruction(
                name: "fake-multiple", title: "Fake digits, U(±18c°)", defaultCount: count,
                needsFolder: false),
            SymmetryConstruction(
                name: "fake-files", title: "Fake digits from files", defaultCount: count,
                needsFolder: true),
        ]
    }

    public func load(_ entry: ModelEntry, cancellation: Cancellation) throws -> any LoadedModel {
        self
    }

    public func openSymmetry(
        _ source: SymmetrySource, cancellation: Cancellation,
        progress: @Sendable (Int, Int, String) -> Void
    ) throws -> any SymmetrySession {
        if let failure { throw failure }
        if case .construction("fake-files", nil, _, _) = source {
            throw SymmetryError.sourceMissing(construction: "fake-files", places: ["data"])
        }
        progress(1, 1, "embedding")
        return FakeSymmetrySession(group: symmetryGroup, count: count)
    }
}

/// The session of the fake model.
public final class FakeSymmetrySession: SymmetrySession, @unchecked Sendable {
    public let group: SymmetryGroup
    public let count: Int
    public var title: String { group == .so2 ? "fake digits" : "fake shapes" }
    public let labelNames = (0..<10).map { "\($0)" }
    public let offer = SymmetryOffer(largestNeighbours: 39)
    private let lock = NSLock()
    private var added: [(image: RGBImage, name: String)] = []

    static let offset = 40.0

    init(group: SymmetryGroup, count: Int) {
        self.group = group
        self.count = count
    }

    public func label(of input: Int) -> Int? { input < count ? input % 10 : nil }

    public func name(of input: Int) -> String {
        input < count ? "digit \(input)" : lock.withLock { added[input - count].name }
    }

    private func pose(_ degrees: Double) -> SymmetryPose {
        group == .so2
            ? .angle(SymmetryPose.wrap(degrees))
            : .rotation(SpaceRotation(axis: SIMD3(0, 0, 1), degrees: degrees))
    }

    /// The true angle of an input: −18c…18c in even steps.
    public func angle(_ input: Int) -> Double {
        guard input < count else { return 90 }
        let steps = max(1, count / 10 - 1)
        let share = Double(input / 10 * 7 % (steps + 1)) / Double(steps)
        return Double(input % 10) * 18 * (2 * share - 1)
    }

    private func members(_ scope: SymmetryScope, k: Int) throws -> [Int] {
        func check(_ input: Int) throws {
            let all = count + lock.withLock { added.count }
            guard (0..<all).contains(input) else {
                throw SymmetryError.noSuchInput(input, count: all)
            }
        }
        switch scope {
        case .input(let i):
            try check(i)
            return [i]
        case .neighbours(let i):
            try check(i)
            let label = self.label(of: i) ?? 3
            return Array((0..<count).filter { $0 % 10 == label && $0 != i }.prefix(k))
        case .label(let c): return (0..<count).filter { $0 % 10 == c }
        case .all: return Array(0..<count)
        }
    }

    private func level(_ angles: [Double], _ settings: SymmetrySettings) -> Double {
        let sizes = angles.map { abs(SymmetryPose.wrap($0)) }
        if settings.estimator == .mle { return sizes.max() ?? 0 }
        return min(180, 2 * sizes.reduce(0, +) / Double(max(1, sizes.count)))
    }

    public func distribution(
        _ scope: SymmetryScope, settings: SymmetrySettings, cancellation: Cancellation
    ) throws -> SymmetryDistribution {
        try cancellation.check()
        let inputs = try members(scope, k: settings.neighbours)
        let shift = settings.mean == .none ? Self.offset : 0
        let angles = inputs.map { angle($0) + shift }
        let level = level(angles, settings)
        let truth: SymmetryLaw?
        switch scope {
        case .input(let i), .neighbours(let i):
            truth = label(of: i).map { .uniform(halfWidth: 18 * Double($0)) }
        case .label(let c): truth = .uniform(halfWidth: 18 * Double(c))
        case .all: truth = nil
        }
        return SymmetryDistribution(
            scope: scope, group: group, inputs: inputs,
            raw: inputs.map { pose(angle($0) + Self.offset) }, corrected: angles.map(pose),
            fit: SymmetryFit(
                law: .uniform(halfWidth: level), level: level,
                center: settings.mean == .none ? nil : pose(Self.offset), concentration: 0.8,
                isFullRotation: false, noiseFloor: 12,
                spread: level / 2), truth: truth, purity: scope == .all ? nil : 1)
    }

    public func row(of input: Int, settings: SymmetrySettings) throws -> SymmetryRow {
        try row(of: input, turnedBy: 0, settings)
    }

    private func row(
        of input: Int, turnedBy degrees: Double, _ settings: SymmetrySettings
    ) throws -> SymmetryRow {
        let neighbours = try members(.neighbours(input), k: settings.neighbours)
        let shift = settings.mean == .none ? Self.offset : 0
        let level = level(neighbours.map { angle($0) + shift }, settings)
        let corrected = pose(angle(input) + shift + degrees)
        return SymmetryRow(
            input: input, pose: pose(angle(input) + Self.offset + degrees), corrected: corrected,
            level: level, center: settings.mean == .none ? nil : pose(Self.offset),
            outsideScore: corrected.size - level)
    }

    public func table(
        settings: SymmetrySettings, cancellation: Cancellation,
        progress: @Sendable (Int, Int) -> Void
    ) throws -> SymmetryTable {
        let rows = try (0..<count).map { input -> SymmetryRow in
            try cancellation.check()
            return try row(of: input, settings: settings)
        }
        progress(count, count)
        return SymmetryTable(
            rows: rows, figures: [SymmetryFigure("symmetry error", 1.5, unit: "°")])
    }

    public func shape(
        of input: Int, as form: SymmetryForm, settings: SymmetrySettings
    ) throws -> SymmetryShape {
        switch form {
        case .canonical: return shape(0)
        case .naturalCanonical: return shape(Self.offset)
        case .reconstruction, .input: return shape(angle(input))
        case .standardized: return shape(angle(input) - (settings.mean == .none ? 1 : 0))
        case .orbit(let degrees): return shape(degrees)
        case .neighbour(let n):
            let all = try members(.neighbours(input), k: settings.neighbours)
            guard all.indices.contains(n) else { throw SymmetryError.notOffered("neighbour \(n)") }
            return shape(angle(all[n]))
        }
    }

    /// A bar through the middle at an angle, or four points of a tetris shape.
    private func shape(_ degrees: Double) -> SymmetryShape {
        guard group == .so2 else {
            let r = SpaceRotation(axis: SIMD3(0, 0, 1), degrees: degrees)
            let corners = [
                SIMD3(0.0, 0, 0), SIMD3(1, 0, 0), SIMD3(1, 1, 0), SIMD3(1, 1, 1),
            ]
            return .points(
                PointSet(
                    positions: corners.map { r.applied(to: $0) }, kinds: [0, 1, 2, 3],
                    edges: [SIMD2(0, 1), SIMD2(1, 2), SIMD2(2, 3)]))
        }
        var image = RGBImage(width: 28, height: 28)
        let a = degrees * .pi / 180
        for step in 0..<40 {
            let t = Double(step) / 4
            let x = Int((13.5 - t * sin(a)).rounded())
            let y = Int((13.5 - t * cos(a)).rounded())
            if (0..<28).contains(x), (0..<28).contains(y) { image[x, y] = (255, 255, 255) }
        }
        return .picture(image)
    }

    public func response(
        of input: Int, to rotation: SymmetryPose, settings: SymmetrySettings
    ) throws -> SymmetryResponse {
        let degrees: Double
        switch rotation {
        case .angle(let a): degrees = a
        case .rotation(let r): degrees = r.degrees * (r.axis.z < 0 ? -1 : 1)
        }
        return SymmetryResponse(
            rotation: rotation, row: try row(of: input, turnedBy: degrees, settings),
            poseChange: pose(degrees), embeddingChange: 0.001,
            shape: shape(angle(input) + degrees), standardized: shape(0))
    }

    public func add(_ picture: RGBImage, name: String) throws -> Int {
        guard group == .so2 else { throw SymmetryError.notOffered("inputs that are pictures") }
        return lock.withLock {
            added.append((picture, name))
            return count + added.count - 1
        }
    }
}
