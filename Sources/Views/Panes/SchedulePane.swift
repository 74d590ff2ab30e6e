// The schedule's rows, the sampling parameters and the button that starts a run.
// SPDX-License-Identifier: Apache-2.0
import Core

enum SchedulePane: Pane {
    static let id = PaneID.schedule

    /// A line of the pane.
    enum Line: Equatable {
        case field(ScheduleField)
        case heading
        /// All entries of the selected row, or the reason why a typed one is not valid.
        case detail(String, isError: Bool)
        case totals
        case blank
    }

    /// Where the columns of a row begin.
    private struct Columns {
        var number = 2
        var side = 5
        var minus = 11
        var count = 13
        var plus = 15
        var family = 18
        var entries = 26
        var heading = "   k  size  steps  family  tokens"

        init(width: Int) {
            guard width < 34 else { return }
            (number, side, minus, count, plus, family, entries) = (1, 4, 10, 12, 14, 16, 23)
            heading = width < 29 ? "  k size  steps family" : "  k size  steps family tokens"
        }
    }

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let schedule = context.state.schedule
        guard context.state.model != nil, !schedule.values.rows.isEmpty else {
            let text = "The schedule appears when a model is loaded (1, Enter)."
            for (row, line) in context.wrapped(text, width: size.width).enumerated() {
                surface.put(line, x: 0, y: row, style: context.dim)
            }
            return
        }
        let lines = lines(context: context, width: size.width, height: size.height)
        let selected = lines.firstIndex(of: .field(schedule.field)) ?? 0
        let scroll = max(
            0, min(lines.count - size.height, max(0, selected - size.height * 2 / 3)))
        let isScrolled = lines.count > size.height
        let width = size.width - (isScrolled ? 1 : 0)
        for row in 0..<min(size.height, lines.count - scroll) {
            draw(
                lines[scroll + row], y: row, width: width, into: &surface, context: context,
                isFocused: isFocused)
        }
        context.scrollbar(
            first: scroll, total: lines.count, x: size.width - 1, y: 0,
            height: size.height, on: &surface)
    }

    /// The lines at a size; blank ones go first where the room is short.
    static func lines(context: DrawContext, width: Int, height: Int) -> [Line] {
        let schedule = context.state.schedule
        var lines: [Line] = [.field(.preset), .heading]
        for (scale, row) in schedule.values.rows.enumerated() {
            lines.append(.field(.row(scale)))
            if let reason = row.reason {
                for text in context.wrapped(reason, width: max(8, width - 5)) {
                    lines.append(.detail(text, isError: true))
                }
            } else if schedule.field == .row(scale),
                row.text.count > width - Columns(width: width).entries
            {
                for text in context.wrapped(row.text, width: max(8, width - 5)).prefix(4) {
                    lines.append(.detail(text, isError: false))
                }
            }
        }
        lines.append(.totals)
        let parameters: [ScheduleField] = [
            .classLabel, .seed, .cfg, .topK, .topP, .count, .variant, .mode,
        ]
        let spare = height - lines.count - parameters.count - 1
        if spare > 0 { lines.append(.blank) }
        lines += parameters.map { .field($0) }
        if spare > 1 { lines.append(.blank) }
        lines.append(.field(.generate))
        if spare > 2 { lines.insert(.blank, at: 1) }
        return lines
    }

    private static func draw(
        _ line: Line, y: Int, width: Int, into surface: inout Surface, context: DrawContext,
        isFocused: Bool
    ) {
        switch line {
        case .blank: break
        case .heading:
            surface.put(
                CharacterWidth.pad(Columns(width: width).heading, to: width), x: 0, y: y,
                style: context.dim)
        case .detail(let text, let isError):
            surface.put(
                text, x: 5, y: y, style: isError ? context.errorStyle : context.dim)
        case .totals: totals(y: y, width: width, into: &surface, context: context)
        case .field(let field):
            let isSelected = context.state.schedule.field == field
            if isSelected, isFocused {
                surface.fill(
                    Rect(x: 0, y: y, width: width, height: 1), style: context.theme[.selection])
                context.cursor(x: 0, y: y, on: surface)
            }
            context.click(
                Rect(x: 0, y: y, width: width, height: 1), on: surface,
                [.focus(.schedule), .schedule(.select(field))])
            let style = isSelected && isFocused ? context.theme[.selection] : context.text
            switch field {
            case .row(let scale):
                row(
                    scale, y: y, width: width, into: &surface, context: context, style: style,
                    isSelected: isSelected && isFocused)
            case .generate:
                generate(y: y, width: width, into: &surface, context: context, style: style)
            default:
                parameter(
                    field, y: y, width: width, into: &surface, context: context, style: style,
                    isSelected: isSelected && isFocused)
            }
        }
    }

    // MARK: A row

    private static func row(
        _ scale: Int, y: Int, width: Int, into surface: inout Surface, context: DrawContext,
        style: Style, isSelected: Bool
    ) {
        let schedule = context.state.schedule
        let columns = Columns(width: width)
        let row = schedule.values.rows[scale]
        let isUsed = schedule.values.variant == .hmar
        let base = isUsed || isSelected ? style : context.dim
        let (mark, markStyle) = mark(scale, context: context)
        surface.put(
            mark, x: 0, y: y, style: isSelected ? style : context.theme[markStyle])
        surface.put(padded(String(scale), 2), x: columns.number, y: y, style: base)
        surface.put("\(row.side)×\(row.side)", x: columns.side, y: y, style: base)
        let canStep = row.side > 1
        let steps = isUsed ? row.entries.count - 1 : 0
        if canStep, isUsed {
            let dim = isSelected ? style : context.theme[.key]
            surface.put(context.symbol("−", "-"), x: columns.minus, y: y, style: dim)
            surface.put("+", x: columns.plus, y: y, style: dim)
            context.click(
                Rect(x: columns.minus - 1, y: y, width: 2, height: 1), on: surface,
                [
                    .focus(.schedule), .schedule(.select(.row(scale))),
                    .schedule(.change(.row(scale), by: -1)),
                ])
            context.click(
                Rect(x: columns.plus, y: y, width: 2, height: 1), on: surface,
                [
                    .focus(.schedule), .schedule(.select(.row(scale))),
                    .schedule(.change(.row(scale), by: 1)),
                ])
        }
        let count = canStep ? String(steps) : context.symbol("·", "-")
        surface.put(count, x: columns.count - (count.count == 1 ? 0 : 1), y: y, style: base)
        if isUsed, canStep {
            surface.put(row.familyTitle, x: columns.family, y: y, style: base)
            context.click(
                Rect(x: columns.family, y: y, width: 7, height: 1), on: surface,
                [
                    .focus(.schedule), .schedule(.select(.row(scale))),
                    .command(.nextFamily),
                ])
        }
        let room = width - columns.entries
        guard room > 0 else { return }
        if let editing = schedule.editing, editing.field == .row(scale) {
            context.field(
                editing.entry, in: Rect(x: columns.entries, y: y, width: room, height: 1),
                on: &surface,
                isValid: row.invalidText == nil)
            return
        }
        let text = isUsed ? row.text(width: room) : String(row.tokenCount)
        let textStyle = row.invalidText == nil ? base : context.errorStyle
        surface.put(
            CharacterWidth.truncate(text, to: room), x: columns.entries, y: y, style: textStyle)
        context.click(
            Rect(x: columns.entries, y: y, width: room, height: 1), on: surface,
            [
                .focus(.schedule), .schedule(.select(.row(scale))),
                isSelected
                    ? .schedule(.beginEdit(.row(scale))) : .schedule(.select(.row(scale))),
            ])
    }

    /// How far the run has come with a scale.
    private static func mark(
        _ scale: Int, context: DrawContext
    ) -> (String, StyleName) {
        if context.state.schedule.values.rows[scale].invalidText != nil {
            return (context.symbol("✗", "x"), .logError)
        }
        guard let run = context.state.runs.active ?? context.state.runs.shown,
            run.schedule.patchNums.count == context.state.schedule.values.rows.count
        else { return (" ", .textDim) }
        if run.state == .done { return (context.symbol("✓", "v"), .jobDone) }
        guard run.state == .running || run.state == .cancelled else {
            return (context.symbol("·", "."), .textDim)
        }
        let last = run.passes.last
        let done = last.map { $0.completesScale ? $0.scale : $0.scale - 1 } ?? -1
        if scale <= done { return (context.symbol("✓", "v"), .jobDone) }
        if run.state == .cancelled { return (context.symbol("·", "."), .textDim) }
        if scale == done + 1 { return (context.symbol("▶", ">"), .jobRunning) }
        return (context.symbol("·", "."), .textDim)
    }

    private static func totals(
        y: Int, width: Int, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        guard let request = state.schedule.request() else { return }
        let passes = request.schedule.passCount
        var text = passes == 1 ? "1 pass" : "\(passes) passes"
        if !state.options.isDeterministic {
            let time = state.schedule.timings.prediction(
                model: state.model?.card.name ?? "", request: request)
            text += time.map { ", about \(context.duration($0))" } ?? ", time —"
        }
        surface.put("   " + text, x: 0, y: y, style: context.text.adding(.bold))
        if state.schedule.values.firstInvalid != nil {
            let note = "last valid rows run"
            let x = 5 + CharacterWidth.of(text)
            if x + note.count <= width { surface.put(note, x: x, y: y, style: context.warning) }
        }
    }

    // MARK: A parameter

    private static func parameter(
        _ field: ScheduleField, y: Int, width: Int, into surface: inout Surface,
        context: DrawContext, style: Style, isSelected: Bool
    ) {
        let (name, value) = nameAndValue(field, context: context)
        surface.put(
            name, x: 3, y: y, style: isSelected ? style : context.dim)
        if let editing = context.state.schedule.editing, editing.field == field {
            context.field(
                editing.entry, in: Rect(x: 14, y: y, width: width - 15, height: 1), on: &surface,
                isValid: editing.problem == nil)
            return
        }
        let arrows = isSelected
        let room = max(0, width - 14)
        let shown = CharacterWidth.truncate(value, to: max(1, room - 2))
        if arrows {
            surface.put(context.symbol("‹", "<"), x: 12, y: y, style: style)
            context.click(
                Rect(x: 11, y: y, width: 3, height: 1), on: surface,
                [.schedule(.change(field, by: -1))])
        }
        let end = surface.put(shown, x: 14, y: y, style: style)
        if arrows {
            surface.put(context.symbol("›", ">"), x: end + 1, y: y, style: style)
            context.click(
                Rect(x: end, y: y, width: 3, height: 1), on: surface,
                [.schedule(.change(field, by: 1))])
            context.click(
                Rect(x: 14, y: y, width: end - 14, height: 1), on: surface,
                [.schedule(.beginEdit(field))])
        }
    }

    private static func nameAndValue(
        _ field: ScheduleField, context: DrawContext
    ) -> (String, String) {
        let values = context.state.schedule.values
        let facts = context.state.model
        switch field {
        case .preset: return ("Preset", values.preset?.title ?? "own rows")
        case .classLabel:
            let name = facts?.className(values.classLabel) ?? ""
            let label = values.classLabel.map(String.init) ?? "—"
            return ("Class", name == label ? name : "\(label)  \(name)")
        case .seed: return ("Seed", String(values.seed))
        case .cfg: return ("Guidance", String(values.cfg))
        case .topK: return ("Top-k", values.topK == 0 ? "all codes" : String(values.topK))
        case .topP: return ("Top-p", values.topP == 0 ? "all codes" : String(values.topP))
        case .count: return ("Pictures", String(values.count))
        case .variant: return ("Variant", values.variant.title)
        case .mode: return ("Mode", values.mode.rawValue)
        case .row, .generate: return ("", "")
        }
    }

    private static func generate(
        y: Int, width: Int, into surface: inout Surface, context: DrawContext, style: Style
    ) {
        let isRunning = context.state.runs.active != nil
        let label = isRunning ? "Running" : "Generate"
        let symbol = context.symbol("▶", ">")
        surface.put(" \(symbol) \(label)", x: 0, y: y, style: style.adding(.bold))
        let key = isRunning ? "Esc cancels" : "Enter"
        surface.put(key, x: 14, y: y, style: context.theme[.key].background(style.background))
        context.click(
            Rect(x: 0, y: y, width: width, height: 1), on: surface,
            [
                .focus(.schedule), .schedule(.select(.generate)),
                .command(isRunning ? .cancelRunning : .generate),
            ])
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
