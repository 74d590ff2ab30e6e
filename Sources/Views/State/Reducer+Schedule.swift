// Changing the schedule and the parameters, also while a run goes on.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func schedule(_ action: ScheduleAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .select(let field):
            guard state.schedule.fields.contains(field) else { return [] }
            if state.schedule.editing?.field != field { endScheduleEdit(&state) }
            state.schedule.field = field
        case .change(let field, let steps): return change(field, by: steps, &state)
        case .setPreset(let preset):
            guard let facts = state.model else { return [] }
            return setSchedule("Preset \(preset.title)", &state) {
                $0.rows = preset.rows(
                    patchNums: facts.geometry.patchNums, cardSchedule: facts.card.defaults.schedule)
                $0.preset = preset
            }
        case .setFamily(let scale, let family):
            return setRow(scale, "Family at scale \(scale)", &state) {
                $0.generate(family: family, maskSteps: $0.maskSteps)
            }
        case .setText(let scale, let text):
            return setRow(scale, "Row of scale \(scale)", &state) { $0.setText(text) }
        case .setClass(let label):
            return setSchedule("Class", &state) { $0.classLabel = label }
        case .setSeed(let seed):
            return setSchedule("Seed", &state) { $0.seed = seed }
        case .beginEdit(let field): beginScheduleEdit(field, &state)
        case .scroll(let lines): moveScheduleField(lines, &state)
        }
        return []
    }

    /// Changes the values as one undoable step, and tells a running sampler about changed rows.
    static func setSchedule(
        _ title: String, _ state: inout AppState, merging: Bool = true,
        _ change: (inout ScheduleValues) -> Void
    ) -> [Effect] {
        let before = state.schedule.values
        change(&state.schedule.values)
        let after = state.schedule.values
        guard after != before else { return [] }
        state.undo.record(
            UndoEntry(title: title, change: .settings(before: before, after: after)),
            merging: merging)
        markDirty(&state)
        return applyToActiveRun(before: before, &state)
    }

    static func setRow(
        _ scale: Int, _ title: String, _ state: inout AppState,
        _ change: (inout ScaleRow) -> Void
    ) -> [Effect] {
        guard state.schedule.values.rows.indices.contains(scale) else { return [] }
        return setSchedule(title, &state) {
            let before = $0.rows[scale].entries
            change(&$0.rows[scale])
            if $0.rows[scale].entries != before { $0.preset = nil }
        }
    }

    /// Rows of scales that have not begun go to the running sampler; the others wait for the next
    /// run. Only valid rows are ever in `entries`, so only valid rows run.
    static func applyToActiveRun(before: ScheduleValues, _ state: inout AppState) -> [Effect] {
        guard let active = state.runs.current,
            active.kind == .sample, active.request.variant == .hmar,
            active.schedule.patchNums == state.schedule.values.patchNums,
            before.rows.count == state.schedule.values.rows.count
        else { return [] }
        var effects: [Effect] = []
        var late: [Int] = []
        for (scale, row) in state.schedule.values.rows.enumerated()
        where row.entries != before.rows[scale].entries {
            if scale <= active.lastBegunScale {
                late.append(scale)
                continue
            }
            effects.append(.setRow(run: active.id, row: row.entries, scale: scale))
            state.runs.update(active.id) {
                try? $0.schedule.setRow(row.entries, scale: scale)
                $0.passCount = $0.schedule.passCount
            }
        }
        if let scale = late.first {
            notify(
                .info, "Scale \(scale) has begun already; its new row is for the next run.", &state)
        }
        return effects
    }

    // MARK: Steps

    static func change(
        _ field: ScheduleField, by steps: Int, _ state: inout AppState
    ) -> [Effect] {
        guard let facts = state.model, steps != 0 else { return [] }
        switch field {
        case .preset:
            let all = SchedulePreset.allCases
            let current = state.schedule.values.preset.flatMap { all.firstIndex(of: $0) }
            let next = current.map { wrap($0 + steps.signum(), all.count) } ?? 0
            return schedule(.setPreset(all[next]), &state)
        case .row(let scale):
            return setRow(scale, "Mask steps of scale \(scale)", &state) {
                $0.generate(family: $0.family ?? .cosine, maskSteps: $0.maskSteps + steps)
            }
        case .classLabel:
            let count = facts.geometry.classes.count
            return setSchedule("Class", &state) {
                // "No class" stands after the last one.
                let next = wrap(($0.classLabel ?? count) + steps, count + 1)
                $0.classLabel = next == count ? nil : next
            }
        case .seed:
            return setSchedule("Seed", &state) {
                let size = UInt64(steps.magnitude)
                $0.seed = steps > 0 ? $0.seed &+ size : $0.seed - min(size, $0.seed)
            }
        case .cfg:
            return setSchedule("Guidance", &state) {
                $0.cfg = max(0, min(20, (($0.cfg + 0.1 * Double(steps)) * 10).rounded() / 10))
            }
        case .topK:
            return setSchedule("Top-k", &state) {
                $0.topK = max(0, min(facts.geometry.vocabulary, $0.topK + steps))
            }
        case .topP:
            return setSchedule("Top-p", &state) {
                $0.topP = max(0, min(1, (($0.topP + 0.01 * Double(steps)) * 100).rounded() / 100))
            }
        case .count:
            return setSchedule("Pictures", &state) { $0.count = max(1, min(8, $0.count + steps)) }
        case .variant:
            let all = facts.variants
            return setSchedule("Variant", &state) {
                let index = all.firstIndex(of: $0.variant) ?? 0
                if !all.isEmpty { $0.variant = all[wrap(index + steps.signum(), all.count)] }
            }
        case .mode:
            return setSchedule("Mode", &state) { $0.mode = $0.mode == .fast ? .exact : .fast }
        case .generate: return []
        }
    }

    static func cycleFamily(by steps: Int, _ state: inout AppState) -> [Effect] {
        guard case .row(let scale) = state.schedule.field,
            state.schedule.values.rows.indices.contains(scale)
        else {
            notify(.info, "Select the row of a scale first.", &state)
            return []
        }
        let all = ScheduleFamily.allCases
        let current = state.schedule.values.rows[scale].family.flatMap { all.firstIndex(of: $0) }
        let next = current.map { wrap($0 + steps, all.count) } ?? 0
        return schedule(.setFamily(scale: scale, all[next]), &state)
    }

    static func wrap(_ value: Int, _ count: Int) -> Int {
        count > 0 ? ((value % count) + count) % count : 0
    }

    // MARK: Typing a value

    static func beginScheduleEdit(_ field: ScheduleField, _ state: inout AppState) {
        let values = state.schedule.values
        state.schedule.field = field
        let text: String
        switch field {
        case .row(let scale):
            guard values.rows.indices.contains(scale) else { return }
            text = values.rows[scale].text
        case .seed: text = String(values.seed)
        case .cfg: text = String(values.cfg)
        case .topK: text = String(values.topK)
        case .topP: text = String(values.topP)
        case .count: text = String(values.count)
        case .classLabel:
            state.overlays.append(.classes(FilteredList()))
            return
        case .preset, .variant, .mode, .generate: return
        }
        state.schedule.editing = ScheduleState.Editing(
            field: field, entry: TextEntry(text), before: values)
    }

    /// Takes a key while a value is typed. Rows take effect with every key, numbers on Enter.
    static func scheduleEditKey(_ key: KeyPress, _ state: inout AppState) -> [Effect] {
        guard var editing = state.schedule.editing else { return [] }
        switch key.code {
        case .enter, .up, .down, .tab:
            let effects = commitScheduleEdit(&state)
            if key.code == .up { moveScheduleField(-1, &state) }
            if key.code == .down || key.code == .tab { moveScheduleField(1, &state) }
            return effects
        case .escape:
            state.schedule.editing = nil
            let before = editing.before
            return setSchedule("Typing taken back", &state) { $0 = before }
        default: break
        }
        guard editing.entry.handle(key) else { return [] }
        editing.problem = nil
        state.schedule.editing = editing
        if case .row(let scale) = editing.field {
            return setRow(scale, "Row of scale \(scale)", &state) {
                $0.setText(editing.entry.text)
            }
        }
        return []
    }

    static func endScheduleEdit(_ state: inout AppState) { state.schedule.editing = nil }

    private static func commitScheduleEdit(_ state: inout AppState) -> [Effect] {
        guard let editing = state.schedule.editing, let facts = state.model else {
            state.schedule.editing = nil
            return []
        }
        let text = editing.entry.text.trimmingPrefix { $0 == " " }.description
        func refuse(_ reason: String) -> [Effect] {
            state.schedule.editing?.problem = reason
            notify(.error, reason, &state)
            return []
        }
        switch editing.field {
        case .seed:
            guard let seed = UInt64(text) else {
                return refuse("A seed is a whole number from 0 to \(UInt64.max).")
            }
            state.schedule.editing = nil
            return setSchedule("Seed", &state) { $0.seed = seed }
        case .cfg:
            guard let cfg = Double(text), (0...20).contains(cfg) else {
                return refuse("Guidance is a number from 0 to 20.")
            }
            state.schedule.editing = nil
            return setSchedule("Guidance", &state) { $0.cfg = cfg }
        case .topK:
            let vocabulary = facts.geometry.vocabulary
            guard let k = Int(text), (0...vocabulary).contains(k) else {
                return refuse("Top-k is a whole number from 0 (all codes) to \(vocabulary).")
            }
            state.schedule.editing = nil
            return setSchedule("Top-k", &state) { $0.topK = k }
        case .topP:
            guard let p = Double(text), (0...1).contains(p) else {
                return refuse("Top-p is a number from 0 (all codes) to 1.")
            }
            state.schedule.editing = nil
            return setSchedule("Top-p", &state) { $0.topP = p }
        case .count:
            guard let count = Int(text), (1...8).contains(count) else {
                return refuse("Pictures in a batch: 1 to 8.")
            }
            state.schedule.editing = nil
            return setSchedule("Pictures", &state) { $0.count = count }
        case .row, .preset, .classLabel, .variant, .mode, .generate:
            state.schedule.editing = nil
            return []
        }
    }

    static func moveScheduleField(_ steps: Int, _ state: inout AppState) {
        let fields = state.schedule.fields
        let index = fields.firstIndex(of: state.schedule.field) ?? 0
        state.schedule.field = fields[max(0, min(fields.count - 1, index + steps))]
    }
}
