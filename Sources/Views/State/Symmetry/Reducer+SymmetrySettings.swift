// The symmetry pane's choices: k, metric, estimator, mean, family, rule, path, comparison.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A line of the pane's settings.
nonisolated enum SymmetrySetting: Sendable, CaseIterable {
    case neighbours, metric, estimator, mean, tukey, family, bandwidth, outside, path, look

    /// The name in the history.
    var title: String {
        switch self {
        case .neighbours: "Neighbours"
        case .metric: "Metric"
        case .estimator: "Estimator"
        case .mean: "Mean"
        case .tukey: "Tukey's c"
        case .family: "Family of laws"
        case .bandwidth: "Bandwidth"
        case .outside: "OOD rule"
        case .path: "Neighbours or networks"
        case .look: "First or second look"
        }
    }
}

nonisolated extension Reducer {
    /// Changes a setting of the active side and asks again.
    static func changeSymmetry(
        _ setting: SymmetrySetting, by steps: Int, _ state: inout AppState
    ) -> [Effect] {
        let side = state.symmetry.active
        guard let offer = state.symmetry.facts(of: side)?.offer else {
            notify(.info, "First open a set of inputs: o lists them.", &state)
            return []
        }
        var settings = state.symmetry.side(side).settings
        let before = settings
        switch setting {
        case .neighbours:
            settings.neighbours = nextNeighbours(
                settings.neighbours, by: steps, largest: offer.largestNeighbours)
        case .metric: settings.metric = next(settings.metric, by: steps, in: offer.metrics)
        case .estimator:
            settings.estimator = next(settings.estimator, by: steps, in: offer.estimators)
            // An estimator that reads signed angles belongs to its family.
            switch settings.estimator {
            case .cyclic where offer.families.contains(.cyclic): settings.family = .cyclic
            case .gaussian, .gaussianHalfNormal, .gaussianHalfNormalOutliers:
                if offer.families.contains(.gaussian) { settings.family = .gaussian }
            default: if settings.family != .empirical { settings.family = .uniform }
            }
        case .mean:
            let all: [SymmetryMean] = [.none, .frechet, .tukey(c: nil)]
            let index = all.firstIndex { $0.name == settings.mean.name } ?? 0
            settings.mean = all[wrap(index + steps, all.count)]
        case .tukey:
            let c: Double
            if case .tukey(let value?) = settings.mean { c = value } else { c = 60 }
            settings.mean = .tukey(c: max(5, min(180, c + 5 * Double(steps))))
        case .family: settings.family = next(settings.family, by: steps, in: offer.families)
        case .bandwidth:
            settings.bandwidth = max(1, min(60, settings.bandwidth + Double(steps)))
        case .outside:
            let all: [OutsideRule] = [
                .support, .density(quantile: 0.01), .density(quantile: 0.02),
                .density(quantile: 0.05),
            ]
            let index = all.firstIndex(of: settings.outside) ?? 0
            settings.outside = all[wrap(index + steps, all.count)]
        case .path:
            guard offer.paths.count > 1 else {
                notify(.info, "This model has no amortised networks: neighbours answer.", &state)
                return []
            }
            settings.path = next(settings.path, by: steps, in: offer.paths)
        case .look:
            guard offer.looks.count > 1 else {
                notify(.info, "Only pictures can be looked at twice.", &state)
                return []
            }
            settings.look = next(settings.look, by: steps, in: offer.looks)
        }
        guard settings != before else { return [] }
        state.symmetry.sides[side]?.settings = settings
        let name = state.symmetry.isCompared ? " of side \(side.title)" : ""
        state.undo.record(
            UndoEntry(
                title: setting.title + name,
                change: .symmetry(side: side.rawValue, before: before, after: settings)))
        return askSymmetryTable(side, &state) + askSymmetry(side, &state)
    }

    /// The next step of k in a direction, whatever k is now.
    static func nextNeighbours(_ k: Int, by steps: Int, largest: Int) -> Int {
        let all = SymmetryState.neighbourSteps.filter { $0 <= largest }
        guard steps != 0, !all.isEmpty else { return max(2, min(largest, k)) }
        var value = k
        for _ in 0..<min(20, abs(steps)) {
            let found = steps > 0 ? all.first { $0 > value } : all.last { $0 < value }
            value = found ?? value
        }
        return value
    }

    /// Brings settings into what a session offers.
    static func clampSymmetrySettings(_ side: SymmetrySide, _ state: inout AppState) {
        guard let offer = state.symmetry.facts(of: side)?.offer,
            var settings = state.symmetry.sides[side]?.settings
        else { return }
        settings.neighbours = max(2, min(offer.largestNeighbours, settings.neighbours))
        if !offer.metrics.contains(settings.metric) { settings.metric = offer.defaults.metric }
        if !offer.estimators.contains(settings.estimator) {
            settings.estimator = offer.defaults.estimator
        }
        if !offer.families.contains(settings.family) { settings.family = offer.defaults.family }
        if !offer.paths.contains(settings.path) { settings.path = offer.defaults.path }
        if !offer.looks.contains(settings.look) { settings.look = offer.defaults.look }
        state.symmetry.sides[side]?.settings = settings
    }

    private static func next<Value: Equatable>(
        _ value: Value, by steps: Int, in all: [Value]
    ) -> Value {
        guard !all.isEmpty else { return value }
        return all[wrap((all.firstIndex(of: value) ?? 0) + steps, all.count)]
    }

    /// Side by side: off, or the same set by two settings.
    static func toggleSymmetryComparison(_ state: inout AppState) -> [Effect] {
        guard state.symmetry.facts != nil else {
            notify(.info, "First open a set of inputs: o lists them.", &state)
            return []
        }
        if state.symmetry.isCompared {
            state.symmetry.sides[.b] = nil
            state.symmetry.active = .a
            state.symmetry.sortList()
            return [.symmetry(.closeSide(.b))]
        }
        startComparison(&state)
        state.symmetry.active = .b
        // The two means are what one compares first.
        let mean = state.symmetry.a.settings.mean
        state.symmetry.sides[.b]?.settings.mean =
            mean == .none ? .frechet : mean == .frechet ? .tukey(c: nil) : .frechet
        notify(.info, "Keys change side B now; b changes sides, V compares two models.", &state)
        return askSymmetryTable(.b, &state) + askSymmetry(.b, &state)
    }

    static func nextSymmetryView(_ steps: Int, _ state: inout AppState) -> [Effect] {
        let all = SymmetryChartView.cases(state.symmetry.group)
        let index = all.firstIndex(of: state.symmetry.view) ?? 0
        return setSymmetryView(all[wrap(index + steps, all.count)], &state)
    }

    static func setSymmetryView(
        _ view: SymmetryChartView, _ state: inout AppState
    ) -> [Effect] {
        state.symmetry.view = view
        return view == .classes ? askSymmetry(&state) : []
    }

    /// The action of a line of the pane's lists: a model, or a set.
    static func pickSymmetry(
        _ picker: SymmetryPicker, _ index: Int, _ list: FilteredList, _ state: inout AppState
    ) -> [Effect] {
        let choices = state.symmetryChoices(picker, query: list.entry.text)
        guard choices.indices.contains(index) else { return [] }
        switch picker {
        case .model(let side):
            return symmetry(.load(side, choices[index].name), &state)
        case .set:
            let all = state.symmetry.a.model?.constructions ?? []
            guard let construction = all.first(where: { $0.name == choices[index].name }) else {
                return []
            }
            return openSymmetry(.a, source(construction, &state), &state)
        }
    }
}

nonisolated extension AppState {
    /// One line of a list of the symmetry pane.
    struct SymmetryChoice: Sendable, Equatable {
        var name: String
        var title: String
    }

    func symmetryChoices(_ picker: SymmetryPicker, query: String) -> [SymmetryChoice] {
        let all: [SymmetryChoice]
        switch picker {
        case .model:
            all = symmetry.models.map {
                SymmetryChoice(name: $0.card.name, title: $0.card.summary)
            }
        case .set:
            all = (symmetry.a.model?.constructions ?? []).map {
                SymmetryChoice(name: $0.name, title: $0.title)
            }
        }
        return FuzzyMatch.filter(all, by: query) { $0.name + " " + $0.title }
    }
}
