// Popups: help, palette, pickers, menus, prompts and questions, made of the widgets.
// SPDX-License-Identifier: Apache-2.0
import Core

enum OverlayDrawing {
    static func draw(_ overlay: Overlay, into surface: inout Surface, context: DrawContext) {
        let screen = surface.bounds
        // The last row stays: hints and notices are read while a popup is open.
        let area = Rect(x: 0, y: 0, width: screen.width, height: screen.height - 1)
        guard area.width >= 8, area.height >= 3 else { return }
        context.notes.add(screen, .shade)
        switch overlay {
        case .help(let pane, let list):
            panel(
                "Help: \(pane.title)", list, help(overlay, context), in: area, into: &surface,
                context: context)
        case .palette(let list):
            panel(
                "Commands", list, commands(overlay, context), in: area, into: &surface,
                context: context)
        case .themes(let list, _):
            // At the right, so that the panes show what the theme does.
            let width = min(40, area.width)
            panel(
                "Theme", list, context.state.themeNames(overlay).map { FilterPanel.Line($0) },
                in: Rect(x: area.width - width, y: 0, width: width, height: area.height),
                into: &surface, context: context, lineCount: context.state.themes.count)
        case .classes(let list):
            panel(
                "Class", list, classes(overlay, context), in: area, into: &surface,
                context: context)
        case .history(let list):
            panel(
                "History", list, history(overlay, context), in: area, into: &surface,
                context: context,
                lineCount: context.state.undo.undo.count + context.state.undo.redo.count + 3)
        case .symmetry(let picker, let list):
            let lines = context.state.symmetryChoices(picker, query: list.entry.text)
            panel(
                picker.title, list,
                lines.map { FilterPanel.Line($0.title, detail: $0.name) }, in: area,
                into: &surface, context: context)
        case .columns(let columns):
            ColumnsDrawing.draw(columns, in: area, into: &surface, context: context)
        case .menu(let pane, let point, let selected):
            menu(pane, at: point, selected, in: area, into: &surface, context: context)
        case .prompt(let kind, let entry, let problem):
            dialog(
                Dialog(
                    title: kind.title, answers: [],
                    field: TextField(entry.text, cursor: entry.cursor, hasError: problem != nil),
                    problem: problem ?? nil), in: area, into: &surface, context: context,
                hint: "Enter: \(kind.verb)  Esc: back")
        case .question(let question):
            dialog(
                Dialog(
                    title: question.title, text: question.text, answers: question.answers,
                    selected: question.selected), in: area, into: &surface, context: context)
        }
    }

    // MARK: Lines

    private static func help(_ overlay: Overlay, _ context: DrawContext) -> [FilterPanel.Line] {
        let lines = context.state.helpLines(overlay)
        return lines.enumerated().map { index, line in
            let isFirst = index == 0 || lines[index - 1].isGlobal != line.isGlobal
            return FilterPanel.Line(
                line.title, detail: line.keys,
                heading: isFirst ? (line.isGlobal ? "Everywhere" : "In this pane") : nil)
        }
    }

    private static func commands(
        _ overlay: Overlay, _ context: DrawContext
    ) -> [FilterPanel.Line] {
        let focus = context.state.layout.focus
        return context.state.paletteCommands(overlay).map {
            FilterPanel.Line(
                $0.title, detail: context.bindings.firstKey(for: $0, in: focus)?.label ?? "")
        }
    }

    private static func classes(
        _ overlay: Overlay, _ context: DrawContext
    ) -> [FilterPanel.Line] {
        context.state.classLabels(overlay).map { label in
            let name = context.state.model?.className(label) ?? ""
            let number = label.map(String.init) ?? ""
            return FilterPanel.Line(name, detail: number == name ? "" : number)
        }
    }

    private static func history(
        _ overlay: Overlay, _ context: DrawContext
    ) -> [FilterPanel.Line] {
        let now = context.state.undo.undo.count
        let lines = context.state.historyLines(overlay)
        return lines.enumerated().map { index, line in
            let mark = line.place == now ? context.symbol("● ", "* ") : "  "
            let isFirstUndone = !line.isDone && (index == 0 || lines[index - 1].isDone)
            return FilterPanel.Line(
                mark + line.title, detail: line.detail,
                heading: isFirstUndone ? "Undone" : nil)
        }
    }

    // MARK: Widgets

    private static func panel(
        _ title: String, _ list: FilteredList, _ lines: [FilterPanel.Line], in area: Rect,
        into surface: inout Surface, context: DrawContext, lineCount: Int? = nil
    ) {
        var panel = FilterPanel(
            title: title,
            query: TextField(
                list.entry.text, cursor: list.entry.cursor, placeholder: "type to search"),
            lines: lines, selected: max(0, min(lines.count - 1, list.selected)))
        panel.lineCount = lineCount
        let cursor = panel.draw(
            into: &surface, area: area, theme: context.theme, border: context.popupBorder)
        context.notes.add(panel.frame(in: area), .panel(panel, area))
        if let cursor { context.cursor(x: cursor.x, y: cursor.y, on: surface, isVisible: true) }
    }

    private static func menu(
        _ pane: PaneID, at point: Point, _ selected: Int, in area: Rect,
        into surface: inout Surface, context: DrawContext
    ) {
        let items = Command.menu(of: pane, context.bindings).map {
            Menu.Item($0.title, keys: context.bindings.firstKey(for: $0, in: pane)?.label ?? "")
        }
        let menu = Menu(title: pane.title, items: items, selected: selected)
        let cursor = menu.draw(
            into: &surface, at: point, area: area, theme: context.theme,
            border: context.popupBorder)
        context.notes.add(menu.frame(at: point, in: area), .menu(menu, point, area))
        if let cursor { context.cursor(x: cursor.x, y: cursor.y, on: surface) }
    }

    private static func dialog(
        _ dialog: Dialog, in area: Rect, into surface: inout Surface, context: DrawContext,
        hint: String = ""
    ) {
        let cursor = dialog.draw(
            into: &surface, area: area, theme: context.theme, border: context.popupBorder)
        let frame = dialog.frame(in: area)
        let width = CharacterWidth.of(hint) + 2
        if !hint.isEmpty, width + 4 <= frame.width {
            surface.put(
                " \(hint) ", x: frame.maxX - width - 2, y: frame.maxY - 1,
                style: context.theme[.key, on: .popup])
        }
        context.notes.add(dialog.frame(in: area), .dialog(dialog, area))
        if let cursor {
            context.cursor(
                x: cursor.x, y: cursor.y, on: surface, isVisible: dialog.field != nil)
        }
    }
}
