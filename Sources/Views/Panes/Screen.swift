// Composes a whole frame: header, panes, status line, hints and popups.
// SPDX-License-Identifier: Apache-2.0
import Core

enum Screen {
    static func draw(size: CellSize, context: DrawContext) -> Frame {
        var surface = Surface(size: size, style: context.theme[.text])
        let state = context.state
        let layout = ScreenLayout(state, size: size)
        if layout.arrangement.isTooSmall {
            surface.put(
                CharacterWidth.truncate("window too small", to: size.columns), x: 0, y: 0,
                style: context.text)
            return Frame(surface: surface)
        }
        header(into: &surface, context: context)
        if layout.form == .narrow {
            narrow(layout, into: &surface, context: context)
        } else {
            wide(layout, into: &surface, context: context)
        }
        bottom(layout, into: &surface, context: context)
        for overlay in state.overlays {
            OverlayDrawing.draw(overlay, into: &surface, context: context)
        }
        return Frame(
            surface: surface, cursor: context.notes.cursor,
            isCursorVisible: context.notes.isCursorVisible
                || state.options.isCursorAlwaysVisible,
            format: state.pictureMode.format ?? .sixel, focus: context.notes.focus)
    }

    // MARK: Panes

    private static func wide(
        _ layout: ScreenLayout, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        let focused = layout.arrangement.panes.first {
            layout.pane(in: $0.pane, state: state) == state.layout.focus
        }
        surface.frames(
            layout.arrangement.panes.map(\.frame), focused: focused?.frame,
            ascii: context.isASCII, style: context.theme[.border],
            focusStyle: context.theme[.borderFocus])
        for placed in layout.arrangement.panes {
            let pane = layout.pane(in: placed.pane, state: state)
            context.notes.add(placed.frame, .pane(pane))
            if pane == state.layout.focus { context.notes.focus = placed.frame }
            title(pane, placed: placed, layout: layout, into: &surface, context: context)
            surface.drawing(in: inside(placed.content, of: pane)) {
                draw(pane, into: &$0, context: context, isFocused: pane == state.layout.focus)
            }
        }
        for divider in layout.arrangement.dividers {
            context.notes.add(divider.rect, .divider(divider))
        }
        // Tabs stand on a border that could be dragged: they win.
        for placed in layout.arrangement.panes where placed.pane == .center {
            tabs(placed.frame, layout: layout, into: &surface, context: context)
        }
    }

    /// Text keeps a blank column from the border; pictures use all of the room.
    private static func inside(_ content: Rect, of pane: PaneID) -> Rect {
        switch pane {
        case .preview, .mask: content
        case .symmetry: content.width >= 40 ? content.inset(1, 0) : content
        case .models, .schedule, .tokens, .jobs, .log, .train:
            content.width >= 30 ? content.inset(1, 0) : content
        }
    }

    private static func title(
        _ pane: PaneID, placed: Layout<LayoutSlot>.Placed, layout: ScreenLayout,
        into surface: inout Surface, context: DrawContext
    ) {
        guard placed.pane != .center else { return }
        let isFocused = pane == context.state.layout.focus
        let frame = placed.frame
        guard frame.width > 8 else { return }
        let end = surface.put(
            " \(pane.rawValue) ", x: frame.x + 2, y: frame.y,
            style: context.theme[isFocused ? .textFocus : .key])
        surface.put(
            CharacterWidth.truncate(pane.title, to: frame.width - 7) + " ", x: end, y: frame.y,
            style: context.theme[isFocused ? .textFocus : .title])
    }

    private static func tabs(
        _ frame: Rect, layout: ScreenLayout, into surface: inout Surface, context: DrawContext
    ) {
        let shown = layout.pane(in: .center, state: context.state)
        var x = frame.x + 2
        let room = frame.width - 3
        let labels = PaneTabs.labels(layout.centerTabs, shown: shown, room: room)
        let all = labels.reduce(0) { $0 + $1.width }
        let gap = all + labels.count <= room ? 1 : 0
        for (pane, label) in zip(layout.centerTabs, labels) {
            let isFocused = pane == context.state.layout.focus
            let title = label.title
            let width = label.width
            guard x + width < frame.maxX else { break }
            let end = surface.put(
                label.number, x: x, y: frame.y,
                style: context.theme[isFocused ? .textFocus : .key])
            surface.put(
                title, x: end, y: frame.y,
                style: isFocused
                    ? context.theme[.textFocus]
                    : pane == shown ? context.theme[.title] : context.dim)
            context.click(
                Rect(x: x, y: frame.y, width: width, height: 1), on: surface, [.focus(pane)])
            x += width + gap
        }
    }

