// First steps: shown one at a time until they have been taken. SPDX-License-Identifier: Apache-2.0
import Core

/// What a new user learns, in order.
nonisolated enum FirstStep: String, Sendable, CaseIterable, Codable {
    case generate, newSeed, takeToMask, paint, runEdit, undo, save

    /// Whether it has been done, by whatever means.
    func isTaken(_ state: AppState) -> Bool {
        switch self {
        case .generate: state.runs.runs.contains { $0.kind == .sample && $0.state == .done }
        case .newSeed: Set(state.runs.runs.lazy.map(\.request.seed)).count > 1
        case .takeToMask: state.mask.source != nil
        case .paint: state.mask.mask.map { $0.coverage > 0 } ?? false
        case .runEdit: state.runs.runs.contains { $0.edit != nil && $0.state == .done }
        case .undo: state.undo.generation > 0
        case .save: state.runs.runs.contains { $0.isSaved }
        }
    }

    /// The sentence, with the keys in force.
    func sentence(_ state: AppState) -> String {
        func key(_ command: Command, in pane: PaneID) -> String {
            state.bindings.firstKey(for: command, in: pane)?.label ?? command.title
        }
        let focus = state.layout.focus
        switch self {
        case .generate: return "\(key(.generate, in: .preview)) makes a picture."
        case .newSeed: return "\(key(.runNewSeed, in: focus)) makes another one, with a new seed."
        case .takeToMask:
            return focus == .preview
                ? "\(key(.editPicture, in: .preview)) takes this picture to the mask: change a part of it."
                : "\(key(.focusMask, in: focus)), then \(key(.takeSample, in: .mask)): the picture "
                    + "goes to the mask, to be changed."
        case .paint:
            return focus == .mask
                ? "Drag over what is to change; or arrows and \(key(.toggle, in: .mask)). "
                    + "\(key(.toolBox, in: .mask)) is a box."
                : "\(key(.focusMask, in: focus)) goes to the mask: paint over what is to change."
        case .runEdit:
            return focus == .mask
                ? "\(key(.runEdit, in: .mask)) draws the masked part anew."
                : "\(key(.focusMask, in: focus)), then \(key(.runEdit, in: .mask)): draws the masked "
                    + "part anew."
        case .undo:
            return
                "\(key(.undo, in: focus)) takes a step back; \(key(.history, in: focus)) lists all."
        case .save:
            return "\(key(.savePicture, in: focus)) saves the picture; \(key(.help, in: focus)) "
                + "shows the keys of a pane."
        }
    }
}

/// Which first steps are behind.
nonisolated struct FirstStepsState: Sendable, Equatable {
    var taken: Set<FirstStep> = []
    /// Whether it is known what was taken at earlier starts.
    var isKnown = false

    /// The step to show; nil once all have been taken.
    func current(_ state: AppState) -> FirstStep? {
        guard isKnown, state.options.showsHints, state.model != nil else { return nil }
        return FirstStep.allCases.first { !taken.contains($0) }
    }
}

nonisolated extension Reducer {
    /// Notes the steps taken since; the effect keeps them for the next start.
    static func noteFirstSteps(_ state: inout AppState) -> [Effect] {
        guard state.firstSteps.isKnown, state.firstSteps.taken.count < FirstStep.allCases.count
        else { return [] }
        let fresh = FirstStep.allCases.filter {
            !state.firstSteps.taken.contains($0) && $0.isTaken(state)
        }
        guard !fresh.isEmpty else { return [] }
        state.firstSteps.taken.formUnion(fresh)
        return state.session.isReadOnly ? [] : [.saveFirstSteps(state.firstSteps.taken)]
    }
}
