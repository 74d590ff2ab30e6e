// What the symmetry pane knows: sets, settings, answers, and what is looked at.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One of the two things compared side by side.
nonisolated enum SymmetrySide: Int, Sendable, Hashable, CaseIterable {
    case a, b

    var title: String { self == .a ? "A" : "B" }
    var other: SymmetrySide { self == .a ? .b : .a }
}

/// Whose poses the chart shows, for the selected input.
nonisolated enum SymmetryScopeChoice: String, Sendable, CaseIterable {
    case input, neighbours, label, all

    var title: String {
        switch self {
        case .input: "this input"
        case .neighbours: "neighbours"
        case .label: "its class"
        case .all: "all inputs"
        }
    }
}

nonisolated enum SymmetryOrder: String, Sendable, CaseIterable {
    case index, level, outside

    var title: String {
        switch self {
        case .index: "number"
        case .level: "level"
        case .outside: "OOD score"
        }
    }
}

/// What is drawn in the middle of the pane.
nonisolated enum SymmetryChartView: String, Sendable, CaseIterable {
    case bars, rose, sphere, ball, classes, table

    var title: String {
        switch self {
        case .bars: "bars"
        case .rose: "rose"
        case .sphere: "axes on the sphere"
        case .ball: "axis-angle ball"
        case .classes: "classes"
        case .table: "table"
        }
    }

    static func cases(_ group: SymmetryGroup) -> [SymmetryChartView] {
        switch group {
        case .so2: [.bars, .rose, .classes, .table]
        case .so3: [.bars, .sphere, .ball, .classes, .table]
        }
    }
}

/// The axis that a space input is turned about by hand.
nonisolated enum SymmetryAxis: String, Sendable, CaseIterable {
    case x, y, z

    var vector: SIMD3<Double> {
        switch self {
        case .x: SIMD3(1, 0, 0)
        case .y: SIMD3(0, 1, 0)
        case .z: SIMD3(0, 0, 1)
        }
    }
}

/// A loaded symmetry model, as far as panes need it.
nonisolated struct SymmetryModelFacts: Sendable, Equatable {
    var name: String
    var group: SymmetryGroup
    var constructions: [SymmetryConstruction]

    init(_ model: any SymmetryDiscovering) {
        name = model.card.name
        group = model.symmetryGroup
        constructions = model.constructions
    }
}

/// An open set, as far as panes need it.
nonisolated struct SymmetryFacts: Sendable, Equatable {
    var modelName: String
    var source: SymmetrySource
    var title: String
    var group: SymmetryGroup
    /// Inputs of the bank; added ones follow.
    var count: Int
    var names: [String]
    var labels: [Int?]
    var labelNames: [String]
    var offer: SymmetryOffer

    init(_ session: any SymmetrySession, model: String, source: SymmetrySource) {
        modelName = model
        self.source = source
        title = session.title
        group = session.group
        count = session.count
        names = (0..<session.count).map { session.name(of: $0) }
        labels = (0..<session.count).map { session.label(of: $0) }
        labelNames = session.labelNames
        offer = session.offer
    }

    func label(_ input: Int) -> Int? { labels.indices.contains(input) ? labels[input] : nil }

    func labelName(_ label: Int) -> String {
        labelNames.indices.contains(label) ? labelNames[label] : "\(label)"
    }
}

/// Answers and settings of one side.
nonisolated struct SymmetrySideState: Sendable {
    enum TableState: Sendable, Equatable {
        case none
        /// The share done.
        case computing(Double)
        case done
        case failed(String)
    }

    var model: SymmetryModelFacts?
    /// The own set of the side; side B has one only with a model of its own.
    var facts: SymmetryFacts?
    var settings = SymmetrySettings()
    var distribution: SymmetryDistribution?
    /// Distributions by label, for the small multiples.
    var classes: [Int: SymmetryDistribution] = [:]
    var row: SymmetryRow?
    /// The answer to the rotation by hand; nil without one.
    var response: SymmetryResponse?
    var shapes: [SymmetryForm: SymmetryShape] = [:]
    var table: SymmetryTable?
    var tableState = TableState.none
    /// The table asked for last.
    var tableTicket = 0
    /// Why the last question has no answer.
    var problem: String?
    /// The newest question asked, and the newest one that is answered in full.
    var asked = 0
    var answered = 0

    mutating func forgetAnswers() {
        distribution = nil
        classes = [:]
        row = nil
        response = nil
        shapes = [:]
        table = nil
        tableState = .none
        problem = nil
    }
}

