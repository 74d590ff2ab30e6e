// One line of text being typed, scrolled so that the cursor is seen.
// SPDX-License-Identifier: Apache-2.0

/// Draws a line of text with its cursor. Counts in grapheme clusters; the state is its owner's.
nonisolated public struct TextField: Sendable, Equatable {
    public var text: String
    /// Clusters left of the cursor.
    public var cursor: Int
    /// Shown while there is no text.
    public var placeholder: String
    /// Whether the text is not acceptable; then it is shown in the error style.
    public var hasError: Bool

    public init(_ text: String, cursor: Int, placeholder: String = "", hasError: Bool = false) {
        self.text = text
        self.cursor = cursor
        self.placeholder = placeholder
        self.hasError = hasError
    }

    /// The clusters seen: the first one, and their columns.
    private func window(_ width: Int) -> (first: Int, columns: [Int]) {
        let widths = text.map { CharacterWidth.of($0) }
        let cursor = max(0, min(widths.count, cursor))
        // The cursor takes one column behind the last cluster.
        var first = 0
        var before = widths[..<cursor].reduce(0, +)
        while first < cursor, before + 1 > width {
            before -= widths[first]
            first += 1
        }
        return (first, widths)
    }

    /// Draws the field; returns where the cursor stands on the surface, for the real cursor.
    ///
    /// The cell under it has the text's style: terminals draw what their cursor covers in the cell's
    /// own ground, and a cell that looked like a cursor itself would hide its letter.
    @discardableResult
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, isFocused: Bool,
        on background: StyleName = .background
    ) -> Point? {
        guard !rect.isEmpty else { return nil }
        let line = Rect(x: rect.x, y: rect.y, width: rect.width, height: 1)
        let style = theme[hasError ? .logError : .text, on: background].adding(.underlined)
        surface.fill(line, style: style)
        if text.isEmpty, !isFocused || !placeholder.isEmpty {
            surface.put(
                placeholder, x: rect.x, y: rect.y, width: rect.width,
                style: theme[.hint, on: background].adding(.underlined))
        }
        let (first, widths) = window(rect.width)
        let characters = Array(text)
        var x = rect.x
        var place: Point?
        for index in first..<characters.count {
            if index == cursor { place = Point(x: x, y: rect.y) }
            guard x + widths[index] <= rect.maxX else { break }
            surface.put(characters[index], x: x, y: rect.y, style: style)
            x += widths[index]
        }
        if cursor >= characters.count, x < rect.maxX { place = Point(x: x, y: rect.y) }
        return isFocused ? place : nil
    }

    /// The cursor position that a click at a column means.
    public func cursor(at column: Int, rect: Rect) -> Int {
        let (first, widths) = window(rect.width)
        var x = rect.x
        for index in first..<widths.count {
            if column < x + widths[index] { return index }
            x += widths[index]
        }
        return widths.count
    }
}
