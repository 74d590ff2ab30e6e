// A list narrowed by typing: the shape of the command palette, the help and the pickers.
// SPDX-License-Identifier: Apache-2.0

/// A popup with a line to type into and the lines that fit.
nonisolated public struct FilterPanel: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        public var text: String
        /// Keys or a remark, at the right end.
        public var detail: String
        /// Starts a group with this heading.
        public var heading: String?

        public init(_ text: String, detail: String = "", heading: String? = nil) {
            self.text = text
            self.detail = detail
            self.heading = heading
        }
    }

    public var title: String
    public var query: TextField
    public var lines: [Line]
    public var selected: Int
    /// Shown when nothing fits.
    public var emptyText: String
    /// Lines that there are before anything is typed; a short list makes a low panel.
    public var lineCount: Int?

    public init(
        title: String, query: TextField, lines: [Line], selected: Int,
        emptyText: String = "Nothing fits; Esc closes."
    ) {
        self.title = title
        self.query = query
        self.lines = lines
        self.selected = selected
        self.emptyText = emptyText
    }

    /// Lines with headings between them; the index of the line, or nil for a heading.
    private var entries: [(index: Int?, text: String)] {
        lines.enumerated().flatMap { i, line -> [(Int?, String)] in
            // A blank line parts groups.
            let gap: [(Int?, String)] = i > 0 ? [(nil, "")] : []
            return (line.heading.map { gap + [(nil, $0)] } ?? []) + [(i, line.text)]
        }
    }

    /// The rectangle covered, in the upper part of the area as palettes are used to be.
    public func frame(in area: Rect) -> Rect {
        let width = min(area.width, max(40, min(76, area.width * 2 / 3)))
        // As high as the whole list or the area allows, so that it does not jump while typing.
        let most = min(area.height, max(8, area.height * 3 / 4))
        let height = min(most, max(8, (lineCount ?? most) + 4))
        let frame = area.centered(width: width, height: most)
        return Rect(x: frame.x, y: frame.y, width: frame.width, height: height)
    }

    private func listRect(_ frame: Rect) -> Rect {
        let inside = frame.inset(2, 1)
        return Rect(x: inside.x, y: inside.y + 2, width: inside.width, height: inside.height - 2)
    }

    private func firstEntry(height: Int) -> Int {
        let entries = entries
        let place = entries.firstIndex { $0.index == selected } ?? 0
        return max(0, min(entries.count - height, place - height / 2))
    }

    /// Draws the panel; returns where the real cursor belongs.
    @discardableResult
    public func draw(
        into surface: inout Surface, area: Rect, theme: Theme, border: BorderSet = .rounded
    ) -> Point? {
        let frame = frame(in: area)
        let inside = Popup.draw(
            into: &surface, rect: frame, title: title, theme: theme, border: border)
        guard !inside.isEmpty else { return nil }
        surface.put(
            border == .ascii ? ">" : "›", x: inside.x, y: inside.y, style: theme[.key, on: .popup])
        let cursor = query.draw(
            into: &surface,
            rect: Rect(x: inside.x + 2, y: inside.y, width: inside.width - 2, height: 1),
            theme: theme, isFocused: true, on: .popup)
        let list = listRect(frame)
        guard !list.isEmpty else { return cursor }
        if lines.isEmpty {
            surface.put(
                emptyText, x: list.x, y: list.y, width: list.width, style: theme[.hint, on: .popup])
            return cursor
        }
        let entries = entries
        let first = firstEntry(height: list.height)
        for row in 0..<min(list.height, entries.count - first) {
            let entry = entries[first + row]
            let y = list.y + row
            guard let index = entry.index else {
                surface.put(
                    entry.text, x: list.x, y: y, width: list.width, style: theme[.title, on: .popup]
                )
                continue
            }
            let isSelected = index == selected
            let style = isSelected ? theme[.menuSelected] : theme[.help, on: .popup]
            surface.fill(Rect(x: list.x - 1, y: y, width: list.width + 1, height: 1), style: style)
            let detail = lines[index].detail
            let width = min(CharacterWidth.of(detail), max(0, list.width - 8))
            surface.put(
                entry.text, x: list.x, y: y, width: max(0, list.width - width - 2), style: style)
            surface.put(
                detail, x: list.maxX - width - 1, y: y, width: width, alignment: .trailing,
                style: isSelected ? style : theme[.key, on: .popup])
        }
        surface.scrollBar(
            x: frame.maxX - 2, y: list.y, height: list.height, offset: first, count: entries.count,
            theme: theme, on: .popup, usesASCII: border == .ascii)
        return cursor
    }

    /// The line under a point.
    public func line(at point: Point, area: Rect) -> Int? {
        let list = listRect(frame(in: area))
        guard list.contains(point) else { return nil }
        let entries = entries
        let place = firstEntry(height: list.height) + point.y - list.y
        return entries.indices.contains(place) ? entries[place].index : nil
    }
}
