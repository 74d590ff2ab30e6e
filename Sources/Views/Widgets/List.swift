// A list of lines with one selected. SPDX-License-Identifier: Apache-2.0

/// A scrolling list: a mark, a text, and a detail at the right end of every line.
nonisolated public struct List: Sendable, Equatable {
    public struct Row: Sendable, Equatable {
        /// One column in front of the text; says by shape what `style` says by colour.
        public var mark: String
        public var text: String
        public var detail: String
        public var style: StyleName

        public init(
            _ text: String, mark: String = "", detail: String = "", style: StyleName = .text
        ) {
            self.text = text
            self.mark = mark
            self.detail = detail
            self.style = style
        }
    }

    public var rows: [Row]
    /// Shown in place of rows when there are none.
    public var emptyText: String

    public init(_ rows: [Row], emptyText: String = "") {
        self.rows = rows
        self.emptyText = emptyText
    }

    /// Draws the rows that the scroll state shows; call `scroll.fit` first.
    public func draw(
        into surface: inout Surface, rect: Rect, scroll: ScrollState, theme: Theme,
        isFocused: Bool, on background: StyleName = .background
    ) {
        guard !rect.isEmpty else { return }
        if rows.isEmpty {
            surface.put(
                emptyText, x: rect.x, y: rect.y, width: rect.width,
                style: theme[.textDim, on: background])
            return
        }
        let hasBar = rows.count > rect.height
        let width = rect.width - (hasBar ? 1 : 0)
        let markWidth = rows.contains { !$0.mark.isEmpty } ? 2 : 0
        for line in 0..<min(rect.height, rows.count - scroll.offset) {
            let index = scroll.offset + line
            let row = rows[index]
            let isSelected = index == scroll.selected
            let y = rect.y + line
            let base = theme[row.style, on: background]
            let style: Style =
                isSelected
                ? (isFocused ? theme[.selection] : base.adding(.underlined)) : base
            surface.fill(Rect(x: rect.x, y: y, width: width, height: 1), style: style)
            surface.put(row.mark, x: rect.x, y: y, width: min(markWidth, width), style: style)
            let detail = min(CharacterWidth.of(row.detail), max(0, width - markWidth - 4))
            let text = max(0, width - markWidth - (detail > 0 ? detail + 1 : 0))
            surface.put(row.text, x: rect.x + markWidth, y: y, width: text, style: style)
            if detail > 0 {
                let dim = isSelected ? style : theme[.textDim, on: background]
                surface.put(row.detail, x: rect.x + width - detail, y: y, width: detail, style: dim)
            }
        }
        if hasBar {
            surface.scrollBar(
                x: rect.maxX - 1, y: rect.y, height: rect.height, offset: scroll.offset,
                count: rows.count, theme: theme, on: background)
        }
    }

    /// The row under a point, or nil.
    public func row(at point: Point, rect: Rect, scroll: ScrollState) -> Int? {
        guard rect.contains(point) else { return nil }
        let index = scroll.offset + point.y - rect.y
        return rows.indices.contains(index) ? index : nil
    }
}
