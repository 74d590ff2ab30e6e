// A menu of actions at a place of the screen. SPDX-License-Identifier: Apache-2.0

/// Actions with their keys, opened at a point.
nonisolated public struct Menu: Sendable, Equatable {
    public struct Item: Sendable, Equatable {
        public var title: String
        public var keys: String

        public init(_ title: String, keys: String = "") {
            self.title = title
            self.keys = keys
        }
    }

    public var title: String
    public var items: [Item]
    public var selected: Int

    public init(title: String = "", items: [Item], selected: Int = 0) {
        self.title = title
        self.items = items
        self.selected = selected
    }

    /// The rectangle covered: right below the point, moved so that it stays in the area.
    public func frame(at point: Point, in area: Rect) -> Rect {
        let widest =
            items.map { CharacterWidth.of($0.title) + CharacterWidth.of($0.keys) + 3 }.max() ?? 0
        let width = min(area.width, max(widest + 4, CharacterWidth.of(title) + 8))
        let height = min(area.height, items.count + 2)
        return Rect(
            x: max(area.x, min(point.x, area.maxX - width)),
            y: max(area.y, min(point.y + 1, area.maxY - height)), width: width, height: height)
    }

    /// Draws the menu; returns where the real cursor belongs.
    @discardableResult
    public func draw(
        into surface: inout Surface, at point: Point, area: Rect, theme: Theme,
        border: BorderSet = .rounded
    ) -> Point? {
        let frame = frame(at: point, in: area)
        let inside = Popup.draw(
            into: &surface, rect: frame, title: title, theme: theme, border: border, style: .menu)
        let first = firstItem(height: inside.height)
        for line in 0..<min(inside.height, items.count - first) {
            let item = items[first + line]
            let y = inside.y + line
            let isSelected = first + line == selected
            let style = theme[isSelected ? .menuSelected : .menu]
            surface.fill(
                Rect(x: frame.x + 1, y: y, width: frame.width - 2, height: 1), style: style)
            let keys = CharacterWidth.of(item.keys)
            surface.put(
                item.title, x: inside.x, y: y, width: max(0, inside.width - keys - 1), style: style)
            surface.put(
                item.keys, x: inside.maxX - keys, y: y,
                style: isSelected ? style : theme[.key, on: .menu])
        }
        return Point(x: inside.x, y: inside.y + selected - first)
    }

    /// The item under a point.
    public func item(at point: Point, opened: Point, in area: Rect) -> Int? {
        let frame = frame(at: opened, in: area)
        guard frame.inset(1, 1).contains(point) else { return nil }
        let index = firstItem(height: frame.height - 2) + point.y - frame.y - 1
        return items.indices.contains(index) ? index : nil
    }

    private func firstItem(height: Int) -> Int {
        max(0, min(items.count - height, selected - height + 1))
    }
}
