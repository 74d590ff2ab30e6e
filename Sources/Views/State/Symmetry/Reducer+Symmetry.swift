// The symmetry pane's state: opening sets, taking answers, asking again.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func symmetry(_ action: SymmetryAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .listed(let entries): state.symmetry.models = entries
        case .load(let side, let name):
            guard let entry = state.symmetry.models.first(where: { $0.card.name == name }) else {
                notify(.error, "There is no symmetry model named \(name).", &state)
                return []
            }
            state.symmetry.sought = nil
            return loadSymmetry(entry, side, &state)
        case .loaded(let side, let facts): return symmetryLoaded(side, facts, &state)
        case .open(let side, let source): return openSymmetry(side, source, &state)
        case .opened(let side, let facts): return symmetryOpened(side, facts, &state)
        case .openFailed(let side, let reason):
            if side == .a, let next = nextSymmetryModel(&state) {
                return [.log(.warning, reason)] + loadSymmetry(next, .a, &state)
            }
            state.symmetry.opening = side == .a ? .failed(reason) : .idle
            if side == .b { state.symmetry.sides[.b]?.problem = reason }
            notify(.error, reason, &state)
            return [.log(.error, reason)]
        case .answer(let side, let ticket, let answer): take(answer, side, ticket, &state)
        case .tableProgress(let side, let ticket, let share):
            if state.symmetry.sides[side]?.tableTicket == ticket {
                state.symmetry.sides[side]?.tableState = .computing(share)
            }
        case .table(let side, let ticket, let table):
            guard state.symmetry.sides[side]?.tableTicket == ticket else { return [] }
            state.symmetry.sides[side]?.table = table
            state.symmetry.sides[side]?.tableState = .done
            state.symmetry.sortList()
        case .tableFailed(let side, let ticket, let reason):
            guard state.symmetry.sides[side]?.tableTicket == ticket else { return [] }
            state.symmetry.sides[side]?.tableState = .failed(reason)
            notify(.error, reason, &state)
        case .added(let index, let name): return symmetryAdded(index, name, &state)
        case .addFailed(let reason): notify(.error, reason, &state)
        case .exported(let paths):
            let first = paths.first ?? ""
            let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
            notify(.info, "Wrote \(first)\(more).", &state)
            return paths.map { .log(.info, "Wrote \($0).") }
        case .select(let input): return selectSymmetry(input, &state)
        case .scrollList(let lines): return moveInSymmetryList(lines, &state)
        case .scope(let scope):
            state.symmetry.scope = scope
            state.symmetry.bin = nil
            return askSymmetry(&state)
        case .order(let order):
            state.symmetry.order = order
            state.symmetry.sortList()
            // Who sorts wants to see what comes first.
            if order != .index, let first = state.symmetry.list.first {
                return selectSymmetry(first, &state)
            }
        case .bin(let bin): setSymmetryBin(bin, &state)
        case .rotate(let degrees): return rotateSymmetry(to: degrees, &state)
        case .label(let label): return showSymmetryLabel(label, &state)
        case .side(let side):
            if state.symmetry.sides[side] != nil { state.symmetry.active = side }
        }
        return []
    }

    // MARK: Models and sets

    /// The model to try where the first set of the one before needs data that is not here.
    private static func nextSymmetryModel(_ state: inout AppState) -> ModelEntry? {
        guard let sought = state.symmetry.sought else { return nil }
        guard sought + 1 < state.symmetry.models.count else {
            state.symmetry.sought = nil
            return nil
        }
        state.symmetry.sought = sought + 1
        return state.symmetry.models[sought + 1]
    }

    static func loadSymmetry(
        _ entry: ModelEntry, _ side: SymmetrySide, _ state: inout AppState
    ) -> [Effect] {
        if side == .a {
            state.symmetry.opening = .opening(entry.card.name)
        } else {
            startComparison(&state)
        }
        return [.symmetry(.load(side, entry))]
    }

    private static func symmetryLoaded(
        _ side: SymmetrySide, _ facts: SymmetryModelFacts, _ state: inout AppState
    ) -> [Effect] {
        if side == .b {
            guard let own = state.symmetry.facts, state.symmetry.isCompared else { return [] }
            guard facts.group == own.group else {
                return symmetry(
                    .openFailed(
                        .b,
                        "\(facts.name) is a model of another group; the set needs "
                            + (own.group == .so2 ? "SO(2)." : "SO(3).")), &state)
            }
            state.symmetry.sides[.b]?.model = facts
            return openSymmetry(.b, own.source, &state)
        }
        state.symmetry.sides[.a]?.model = facts
        guard let first = facts.constructions.first else {
            state.symmetry.opening = .idle
            notify(.info, "\(facts.name) is ready: O opens a folder of inputs.", &state)
            return []
        }
        return openSymmetry(.a, source(first, &state), &state)
    }

    /// The source of a construction with the folder named before, if one was.
    static func source(
        _ construction: SymmetryConstruction, _ state: inout AppState
    ) -> SymmetrySource {
        .construction(
            name: construction.name,
            folder: construction.needsFolder ? state.symmetry.dataFolder : nil,
            count: construction.defaultCount, seed: 0)
    }

    static func openSymmetry(
        _ side: SymmetrySide, _ source: SymmetrySource, _ state: inout AppState
    ) -> [Effect] {
        guard let model = state.symmetry.side(side).model else {
            notify(.info, "First choose a symmetry model: M lists them.", &state)
            return []
        }
        if side == .a {
            state.symmetry.opening = .opening(model.name)
            // Another set has other inputs: a comparison of models starts anew from it.
            state.symmetry.sides[.b] = nil
            state.symmetry.active = .a
        }
        return [.symmetry(.open(side, source))]
    }

    private static func symmetryOpened(
        _ side: SymmetrySide, _ facts: SymmetryFacts, _ state: inout AppState
    ) -> [Effect] {
        guard state.symmetry.sides[side] != nil else { return [] }
        let before = state.symmetry.side(side).facts
        // k belongs to the size of a set, and so does all that nobody has changed.
        let isFirst =
            before?.modelName != facts.modelName
            || before?.offer.defaults == state.symmetry.side(side).settings
        if before?.offer.defaults.neighbours != facts.offer.defaults.neighbours {
            state.symmetry.sides[side]?.settings.neighbours = facts.offer.defaults.neighbours
        }
        state.symmetry.sides[side]?.forgetAnswers()
        state.symmetry.sides[side]?.facts = facts
        if isFirst || side == .b {
            state.symmetry.sides[side]?.settings = facts.offer.defaults
        }
        clampSymmetrySettings(side, &state)
        state.symmetry.opening = .idle
        if let sought = state.symmetry.sought, sought > 0, side == .a {
            notify(
                .info,
                "\(state.symmetry.models[0].card.name) needs data that is not here (D names its "
                    + "folder); this set needs none.", &state)
        }
        state.symmetry.sought = nil
        if side == .a, let notice = facts.offer.notice { notify(.warning, notice, &state) }
        if side == .a {
            state.symmetry.selected = 0
            state.symmetry.rotation = 0
            state.symmetry.bin = nil
            if !SymmetryChartView.cases(facts.group).contains(state.symmetry.view) {
                state.symmetry.view = .bars
            }
        }
        state.symmetry.sortList()
        let pending = state.symmetry.pending
        state.symmetry.pending = []
        return [.log(.info, "Opened \(facts.title): \(facts.count) inputs.")]
            + pending.map { .symmetry(.add($0.image, name: $0.name)) }
            + askSymmetryTable(side, &state) + askSymmetry(&state)
    }

    /// Starts side B with the settings of side A.
    static func startComparison(_ state: inout AppState) {
        guard state.symmetry.sides[.b] == nil else { return }
        var side = SymmetrySideState()
        side.settings = state.symmetry.a.settings
        state.symmetry.sides[.b] = side
    }

    // MARK: Questions and answers

    /// Asks everything the pane shows about the selected input, on both sides.
    static func askSymmetry(_ state: inout AppState) -> [Effect] {
        SymmetrySide.allCases.flatMap { askSymmetry($0, &state) }
    }

    static func askSymmetry(_ side: SymmetrySide, _ state: inout AppState) -> [Effect] {
        guard state.symmetry.sides[side] != nil, let facts = state.symmetry.facts(of: side),
            !facts.names.isEmpty
        else { return [] }
        let ticket = state.symmetry.nextTicket
        state.symmetry.nextTicket += 1
        state.symmetry.sides[side]?.asked = ticket
        state.symmetry.sides[side]?.problem = nil
        let rotation = state.symmetry.rotation == 0 ? nil : state.symmetry.handPose
        if rotation == nil { state.symmetry.sides[side]?.response = nil }
        let wantsClasses = state.symmetry.view == .classes
        let orbit = SymmetryState.orbit.map { SymmetryForm.orbit(degrees: $0) }
        let settings = state.symmetry.side(side).settings
        let neighbours = (0..<min(8, settings.neighbours)).map { SymmetryForm.neighbour($0) }
        return [
            .symmetry(
                .ask(
                    SymmetryQuestion(
                        side: side, ticket: ticket, input: state.symmetry.selected,
                        scope: state.symmetry.scopeInForce,
                        settings: settings, rotation: rotation,
                        forms: SymmetryState.forms + (side == .a ? orbit + neighbours : []),
                        labels: wantsClasses ? Array(facts.labelNames.indices) : [])))
        ]
    }

    /// Asks for the table of all inputs; the one being computed is given up.
    static func askSymmetryTable(_ side: SymmetrySide, _ state: inout AppState) -> [Effect] {
        guard state.symmetry.sides[side] != nil, state.symmetry.facts(of: side) != nil else {
            return []
        }
        let ticket = state.symmetry.nextTicket
        state.symmetry.nextTicket += 1
        state.symmetry.sides[side]?.tableTicket = ticket
        state.symmetry.sides[side]?.tableState = .computing(0)
        return [
            .symmetry(.table(side, ticket: ticket, state.symmetry.side(side).settings))
        ]
    }

    private static func take(
        _ answer: SymmetryAnswer, _ side: SymmetrySide, _ ticket: Int, _ state: inout AppState
    ) {
        guard var answers = state.symmetry.sides[side], ticket == answers.asked else { return }
        switch answer {
        case .row(let row): answers.row = row
        case .response(let response): answers.response = response
        case .distribution(let distribution): answers.distribution = distribution
        case .classDistribution(let label, let distribution):
            answers.classes[label] = distribution
        case .shape(let form, let shape): answers.shapes[form] = shape
        case .failed(let reason): answers.problem = reason
        case .done: answers.answered = ticket
        }
        state.symmetry.sides[side] = answers
        if case .distribution = answer { setSymmetryBin(state.symmetry.bin, &state) }
    }

    // MARK: Inputs

    static func selectSymmetry(_ input: Int, _ state: inout AppState) -> [Effect] {
        guard let facts = state.symmetry.facts, facts.names.indices.contains(input),
            input != state.symmetry.selected
        else { return [] }
        state.symmetry.selected = input
        state.symmetry.rotation = 0
        for side in SymmetrySide.allCases {
            state.symmetry.sides[side]?.response = nil
            // Neighbours of another input are other pictures; the rest is replaced one by one.
            state.symmetry.sides[side]?.row = nil
        }
        return askSymmetry(&state)
    }

    static func moveInSymmetryList(_ lines: Int, _ state: inout AppState) -> [Effect] {
        let list = state.symmetry.list
        guard !list.isEmpty else { return [] }
        let place = list.firstIndex(of: state.symmetry.selected) ?? 0
        return selectSymmetry(list[max(0, min(list.count - 1, place + lines))], &state)
    }

    private static func symmetryAdded(
        _ index: Int, _ name: String, _ state: inout AppState
    ) -> [Effect] {
        guard var facts = state.symmetry.sides[.a]?.facts, index == facts.names.count else {
            return []
        }
        facts.names.append(name)
        state.symmetry.sides[.a]?.facts = facts
        state.symmetry.sortList()
        focus(.symmetry, &state)
        notify(.info, "\(name) is among the inputs now.", &state)
        return selectSymmetry(index, &state)
    }

    static func showSymmetryLabel(_ label: Int, _ state: inout AppState) -> [Effect] {
        guard let facts = state.symmetry.facts else { return [] }
        state.symmetry.view = .bars
        state.symmetry.scope = .label
        state.symmetry.bin = nil
        let wanted = state.symmetry.list.first { facts.label($0) == label }
        guard let wanted, facts.label(state.symmetry.selected) != label else {
            return askSymmetry(&state)
        }
        return selectSymmetry(wanted, &state)
    }

    static func setSymmetryBin(_ bin: Int?, _ state: inout AppState) {
        guard let bin, state.symmetry.a.distribution != nil else {
            state.symmetry.bin = nil
            return
        }
        state.symmetry.bin = max(0, min(state.symmetry.bins - 1, bin))
    }

    static func rotateSymmetry(to degrees: Double, _ state: inout AppState) -> [Effect] {
        guard state.symmetry.facts != nil, degrees.isFinite else { return [] }
        state.symmetry.rotation = SymmetryPose.wrap(degrees)
        return askSymmetry(&state)
    }
}