    /// One pane under a line of tabs.
    private static func narrow(
        _ layout: ScreenLayout, into surface: inout Surface, context: DrawContext
    ) {
        let focus = context.state.layout.focus
        let (bar, body) = layout.area.splitTop(1)
        let labels = PaneTabs.labels(PaneID.allCases, shown: focus, room: bar.width)
        var x = bar.x
        for (pane, tab) in zip(PaneID.allCases, labels) {
            let isFocused = pane == focus
            let label = tab.number + tab.title
            guard x + CharacterWidth.of(label) <= bar.maxX else { break }
            let end = surface.put(
                label, x: x, y: bar.y,
                style: isFocused ? context.theme[.selection] : context.dim)
            context.click(
                Rect(x: x, y: bar.y, width: end - x, height: 1), on: surface, [.focus(pane)])
            x = end
        }
        context.notes.add(body, .pane(focus))
        context.notes.focus = body
        surface.drawing(in: inside(body, of: focus)) {
            draw(focus, into: &$0, context: context, isFocused: true)
        }
    }

    static func draw(
        _ pane: PaneID, into surface: inout Surface, context: DrawContext, isFocused: Bool
    ) {
        // The cursor of a pane without the focus, or under a popup, is nobody's.
        switch pane {
        case .models: ModelsPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .schedule: SchedulePane.draw(into: &surface, context: context, isFocused: isFocused)
        case .preview: PreviewPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .mask: MaskPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .tokens: TokensPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .jobs: JobsPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .log: LogPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .train: TrainPane.draw(into: &surface, context: context, isFocused: isFocused)
        case .symmetry:
            SymmetryPane.draw(into: &surface, context: context, isFocused: isFocused)
        }
    }

    // MARK: Top and bottom

    private static func header(into surface: inout Surface, context: DrawContext) {
        let width = surface.bounds.width
        let state = context.state
        let bar = context.theme[.statusLine]
        surface.fill(Rect(x: 0, y: 0, width: width, height: 1), style: bar)
        var x = surface.put(
            " workbench ", x: 0, y: 0,
            style: context.onBar(.title))
        let model: String
        switch state.models.loading {
        case .loading(let name): model = "loading \(name)…"
        default: model = state.model?.card.name ?? "no model"
        }
        x = surface.put(
            CharacterWidth.truncate(model, to: max(0, width - x)), x: x + 1, y: 0, style: bar)
        guard let job = state.jobs.running else {
            let text = idleText(context)
            if !text.isEmpty, x + CharacterWidth.of(text) + 3 <= width {
                surface.put(
                    text, x: width - CharacterWidth.of(text) - 1, y: 0,
                    style: context.onBar(.textDim))
            }
            return
        }
        var text = job.phase.isEmpty ? job.title : job.phase
        if job.state == .cancelling { text = "cancelling" }
        if job.total > 0 { text += " · \(job.step)/\(job.total)" }
        if let remaining = job.remaining, !state.options.isDeterministic {
            text += " · about " + context.duration(remaining)
        }
        let barWidth = min(16, max(0, width - x - CharacterWidth.of(text) - 6))
        let left = width - CharacterWidth.of(text) - 1
        guard left > x + 1 else { return }
        surface.put(
            text, x: left, y: 0, style: context.onBar(.jobRunning))
        if barWidth >= 4, job.total > 0 {
            context.bar(
                Double(job.step) / Double(job.total), x: left - barWidth - 1, y: 0,
                width: barWidth, on: &surface)
            surface.restyle(Rect(x: left - barWidth - 1, y: 0, width: barWidth, height: 1)) {
                $0.background(bar.background)
            }
        }
    }

