// Which line of a list is selected and which is the first one seen.
// SPDX-License-Identifier: Apache-2.0

/// Selection and scrolling of anything made of lines.
nonisolated public struct ScrollState: Sendable, Hashable {
    public private(set) var selected: Int
    public private(set) var offset: Int

    public init(selected: Int = 0, offset: Int = 0) {
        self.selected = max(0, selected)
        self.offset = max(0, offset)
    }

    /// Keeps the selection inside of the list and inside of the window; call before drawing.
    public mutating func fit(count: Int, height: Int) {
        selected = max(0, min(count - 1, selected))
        offset = max(0, min(offset, max(0, count - height)))
        guard height > 0 else { return }
        if selected < offset { offset = selected }
        if selected >= offset + height { offset = selected - height + 1 }
    }

    public mutating func select(_ index: Int, count: Int, height: Int) {
        selected = index
        fit(count: count, height: height)
    }

    /// Moves the window and takes the selection along only as far as needed.
    public mutating func scroll(by lines: Int, count: Int, height: Int) {
        offset = max(0, min(offset + lines, max(0, count - height)))
        selected = max(offset, min(offset + max(1, height) - 1, selected))
        fit(count: count, height: height)
    }

    /// Takes the keys that move in a list; returns whether it was one.
    public mutating func handle(_ key: KeyPress, count: Int, height: Int) -> Bool {
        let target: Int
        switch (key.code, key.modifiers) {
        case (.up, []), (.character("k"), []): target = selected - 1
        case (.down, []), (.character("j"), []): target = selected + 1
        case (.pageUp, []): target = selected - max(1, height - 1)
        case (.pageDown, []): target = selected + max(1, height - 1)
        case (.home, []), (.character("g"), []): target = 0
        case (.end, []), (.character("G"), []): target = count - 1
        default: return false
        }
        select(target, count: count, height: height)
        return true
    }
}

nonisolated extension Surface {
    /// Draws a scroll bar in a column when not all lines are seen.
    mutating func scrollBar(
        x: Int, y: Int, height: Int, offset: Int, count: Int, theme: Theme,
        on surface: StyleName = .background, usesASCII: Bool = false
    ) {
        guard height > 0, count > height else { return }
        let length = max(1, height * height / count)
        let top = (height - length) * offset / max(1, count - height)
        let style = theme[.scrollbar, on: surface]
        for row in 0..<height {
            let isThumb = row >= top && row < top + length
            let symbol = usesASCII ? (isThumb ? "#" : "|") : (isThumb ? "┃" : "│")
            put(symbol, x: x, y: y + row, style: style)
        }
    }
}
