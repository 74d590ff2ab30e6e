// A question with a few answers, or a text to be typed. SPDX-License-Identifier: Apache-2.0

/// A dialog in the middle of a rectangle.
nonisolated public struct Dialog: Sendable, Equatable {
    public var title: String
    public var text: String
    /// Buttons; the first letter of each is its key.
    public var answers: [String]
    public var selected: Int
    /// A line to type into.
    public var field: TextField?
    /// What is wrong with what was typed.
    public var problem: String?

    public init(
        title: String, text: String = "", answers: [String] = [], selected: Int = 0,
        field: TextField? = nil, problem: String? = nil
    ) {
        self.title = title
        self.text = text
        self.answers = answers
        self.selected = selected
        self.field = field
        self.problem = problem
    }

    /// Where everything stands inside of `area`.
    private struct Layout {
        var frame: Rect
        var inside: Rect
        var lines: [String]
        var field: Rect?
        var problem: Rect?
        var buttons: [Rect]
    }

    private func layout(in area: Rect) -> Layout {
        let buttonsWidth = answers.reduce(0) { $0 + CharacterWidth.of($1) + 6 }
        let widest = text.split(separator: "\n").map { CharacterWidth.of($0) }.max() ?? 0
        let wanted = max(
            CharacterWidth.of(title) + 8, min(60, widest) + 4, buttonsWidth + 4,
            field == nil ? 0 : 64)
        let width = min(area.width, wanted)
        let lines = text.isEmpty ? [] : Popup.wrap(text, width: max(1, width - 4))
        let problems = problem.map { Popup.wrap($0, width: max(1, width - 4)).count } ?? 0
        let rows = [
            lines.count, field == nil ? 0 : 1, problems, answers.isEmpty ? 0 : 1,
        ]
        let gaps = max(0, rows.count { $0 > 0 } - 1)
        let frame = area.centered(width: width, height: rows.reduce(0, +) + gaps + 2)
        let inside = frame.inset(2, 1)
        var y = inside.y + (lines.isEmpty ? 0 : lines.count + 1)
        var fieldRect: Rect?
        if field != nil {
            fieldRect = Rect(x: inside.x, y: y, width: inside.width, height: 1)
            y += 2
        }
        var problemRect: Rect?
        if problems > 0 {
            problemRect = Rect(x: inside.x, y: y, width: inside.width, height: problems)
            y += problems + 1
        }
        var x = inside.x + max(0, inside.width - buttonsWidth + 2) / 2
        let buttons = answers.map { answer -> Rect in
            let rect = Rect(x: x, y: y, width: CharacterWidth.of(answer) + 4, height: 1)
            x = rect.maxX + 2
            return rect
        }
        return Layout(
            frame: frame, inside: inside, lines: lines, field: fieldRect, problem: problemRect,
            buttons: buttons)
    }

    /// Draws the dialog; returns where the real cursor belongs.
    @discardableResult
    public func draw(
        into surface: inout Surface, area: Rect, theme: Theme, border: BorderSet = .rounded
    ) -> Point? {
        let layout = layout(in: area)
        _ = Popup.draw(
            into: &surface, rect: layout.frame, title: title, theme: theme, border: border)
        var cursor: Point?
        surface.drawing(in: layout.frame) { surface in
            let origin = layout.frame
            func local(_ rect: Rect) -> Rect { rect.offset(x: -origin.x, y: -origin.y) }
            for (i, line) in layout.lines.enumerated() where i < layout.inside.height {
                surface.put(
                    line, x: 2, y: 1 + i, width: layout.inside.width, style: theme[.popup])
            }
            if let field, let rect = layout.field {
                cursor = field.draw(
                    into: &surface, rect: local(rect), theme: theme, isFocused: true, on: .popup)
                cursor = cursor.map { Point(x: $0.x + origin.x, y: $0.y + origin.y) }
            }
            if let problem, let rect = layout.problem {
                for (i, line) in Popup.wrap(problem, width: max(1, rect.width)).enumerated() {
                    surface.put(
                        line, x: 2, y: local(rect).y + i, width: rect.width,
                        style: theme[.logError, on: .popup])
                }
            }
            for (i, button) in layout.buttons.enumerated() {
                let isSelected = i == selected
                let style = isSelected ? theme[.menuSelected] : theme[.popup]
                let rect = local(button)
                surface.put(
                    isSelected ? "[ \(answers[i]) ]" : "  \(answers[i])  ", x: rect.x, y: rect.y,
                    style: style)
                if isSelected { cursor = Point(x: button.x + 2, y: button.y) }
                // The key of the answer.
                surface.put(
                    String(answers[i].prefix(1)), x: rect.x + 2, y: rect.y,
                    style: style.adding(.underlined))
            }
        }
        return cursor
    }

    /// The answer under a point.
    public func answer(at point: Point, area: Rect) -> Int? {
        layout(in: area).buttons.firstIndex { $0.contains(point) }
    }

    /// Whether a point lies in the dialog; a click beside it closes.
    public func contains(_ point: Point, area: Rect) -> Bool {
        layout(in: area).frame.contains(point)
    }

    /// The rectangle covered.
    public func frame(in area: Rect) -> Rect { layout(in: area).frame }
}
