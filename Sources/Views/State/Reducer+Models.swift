// Listing, loading and unloading models.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func models(_ action: ModelsAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .listed(let entries, let problems): return listed(entries, problems, &state)
        case .select(let index):
            let last = max(0, state.models.entries.count - 1)
            state.models.selected = max(0, min(last, index))
            state.models.cardScroll = 0
        case .load(let name):
            guard let entry = state.models.entries.first(where: { $0.card.name == name }) else {
                notify(.error, "There is no model named \(name).", &state)
                return []
            }
            return load(entry, &state)
        case .loading(let name): state.models.loading = .loading(name)
        case .loaded(let facts, let device):
            state.models.loadedDevice = device
            return loaded(facts, &state)
        case .devices(let devices, let problem):
            state.models.devices = devices
            state.models.devicesProblem = problem
            // A session may name a GPU that is not there any more.
            if !devices.contains(where: { $0.name == state.models.device }) {
                state.models.device = devices.first?.name ?? "cpu"
            }
        case .failed(let name, let reason):
            state.models.revisited = nil
            state.models.recipe = nil
            state.models.loading = .failed(name, reason: reason)
            let cause =
                reason.hasPrefix("\(name): ") ? reason.dropFirst(name.count + 2) : reason[...]
            notify(.error, "\(name) was not loaded: \(cause)", &state)
            return [.log(.error, "\(name) was not loaded: \(cause)")]
        case .unloaded:
            state.models.loaded = nil
            state.models.loading = .idle
        case .scrollCard(let lines):
            state.models.cardScroll = max(0, state.models.cardScroll + lines)
        }
        return []
    }

    static func load(_ entry: ModelEntry, _ state: inout AppState) -> [Effect] {
        if state.symmetry.models.contains(entry) {
            focus(.symmetry, &state)
            return loadSymmetry(entry, .a, &state)
        }
        guard
            state.models.loaded?.card.name != entry.card.name
                || state.models.loadedDevice != state.models.device
        else {
            notify(.info, "\(entry.card.name) is loaded already.", &state)
            return []
        }
        if case .loading = state.models.loading { return [] }
        state.models.loading = .loading(entry.card.name)
        return [.loadModel(entry, device: state.models.device)]
    }

    /// Moves the model in memory to the next device, or says why there is none.
    static func moveModel(_ state: inout AppState) -> [Effect] {
        let names = state.models.devices.map(\.name)
        guard names.count > 1 else {
            let reason = state.models.devicesProblem ?? "none was found."
            notify(.warning, "There is no GPU to move to: \(reason)", &state)
            return []
        }
        if case .loading = state.models.loading {
            notify(.info, "A model is being loaded; move it when it is there.", &state)
            return []
        }
        if state.runs.hasUnfinished {
            notify(.warning, "The model is at work; cancel the jobs first.", &state)
            return []
        }
        let index = names.firstIndex(of: state.models.device) ?? 0
        state.models.device = names[wrap(index + 1, names.count)]
        markDirty(&state)
        guard let loaded = state.models.loaded,
            let entry = state.models.entries.first(where: { $0.card.name == loaded.card.name })
        else {
            notify(.info, "Models will compute on \(state.models.device).", &state)
            return []
        }
        return load(entry, &state)
    }

    private static func listed(
        _ entries: [ModelEntry], _ problems: [String], _ state: inout AppState
    ) -> [Effect] {
        let wasListed = state.models.isListed
        state.models.entries = entries
        state.models.problems = problems
        state.models.isListed = true
        state.models.selected = max(0, min(state.models.selected, entries.count - 1))
        var effects: [Effect] = problems.map { .log(.warning, $0) }
        if entries.isEmpty {
            let more = problems.count > 1 ? " (\(problems.count) in all; see Log)" : ""
            notify(.warning, (problems.first ?? "No model was found.") + more, &state)
        } else if !wasListed, state.models.loaded == nil {
            let wanted = state.options.modelName
            let index = entries.firstIndex { $0.card.name == wanted }
            if let wanted, index == nil {
                notify(.error, "There is no model named \(wanted).", &state)
            }
            let (symmetric, preferred) = (state.symmetry.models, state.options.preferredModelName)
            let fallback =
                entries.firstIndex { $0.card.name == preferred }
                ?? entries.firstIndex { !symmetric.contains($0) }
            if let first = index ?? fallback {
                state.models.selected = first
                effects += load(entries[first], &state)
            }
        }
        return effects
    }

    private static func loaded(_ facts: LoadedModelFacts, _ state: inout AppState) -> [Effect] {
        let before = state.model.map {
            StoredModel(
                name: $0.card.name, values: state.schedule.values,
                canvas: StoredCanvas(state.mask))
        }
        state.models.loaded = facts
        state.models.loading = .idle
        let place =
            state.models.devices.count > 1 ? " on \(state.models.loadedDevice ?? "cpu")" : ""
        let patchNums = facts.geometry.patchNums
        if state.schedule.values.patchNums != patchNums {
            let defaults = facts.card.defaults
            var values = state.schedule.values
            values.rows = SchedulePreset.default.rows(
                patchNums: patchNums, cardSchedule: defaults.schedule)
            values.preset = .default
            values.cfg = defaults.cfg ?? values.cfg
            values.topK = defaults.topK ?? values.topK
            values.topP = defaults.topP ?? values.topP
            state.schedule.values = values
            state.schedule.field = .generate
        }
        if !facts.variants.contains(state.schedule.values.variant) {
            state.schedule.values.variant = facts.variants.first ?? .hmar
        }
        let classes = facts.geometry.classes.count
        if let label = state.schedule.values.classLabel, label >= classes {
            state.schedule.values.classLabel = classes > 0 ? 0 : nil
        }
        if let source = state.mask.source, source.width != facts.geometry.imageSize {
            state.mask = MaskState()
        }
        state.mask.settings.keepScales = min(state.mask.settings.keepScales, patchNums.count)
        // A mistake in the configuration, a theme or a card was told just before: it stays.
        if state.notice.map({ $0.level == .info }) ?? true {
            notify(
                .info, "\(facts.card.name) is ready\(place). Enter generates a picture.", &state)
        }
        remember(before, facts, &state)
        var effects: [Effect] = [.log(.info, "Loaded \(facts.card.name)\(place).")]
        if let recipe = state.models.recipe { effects += replay(recipe, &state) }
        return effects + resumeWaiting(&state)
    }

    /// Another model is a step of the history; one that undo asked for gets its values back.
    private static func remember(
        _ before: StoredModel?, _ facts: LoadedModelFacts, _ state: inout AppState
    ) {
        if let revisited = state.models.revisited {
            state.models.revisited = nil
            guard revisited.name == facts.card.name else { return }
            if revisited.values.patchNums == facts.geometry.patchNums {
                state.schedule.values = revisited.values
            }
            if revisited.canvas.image.map({ $0.width == facts.geometry.imageSize }) ?? true {
                revisited.canvas.apply(to: &state.mask)
            }
            return
        }
        guard let before, before.name != facts.card.name else { return }
        let after = StoredModel(
            name: facts.card.name, values: state.schedule.values,
            canvas: StoredCanvas(state.mask))
        state.undo.record(
            UndoEntry(
                title: "Model \(facts.card.name)", change: .model(before: before, after: after)))
    }
}
