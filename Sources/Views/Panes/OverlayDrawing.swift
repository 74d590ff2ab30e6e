// Popups: help, palette, pickers, menus, prompts and questions.
// SPDX-License-Identifier: Apache-2.0
import Core

enum OverlayDrawing {
    static func draw(_ overlay: Overlay, into surface: inout Surface, context: DrawContext) {
        let screen = surface.bounds
        let room = Rect(x: 0, y: 0, width: screen.width, height: screen.height - 1)
        guard room.width >= 8, room.height >= 3 else { return }
        context.notes.add(screen, .shade)
        switch overlay {
        case .help(let pane, let list):
            let lines = context.state.helpLines(overlay)
            let rect = room.centered(width: 64, height: min(room.height, max(8, lines.count + 4)))
            window("Help: \(pane.title)", rect, into: &surface, context: context) { surface in
                filter(list, into: &surface, context: context, prompt: "Type to search")
                rows(lines.count, list: list, into: &surface, context: context) {
                    surface, index, y, style in
                    let line = lines[index]
                    surface.put(
                        CharacterWidth.truncate(line.keys, to: 22), x: 1, y: y,
                        style: context.theme[.key, on: .popup].background(style.background))
                    surface.put(
                        CharacterWidth.truncate(
                            context.bindings.title(
                                of: line.command, in: line.isGlobal ? .global : .pane(pane)),
                            to: max(0, surface.bounds.width - 26)), x: 24, y: y,
                        style: style)
                }
            }
        case .palette(let list):
            let commands = context.state.paletteCommands(overlay)
            let rect = room.centered(width: 60, height: min(room.height, 20))
            window("Commands", rect, into: &surface, context: context) { surface in
                filter(list, into: &surface, context: context, prompt: "Type a few letters")
                rows(commands.count, list: list, into: &surface, context: context) {
                    surface, index, y, style in
                    let command = commands[index]
                    let width = surface.bounds.width
                    let key =
                        context.bindings.firstKey(for: command, in: context.state.layout.focus)?
                        .label ?? ""
                    surface.put(
                        CharacterWidth.truncate(command.title, to: max(0, width - 14)), x: 1, y: y,
                        style: style)
                    surface.put(
                        key, x: width - CharacterWidth.of(key) - 1, y: y,
                        style: context.theme[.key, on: .popup].background(style.background))
                }
            }
        case .themes(let list, _):
            let names = context.state.themeNames(overlay)
            // At the right, so that the panes show what the theme does.
            let width = min(32, room.width)
            let height = min(room.height, max(8, names.count + 4))
            let rect = Rect(
                x: room.width - width, y: (room.height - height) / 2, width: width, height: height)
            window("Theme", rect, into: &surface, context: context) { surface in
                filter(list, into: &surface, context: context, prompt: "Type to search")
                rows(names.count, list: list, into: &surface, context: context) {
                    surface, index, y, style in
                    surface.put(names[index], x: 1, y: y, style: style)
                }
            }
        case .classes(let list):
            let labels = context.state.classLabels(overlay)
            let rect = room.centered(
                width: 40, height: min(room.height, max(8, min(24, labels.count + 4))))
            window("Class", rect, into: &surface, context: context) { surface in
                filter(list, into: &surface, context: context, prompt: "Type a name or number")
                rows(labels.count, list: list, into: &surface, context: context) {
                    surface, index, y, style in
                    let name = context.state.model?.className(labels[index]) ?? ""
                    let number = labels[index].map(String.init) ?? "—"
                    surface.put(
                        number == name ? name : CharacterWidth.pad(number, to: 6) + name, x: 1,
                        y: y, style: style)
                }
            }
        case .menu(let pane, let at, let selected):
            menu(pane, at: at, selected: selected, into: &surface, context: context)
        case .prompt(let kind, let entry, let problem):
            let rect = room.centered(width: 70, height: 5)
            window(kind.title, rect, into: &surface, context: context) { surface in
                SchedulePane.entry(
                    entry, x: 1, y: 0, width: surface.bounds.width - 2, into: &surface,
                    context: context, isValid: problem == nil)
                surface.put(
                    problem ?? "Enter confirms, Esc leaves.", x: 1, y: 2,
                    style: problem == nil
                        ? context.theme[.textDim, on: .popup] : context.theme[.logError, on: .popup]
                )
            }
        case .question(let question):
            ask(question, room: room, into: &surface, context: context)
        }
    }

    // MARK: Parts

    private static func window(
        _ title: String, _ rect: Rect, into surface: inout Surface, context: DrawContext,
        _ body: (inout Surface) -> Void
    ) {
        let style = context.theme[.text, on: .popup]
        surface.fill(rect, style: context.theme[.popup, on: .popup])
        surface.box(
            rect, border: context.isASCII ? .ascii : .rounded,
            style: context.theme[.borderFocus, on: .popup], title: title,
            titleStyle: context.theme[.title, on: .popup])
        _ = style
        context.notes.add(rect, .popup)
        surface.drawing(in: rect.inset()) { body(&$0) }
    }

