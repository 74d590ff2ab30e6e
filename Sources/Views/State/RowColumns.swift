// A scale's row as columns that are dragged: one for each step.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The columns in front of the screen.
nonisolated struct RowColumns: Sendable, Equatable {
    var scale: Int
    var step = 0
    /// Tokens that the height of the chart stands for; stays while a column is dragged.
    var top: Int
    /// What Esc goes back to.
    var before: ScheduleValues

    /// A height somewhat above the largest entry.
    static func top(of entries: [Int]) -> Int {
        let total = entries.reduce(0, +)
        let largest = entries.max() ?? 1
        return max(1, min(total, largest + max(1, largest / 3)))
    }
}

nonisolated extension ScaleRow {
    /// Sets one entry; what it gains the entries behind it give, the nearest first, then those before it,
    /// each down to 1. The sum stays p_k².
    mutating func set(entry index: Int, to value: Int) {
        guard entries.indices.contains(index), entries.count > 1 else { return }
        var row = entries
        let value = max(1, min(tokenCount - (row.count - 1), value))
        var gain = value - row[index]
        row[index] = value
        let order = Array((index + 1)..<row.count) + Array((0..<index).reversed())
        if gain < 0, let first = order.first {
            row[first] -= gain
            gain = 0
        }
        for other in order where gain > 0 {
            let given = min(gain, row[other] - 1)
            row[other] -= given
            gain -= given
        }
        take(row)
    }

    /// Divides an entry into two, or does nothing where it is a single token.
    mutating func split(entry index: Int) {
        guard entries.indices.contains(index), entries[index] > 1 else { return }
        var row = entries
        let half = row[index] / 2
        row[index] -= half
        row.insert(half, at: index + 1)
        take(row)
    }

    /// Joins an entry with the one behind it, the last with the one before.
    mutating func join(entry index: Int) {
        guard entries.indices.contains(index), entries.count > 1 else { return }
        var row = entries
        let value = row.remove(at: index)
        row[min(index, row.count - 1)] += value
        take(row)
    }

    private mutating func take(_ row: [Int]) {
        entries = row
        maskSteps = row.count - 1
        if family?.row(tokenCount: tokenCount, maskSteps: maskSteps) != row { family = nil }
        invalidText = nil
        reason = nil
    }
}

nonisolated extension Reducer {
    /// Opens the columns of the selected row, else of the finest scale.
    static func openColumns(_ state: inout AppState) {
        guard readyModel(&state) != nil else { return }
        guard state.schedule.values.variant == .hmar else {
            notify(.info, "Only HMAR has mask steps; m changes the variant.", &state)
            return
        }
        var scale = state.schedule.values.rows.count - 1
        if case .row(let selected) = state.schedule.field { scale = selected }
        showColumns(scale, &state)
    }

    private static func showColumns(
        _ scale: Int, before: ScheduleValues? = nil, _ state: inout AppState
    ) {
        let rows = state.schedule.values.rows
        guard rows.indices.contains(scale) else { return }
        if case .columns = state.overlays.last { state.overlays.removeLast() }
        state.schedule.field = .row(scale)
        state.overlays.append(
            .columns(
                RowColumns(
                    scale: scale, top: RowColumns.top(of: rows[scale].entries),
                    before: before ?? state.schedule.values)))
    }

    static func columns(_ action: ColumnsAction, _ state: inout AppState) -> [Effect] {
        guard case .columns(var columns) = state.overlays.last,
            state.schedule.values.rows.indices.contains(columns.scale)
        else { return [] }
        var effects: [Effect] = []
        func change(_ body: (inout ScaleRow) -> Void) {
            effects = setRow(columns.scale, "Row of scale \(columns.scale)", &state, body)
        }
        let step = columns.step
        switch action {
        case .drag(let step, let value):
            columns.step = step
            change { $0.set(entry: step, to: value) }
        case .change(let steps): change { $0.set(entry: step, to: $0.entries[step] + steps) }
        case .select(let steps): columns.step += steps
        case .split: change { $0.split(entry: step) }
        case .join: change { $0.join(entry: step) }
        case .family:
            let all = ScheduleFamily.allCases
            change {
                let index = $0.family.flatMap { all.firstIndex(of: $0) } ?? -1
                $0.generate(family: all[(index + 1) % all.count], maskSteps: $0.entries.count - 1)
            }
        case .scale(let steps):
            let count = state.schedule.values.rows.count
            showColumns(wrap(columns.scale + steps, count), before: columns.before, &state)
            return []
        case .settle: break
        case .cancel:
            state.overlays.removeLast()
            let before = columns.before
            return setSchedule("Rows", &state, merging: false) { $0 = before }
        }
        let entries = state.schedule.values.rows[columns.scale].entries
        columns.step = max(0, min(entries.count - 1, columns.step))
        if case .drag = action {} else { columns.top = RowColumns.top(of: entries) }
        if (entries.max() ?? 0) > columns.top { columns.top = RowColumns.top(of: entries) }
        replaceTop(.columns(columns), &state)
        return effects
    }

    static func columnsKey(_ key: KeyPress, _ state: inout AppState) -> [Effect] {
        switch (key.code, key.modifiers) {
        case (.left, _), (.character("h"), []): return columns(.select(-1), &state)
        case (.right, _), (.character("l"), []): return columns(.select(1), &state)
        case (.up, .shift), (.pageUp, _), (.character("L"), _): return columns(.change(10), &state)
        case (.down, .shift), (.pageDown, _), (.character("H"), _):
            return columns(.change(-10), &state)
        case (.up, _), (.character("k"), []), (.character("+"), _), (.character("="), _):
            return columns(.change(1), &state)
        case (.down, _), (.character("j"), []), (.character("-"), _):
            return columns(.change(-1), &state)
        case (.tab, .shift): return columns(.scale(-1), &state)
        case (.tab, _): return columns(.scale(1), &state)
        case (.character("a"), _): return columns(.split, &state)
        case (.character("d"), _), (.delete, _), (.backspace, _): return columns(.join, &state)
        case (.character("f"), _): return columns(.family, &state)
        case (.enter, _), (.character("q"), _), (.character("o"), _):
            state.overlays.removeLast()
            return []
        case (.escape, _): return columns(.cancel, &state)
        default: return []
        }
    }
}