    private static func idleText(_ context: DrawContext) -> String {
        let state = context.state
        guard let facts = state.model else { return "" }
        let values = state.schedule.values
        return "\(facts.classTitle(values.classLabel)) · seed \(values.seed) · "
            + values.variant.shortTitle
    }

    private static func bottom(
        _ layout: ScreenLayout, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        if let row = layout.noticeRow {
            if let notice = state.notice {
                draw(notice, y: row, into: &surface, context: context)
            } else if let step = state.firstSteps.current(state) {
                draw(step, y: row, into: &surface, context: context)
            }
        } else if let notice = state.notice {
            draw(notice, y: layout.hintRow, into: &surface, context: context)
            return
        }
        hints(y: layout.hintRow, into: &surface, context: context)
    }

    private static func draw(
        _ notice: Notice, y: Int, into surface: inout Surface, context: DrawContext
    ) {
        let width = surface.bounds.width
        let style: StyleName
        let mark: String
        switch notice.level {
        case .info: (style, mark) = (.text, context.symbol("•", "*"))
        case .warning: (style, mark) = (.logWarning, "!")
        case .error: (style, mark) = (.logError, context.symbol("✗", "x"))
        }
        // What went wrong is told to its end: the line grows upwards over the panes.
        var lines = context.wrapped(notice.text, width: max(1, width - 3))
        let most = notice.level != .info ? 5 : width >= 80 ? 3 : 1
        let room = max(1, min(most, y - 2))
        if lines.count > room {
            lines = Array(lines.prefix(room - 1)) + [lines[(room - 1)...].joined(separator: " ")]
        }
        let top = y - lines.count + 1
        surface.fill(Rect(x: 0, y: top, width: width, height: lines.count), style: context.text)
        surface.put(" \(mark) ", x: 0, y: top, style: context.theme[style])
        for (row, line) in lines.enumerated() {
            surface.put(
                CharacterWidth.truncate(line, to: max(0, width - 3)), x: 3, y: top + row,
                style: context.theme[style])
        }
    }

    private static func draw(
        _ step: FirstStep, y: Int, into surface: inout Surface, context: DrawContext
    ) {
        let width = surface.bounds.width
        let count = FirstStep.allCases.count
        let place = (FirstStep.allCases.firstIndex(of: step) ?? 0) + 1
        let label = " First steps \(place)/\(count)  "
        surface.fill(Rect(x: 0, y: y, width: width, height: 1), style: context.text)
        let x = surface.put(label, x: 0, y: y, style: context.theme[.hint])
        surface.put(
            CharacterWidth.truncate(step.sentence(context.state), to: max(0, width - x)), x: x,
            y: y, style: context.text)
    }

    private static func hints(y: Int, into surface: inout Surface, context: DrawContext) {
        let width = surface.bounds.width
        let bar = context.theme[.statusLine]
        surface.fill(Rect(x: 0, y: y, width: width, height: 1), style: bar)
        let pane = context.state.layout.focus
        let view = pane == .preview ? context.state.preview.view : .picture
        var commands = KeyBindings.hints(
            for: pane, view: view, trains: context.state.train.shown?.isActive == true)
        for command in [Command.help, .palette, .quit] where !commands.contains(command) {
            commands.append(command)
        }
        var x = 1
        for command in commands {
            guard let key = context.bindings.firstKey(for: command, in: pane) else { continue }
            let isRunning =
                command == .generate && context.state.runs.active != nil && view.hintWords.isEmpty
            let keyText = isRunning ? "Esc" : key.label
            let word = isRunning ? "cancel" : view.hintWords[command] ?? command.hint
            let needed = CharacterWidth.of(keyText) + 1 + CharacterWidth.of(word)
            guard x + needed <= width - 1 else { break }
            let start = x
            x = surface.put(
                keyText, x: x, y: y,
                style: context.onBar(.key))
            x = surface.put(" " + word, x: x, y: y, style: bar)
            let action: Action =
                command == .quit
                ? .overlay(.askToQuit) : .command(isRunning ? .back : command)
            context.click(
                Rect(x: start, y: y, width: x - start, height: 1), on: surface, [action])
            x += 2
        }
    }
}