    private static func filter(
        _ list: FilteredList, into surface: inout Surface, context: DrawContext, prompt: String
    ) {
        let width = surface.bounds.width
        surface.put(
            context.symbol("›", ">"), x: 1, y: 0, style: context.theme[.key, on: .popup])
        if list.entry.text.isEmpty {
            surface.put(
                CharacterWidth.truncate(prompt, to: max(0, width - 4)), x: 4, y: 0,
                style: context.theme[.textDim, on: .popup])
        }
        let before = Array(list.entry.text).prefix(list.entry.cursor)
        if !list.entry.text.isEmpty {
            surface.put(
                CharacterWidth.truncate(list.entry.text, to: max(0, width - 4)), x: 3, y: 0,
                style: context.theme[.text, on: .popup])
        }
        let column = 3 + before.reduce(0) { $0 + CharacterWidth.of($1) }
        if column < width {
            surface.restyle(Rect(x: column, y: 0, width: 1, height: 1)) { _ in
                context.theme[.cursor]
            }
            context.cursor(x: column, y: 0, on: surface, isVisible: true)
        }
        surface.horizontalRule(
            x: 0, y: 1, width: width, border: context.isASCII ? .ascii : .single,
            style: context.theme[.border, on: .popup])
    }

    private static func rows(
        _ count: Int, list: FilteredList, into surface: inout Surface, context: DrawContext,
        _ drawRow: (inout Surface, Int, Int, Style) -> Void
    ) {
        let size = surface.bounds
        let shown = size.height - 2
        guard shown > 0 else { return }
        guard count > 0 else {
            surface.put("Nothing fits.", x: 1, y: 2, style: context.theme[.textDim, on: .popup])
            return
        }
        let selected = max(0, min(count - 1, list.selected))
        let first = max(0, min(count - shown, selected - shown / 2))
        for row in 0..<min(shown, count - first) {
            let index = first + row
            let isSelected = index == selected
            let style =
                isSelected
                ? context.theme[.menuSelected, on: .popup] : context.theme[.text, on: .popup]
            if isSelected {
                surface.fill(
                    Rect(x: 0, y: row + 2, width: size.width, height: 1), style: style)
            }
            drawRow(&surface, index, row + 2, style)
            context.click(
                Rect(x: 0, y: row + 2, width: size.width, height: 1), on: surface,
                [.overlay(.choose(index))])
        }
        context.scrollbar(
            first: first, shown: shown, total: count, x: size.width - 1, y: 2, height: shown,
            on: &surface)
    }

    private static func menu(
        _ pane: PaneID, at point: Point, selected: Int, into surface: inout Surface,
        context: DrawContext
    ) {
        let commands = Command.menu(of: pane)
        let screen = surface.bounds
        let width = min(screen.width, 44)
        let height = min(screen.height - 1, commands.count + 2)
        let rect = Rect(
            x: max(0, min(point.x, screen.width - width)),
            y: max(0, min(point.y, screen.height - 1 - height)), width: width, height: height)
        window(pane.title, rect, into: &surface, context: context) { surface in
            let shown = surface.bounds.height
            let first = max(0, min(commands.count - shown, selected - shown / 2))
            for row in 0..<min(shown, commands.count - first) {
                let command = commands[first + row]
                let isSelected = first + row == selected
                let style =
                    isSelected
                    ? context.theme[.menuSelected, on: .popup] : context.theme[.text, on: .popup]
                if isSelected {
                    surface.fill(
                        Rect(x: 0, y: row, width: surface.bounds.width, height: 1), style: style)
                    context.cursor(x: 0, y: row, on: surface)
                }
                let key = context.bindings.firstKey(for: command, in: pane)?.label ?? ""
                surface.put(
                    CharacterWidth.truncate(
                        command.title, to: max(0, surface.bounds.width - 10)), x: 1, y: row,
                    style: style)
                surface.put(
                    key, x: surface.bounds.width - CharacterWidth.of(key) - 1, y: row,
                    style: context.theme[.key, on: .popup].background(style.background))
                context.click(
                    Rect(x: 0, y: row, width: surface.bounds.width, height: 1), on: surface,
                    [.overlay(.choose(first + row))])
            }
        }
    }

    private static func ask(
        _ question: Question, room: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let width = min(room.width, 54)
        let lines = context.wrapped(question.text, width: width - 4)
        let rect = room.centered(width: width, height: lines.count + 5)
        window(question.title, rect, into: &surface, context: context) { surface in
            for (i, line) in lines.enumerated() {
                surface.put(line, x: 1, y: i, style: context.theme[.text, on: .popup])
            }
            var x = 1
            let y = surface.bounds.height - 1
            for (i, answer) in question.answers.enumerated() {
                let label = "  \(answer)  "
                let isSelected = i == question.selected
                surface.put(
                    label, x: x, y: y,
                    style: isSelected
                        ? context.theme[.menuSelected, on: .popup]
                        : context.theme[.text, on: .popup])
                // Its key is its first letter.
                surface.restyle(Rect(x: x + 2, y: y, width: 1, height: 1)) {
                    $0.adding(.underlined)
                }
                if isSelected { context.cursor(x: x + 2, y: y, on: surface) }
                context.click(
                    Rect(x: x, y: y, width: label.count, height: 1), on: surface,
                    [.overlay(.choose(i))])
                x += label.count + 2
            }
        }
    }
}
