// Rows and columns with a header. SPDX-License-Identifier: Apache-2.0

/// A table with a selected cell. Columns are as wide as asked; the rest goes to flexible ones.
nonisolated public struct Table: Sendable, Equatable {
    public struct Column: Sendable, Equatable {
        public var title: String
        /// Columns of the screen; nil takes an equal share of what is left.
        public var width: Int?
        public var alignment: TextAlignment

        public init(_ title: String, width: Int? = nil, alignment: TextAlignment = .leading) {
            self.title = title
            self.width = width
            self.alignment = alignment
        }
    }

    public struct Cell: Sendable, Equatable, ExpressibleByStringLiteral {
        public var text: String
        public var style: StyleName

        public init(_ text: String, style: StyleName = .text) {
            self.text = text
            self.style = style
        }

        public init(stringLiteral value: String) { self.init(value) }
    }

    public var columns: [Column]
    public var rows: [[Cell]]
    /// The column that the cursor is in; nil selects whole rows.
    public var selectedColumn: Int?

    public init(columns: [Column], rows: [[Cell]], selectedColumn: Int? = nil) {
        self.columns = columns
        self.rows = rows
        self.selectedColumn = selectedColumn
    }

    /// Where the columns stand, one blank between them.
    public func columnRanges(width: Int) -> [Range<Int>] {
        let gaps = max(0, columns.count - 1)
        let fixed = columns.reduce(0) { $0 + ($1.width ?? 0) }
        let flexible = columns.count { $0.width == nil }
        var left = max(0, width - gaps - fixed)
        var shares = flexible
        var x = 0
        return columns.map { column in
            var w = column.width ?? 0
            if column.width == nil {
                w = left / max(1, shares)
                left -= w
                shares -= 1
            }
            let start = min(x, width)
            let end = min(width, start + w)
            x = start + w + 1
            return start..<end
        }
    }

    /// Draws the header in the first row and the rows below it.
    public func draw(
        into surface: inout Surface, rect: Rect, scroll: ScrollState, theme: Theme,
        isFocused: Bool
    ) {
        guard !rect.isEmpty else { return }
        let height = rect.height - 1
        let hasBar = rows.count > height
        let width = rect.width - (hasBar ? 1 : 0)
        let ranges = columnRanges(width: width)
        for (column, range) in zip(columns, ranges) {
            surface.put(
                column.title, x: rect.x + range.lowerBound, y: rect.y, width: range.count,
                alignment: column.alignment, style: theme[.textDim])
        }
        guard height > 0 else { return }
        for line in 0..<min(height, max(0, rows.count - scroll.offset)) {
            let index = scroll.offset + line
            let y = rect.y + 1 + line
            let isSelected = index == scroll.selected
            if isSelected, selectedColumn == nil {
                let style = isFocused ? theme[.selection] : theme[.text].adding(.underlined)
                surface.fill(Rect(x: rect.x, y: y, width: width, height: 1), style: style)
            }
            for (i, range) in ranges.enumerated() where i < rows[index].count {
                let cell = rows[index][i]
                var style = theme[cell.style]
                if isSelected, selectedColumn == nil || selectedColumn == i {
                    style =
                        !isFocused
                        ? style.adding(.underlined)
                        : selectedColumn == nil ? theme[.selection] : theme[.cursor]
                }
                surface.put(
                    cell.text, x: rect.x + range.lowerBound, y: y, width: range.count,
                    alignment: columns[i].alignment, style: style)
            }
        }
        if hasBar {
            surface.scrollBar(
                x: rect.maxX - 1, y: rect.y + 1, height: height, offset: scroll.offset,
                count: rows.count, theme: theme)
        }
    }

    /// The row and column under a point; nil beside the rows.
    public func cell(at point: Point, rect: Rect, scroll: ScrollState) -> (row: Int, column: Int)? {
        guard rect.contains(point), point.y > rect.y else { return nil }
        let row = scroll.offset + point.y - rect.y - 1
        guard rows.indices.contains(row) else { return nil }
        let hasBar = rows.count > rect.height - 1
        let ranges = columnRanges(width: rect.width - (hasBar ? 1 : 0))
        let x = point.x - rect.x
        guard let column = ranges.lastIndex(where: { $0.lowerBound <= x }) else { return nil }
        return (row, column)
    }
}
