// News about symmetry: from the person and from the workers.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum SymmetryAction: Sendable {
    /// The symmetry models among those found.
    case listed([ModelEntry])
    case load(SymmetrySide, String)
    case loaded(SymmetrySide, SymmetryModelFacts)
    case open(SymmetrySide, SymmetrySource)
    case opened(SymmetrySide, SymmetryFacts)
    case openFailed(SymmetrySide, String)
    case answer(SymmetrySide, ticket: Int, SymmetryAnswer)
    case tableProgress(SymmetrySide, ticket: Int, Double)
    case table(SymmetrySide, ticket: Int, SymmetryTable)
    case tableFailed(SymmetrySide, ticket: Int, String)
    case added(index: Int, name: String)
    case addFailed(String)
    case exported([String])
    case select(input: Int)
    case scrollList(Int)
    case scope(SymmetryScopeChoice)
    case order(SymmetryOrder)
    case bin(Int?)
    case rotate(to: Double)
    case label(Int)
    case side(SymmetrySide)
}

/// A part of the answer to a question; parts come as soon as they are known.
nonisolated enum SymmetryAnswer: Sendable {
    case row(SymmetryRow)
    case response(SymmetryResponse)
    case distribution(SymmetryDistribution)
    case classDistribution(Int, SymmetryDistribution)
    case shape(SymmetryForm, SymmetryShape)
    case failed(String)
    /// Everything that can be answered is.
    case done
}

/// What is asked of a session about one input.
nonisolated struct SymmetryQuestion: Sendable, Equatable {
    var side: SymmetrySide
    var ticket: Int
    var input: Int
    var scope: SymmetryScope
    var settings: SymmetrySettings
    /// What the input is turned by; nil for not at all.
    var rotation: SymmetryPose?
    var forms: [SymmetryForm]
    /// Labels whose distributions are wanted.
    var labels: [Int]

    /// Whether a part of it is about many inputs.
    var isLong: Bool { scope.isLong || !labels.isEmpty }
}

nonisolated extension SymmetryScope {
    /// Whether it is about so many inputs that answering may take seconds.
    var isLong: Bool {
        switch self {
        case .input, .neighbours: false
        case .label, .all: true
        }
    }
}

nonisolated enum SymmetryEffect: Sendable {
    case load(SymmetrySide, ModelEntry)
    case open(SymmetrySide, SymmetrySource)
    case ask(SymmetryQuestion)
    case table(SymmetrySide, ticket: Int, SymmetrySettings)
    case add(RGBImage, name: String)
    case closeSide(SymmetrySide)
    case export(SymmetryExport, overwrites: Bool)
}

/// What a list of the pane is about.
nonisolated enum SymmetryPicker: Sendable, Equatable {
    case model(SymmetrySide)
    case set

    var title: String {
        switch self {
        case .model(.a): "Symmetry model"
        case .model(.b): "Symmetry model to compare with"
        case .set: "Set of inputs"
        }
    }
}