nonisolated struct SymmetryState: Sendable {
    enum Opening: Sendable, Equatable {
        case idle
        case opening(String)
        case failed(String)
    }

    /// The symmetry models found.
    var models: [ModelEntry] = []
    var opening = Opening.idle
    /// Which of the models was tried last while the first set that opens is sought.
    var sought: Int?
    var sides: [SymmetrySide: SymmetrySideState] = [.a: SymmetrySideState()]
    /// The side that keys change.
    var active = SymmetrySide.a
    var selected = 0
    var order = SymmetryOrder.index
    /// Inputs in the order of the list; those added come first.
    var list: [Int] = []
    var scope = SymmetryScopeChoice.neighbours
    var view = SymmetryChartView.bars
    var isCorrected = true
    var showsTruth = true
    /// The bin under the cursor.
    var bin: Int?
    /// Degrees that the input is turned by hand.
    var rotation = 0.0
    var axis = SymmetryAxis.z
    /// Where the eye stands around a space input, in degrees about the vertical.
    var eye = SymmetryState.restingEye
    var isTurning = true
    /// When the eye was last moved.
    var turnedAt: Double?
    /// Where constructions find their source files, once a person has said so.
    var dataFolder: String?
    /// Pictures sent here before a set was open.
    var pending: [PendingPicture] = []
    /// Numbers of questions and tables.
    var nextTicket = 1

    struct PendingPicture: Sendable, Equatable {
        var image: RGBImage
        var name: String
    }

    /// Where the eye stands before anything turns.
    static let restingEye = 25.0
    /// Degrees a second that a turning input turns.
    static let turningSpeed = 40.0
    /// Seconds between two of its pictures.
    static let turningInterval = 0.125
    /// The numbers of neighbours that the keys go through.
    static let neighbourSteps = [5, 10, 15, 20, 25, 35, 45, 60, 80, 100, 150, 200, 300]
    /// The forms shown as pictures, in order.
    static let forms: [SymmetryForm] = [
        .input, .canonical, .naturalCanonical, .reconstruction, .standardized,
    ]
    /// Angles of the orbit's pictures.
    static let orbit: [Double] = [-135, -90, -45, 0, 45, 90, 135, 180]

    func side(_ side: SymmetrySide) -> SymmetrySideState { sides[side] ?? SymmetrySideState() }
    var a: SymmetrySideState { side(.a) }
    var b: SymmetrySideState? { sides[.b] }
    var current: SymmetrySideState { side(active) }
    var isCompared: Bool { sides[.b] != nil }

    /// The set that a side asks.
    func facts(of side: SymmetrySide) -> SymmetryFacts? { self.side(side).facts ?? a.facts }
    var facts: SymmetryFacts? { a.facts }
    var group: SymmetryGroup { facts?.group ?? .so2 }

    /// What the input is turned by.
    var handPose: SymmetryPose {
        switch group {
        case .so2: .angle(SymmetryPose.wrap(rotation))
        case .so3: .rotation(SpaceRotation(axis: axis.vector, degrees: rotation))
        }
    }

    /// The scope of the selected input; a class without labels is everything.
    var scopeInForce: SymmetryScope {
        switch scope {
        case .input: return .input(selected)
        case .neighbours: return .neighbours(selected)
        case .label: return facts?.label(selected).map { .label($0) } ?? .all
        case .all: return .all
        }
    }

    /// Bins of the chart: ten degrees for few poses, five for many; wider side by side.
    var bins: Int {
        let few = scope == .input || scope == .neighbours
        switch group {
        case .so2: return few ? (isCompared ? 24 : 36) : (isCompared ? 36 : 72)
        case .so3: return few ? 18 : 36
        }
    }

    func chart(_ side: SymmetrySide) -> SymmetryChart? {
        self.side(side).distribution.map { chart(of: $0, bins: bins) }
    }

    func chart(of distribution: SymmetryDistribution, bins: Int) -> SymmetryChart {
        var chart = SymmetryChart(distribution, corrected: isCorrected, bins: bins)
        if !showsTruth { chart.truth = nil }
        return chart
    }

    /// The name of an input; never fails.
    func name(_ input: Int) -> String {
        guard let names = facts?.names, names.indices.contains(input) else { return "\(input)" }
        return names[input]
    }

    /// Puts the list in order: added inputs first, then by the table of the active side.
    mutating func sortList() {
        guard let facts else {
            list = []
            return
        }
        let added = Array((facts.count..<max(facts.count, facts.names.count)).reversed())
        var bank = Array(0..<facts.count)
        if let rows = current.table?.rows ?? a.table?.rows, rows.count == facts.count {
            switch order {
            case .index: break
            case .level:
                bank.sort { (rows[$0].level, $1) > (rows[$1].level, $0) }
            case .outside:
                bank.sort { (rows[$0].outsideScore, $1) > (rows[$1].outsideScore, $0) }
            }
        }
        list = added + bank
    }
}
