// The list of inputs, sorted by what was found, and the settings below it.
// SPDX-License-Identifier: Apache-2.0
import Core

extension SymmetryPane {
    static func list(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let state = context.state.symmetry
        let size = surface.bounds
        guard size.height >= 2, size.width >= 12, let facts = state.facts else { return }
        surface.put("Inputs", x: 0, y: 0, style: context.theme[.title])
        let order = "by \(state.order.title)"
        surface.put(
            order, x: 7, y: 0, width: max(0, size.width - 14), style: context.dim)
        surface.put(
            state.order == .outside ? "score" : "level", x: max(0, size.width - 7), y: 0,
            style: context.dim)
        context.click(
            Rect(x: 0, y: 0, width: size.width, height: 1), on: surface,
            [.focus(.symmetry), .command(.nextSymmetryOrder)])
        let rows = size.height - 1
        let place = state.list.firstIndex(of: state.selected) ?? 0
        let first = max(0, min(state.list.count - rows, place - rows / 2))
        for row in 0..<min(rows, state.list.count - first) {
            let input = state.list[first + row]
            line(
                input, y: row + 1, facts: facts, into: &surface, context: context,
                isFocused: isFocused)
        }
        context.scrollbar(
            first: first, total: state.list.count, x: size.width - 1, y: 1, height: rows,
            on: &surface)
    }

    private static func line(
        _ input: Int, y: Int, facts: SymmetryFacts, into surface: inout Surface,
        context: DrawContext, isFocused: Bool
    ) {
        let state = context.state.symmetry
        let width = surface.bounds.width - 1
        let isSelected = input == state.selected
        let row = row(of: input, state)
        var style = isSelected && isFocused ? context.theme[.selection] : context.text
        if isSelected, !isFocused { style = style.adding(.bold) }
        surface.fill(Rect(x: 0, y: y, width: width, height: 1), style: style)
        let mark = row.map { $0.isOutside ? context.symbol("▲", "!") : " " } ?? " "
        surface.put(
            mark, x: 0, y: y, style: isSelected && isFocused ? style : context.warning)
        surface.put(
            CharacterWidth.truncate(state.name(input), to: max(0, width - 9)), x: 2, y: y,
            style: style)
        if let row {
            // What the list is sorted by can be read off it.
            let shown =
                state.order == .outside
                ? formatDecimal(row.outsideScore, decimals: 1).replacing("-", with: "−")
                : SymmetryText.degrees(row.level)
            surface.put(
                shown, x: max(0, width - 7), y: y, width: 7,
                alignment: .trailing, style: isSelected && isFocused ? style : context.dim)
        }
        if isSelected, isFocused { context.cursor(x: 0, y: y, on: surface) }
        context.click(
            Rect(x: 0, y: y, width: width, height: 1), on: surface,
            [.focus(.symmetry), .symmetry(.select(input: input))])
    }

    /// What is known of an input: from the table, else from its own question.
    static func row(of input: Int, _ state: SymmetryState) -> SymmetryRow? {
        if input == state.selected, let row = state.current.row { return row }
        guard let rows = state.current.table?.rows ?? state.a.table?.rows,
            rows.indices.contains(input)
        else { return nil }
        return rows[input]
    }

    // MARK: Settings

    private struct Line {
        var name: String
        var value: String
        /// The value for narrow panes.
        var short: String? = nil
        var key: Command
        var setting: SymmetrySetting
    }

    static func settingsRows(_ state: SymmetryState) -> Int {
        lines(state.current.settings, state).count + 2
    }

    private static func lines(
        _ settings: SymmetrySettings, _ state: SymmetryState
    ) -> [Line] {
        var lines = [
            Line(
                name: "k", value: "\(settings.neighbours)", key: .moreNeighbours,
                setting: .neighbours),
            Line(
                name: "metric", value: SymmetryText.metric(settings.metric), key: .nextMetric,
                setting: .metric),
            Line(
                name: "level", value: SymmetryText.estimator(settings.estimator),
                short: SymmetryText.short(settings.estimator),
                key: .nextEstimator, setting: .estimator),
            Line(
                name: "mean", value: SymmetryText.mean(settings.mean),
                short: SymmetryText.short(settings.mean), key: .nextMean,
                setting: .mean),
            Line(
                name: "family", value: settings.family.rawValue, key: .nextSymmetryFamily,
                setting: .family),
            Line(
                name: "OOD if", value: SymmetryText.outside(settings.outside),
                short: SymmetryText.short(settings.outside),
                key: .nextOutsideRule, setting: .outside),
        ]
        if settings.family == .empirical {
            lines.append(
                Line(
                    name: "kernel", value: SymmetryText.degrees(settings.bandwidth, decimals: 0),
                    key: .widerKernel, setting: .bandwidth))
        }
        if (state.facts(of: state.active)?.offer.paths.count ?? 1) > 1 {
            lines.append(
                Line(
                    name: "path", value: SymmetryText.path(settings.path), key: .nextSymmetryPath,
                    setting: .path))
        }
        if (state.facts(of: state.active)?.offer.looks.count ?? 1) > 1 {
            lines.append(
                Line(
                    name: "look", value: settings.look.rawValue, key: .nextSymmetryLook,
                    setting: .look))
        }
        return lines
    }

    static func settings(into surface: inout Surface, context: DrawContext) {
        let state = context.state.symmetry
        let size = surface.bounds
        guard size.height >= 3 else { return }
        surface.put("Found by", x: 0, y: 1, style: context.theme[.title])
        if state.isCompared {
            var x = 10
            for side in SymmetrySide.allCases {
                let isActive = side == state.active
                surface.put(
                    " \(side.title) ", x: x, y: 1,
                    style: isActive ? context.theme[.selection] : context.dim)
                context.click(
                    Rect(x: x, y: 1, width: 3, height: 1), on: surface,
                    [.focus(.symmetry), .symmetry(.side(side))])
                x += 4
            }
            surface.put("b", x: size.width - 3, y: 1, style: context.theme[.key])
        }
        let lines = lines(state.current.settings, state)
        for (i, line) in lines.enumerated() where i + 2 < size.height {
            let y = i + 2
            let keys = keyText(line.key, context: context)
            let room = max(0, size.width - 7 - CharacterWidth.of(keys) - 3)
            let value = CharacterWidth.of(line.value) <= room ? line.value : line.short
            surface.put(line.name, x: 0, y: y, width: 7, style: context.dim)
            surface.put(
                CharacterWidth.truncate(value ?? line.value, to: room), x: 7, y: y,
                style: context.text)
            surface.put(
                keys, x: size.width - CharacterWidth.of(keys) - 2, y: y,
                style: context.theme[.key])
            context.click(
                Rect(x: 0, y: y, width: size.width, height: 1), on: surface,
                [.focus(.symmetry), .command(line.key)])
        }
    }

    /// The keys of a setting; both where it goes up and down.
    private static func keyText(_ command: Command, context: DrawContext) -> String {
        func key(_ command: Command) -> String {
            context.bindings.firstKey(for: command, in: .symmetry)?.label ?? ""
        }
        switch command {
        case .moreNeighbours: return key(.fewerNeighbours) + " " + key(.moreNeighbours)
        case .widerKernel: return key(.narrowerKernel) + " " + key(.widerKernel)
        default: return key(command)
        }
    }
}
