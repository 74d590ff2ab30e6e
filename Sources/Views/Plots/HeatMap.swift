// A table of values as shades. SPDX-License-Identifier: Apache-2.0

/// Rows of shaded cells with a name each; values that are not finite stay blank.
nonisolated public struct HeatMap: Sendable, Equatable, PlotData {
    public struct Place: Sendable, Equatable {
        public var row: Int
        public var column: Int

        public init(row: Int, column: Int) {
            self.row = row
            self.column = column
        }
    }

    public var rows: [[Double]]
    public var rowNames: [String]
    /// What the columns stand for, in order; empty counts them from 0.
    public var columnValues: [Double]
    /// What the columns are, `step`.
    public var columnTitle: String
    /// The values of the darkest and the brightest shade; nil takes those of the rows.
    public var range: ClosedRange<Double>?
    /// The widest that a cell is drawn.
    public var maximumCellWidth: Int
    public var cursor: Place?

    public init(
        _ rows: [[Double]], rowNames: [String] = [], columnValues: [Double] = [],
        columnTitle: String = "", range: ClosedRange<Double>? = nil, maximumCellWidth: Int = 2,
        cursor: Place? = nil
    ) {
        self.rows = rows
        self.rowNames = rowNames
        self.columnValues = columnValues
        self.columnTitle = columnTitle
        self.range = range
        self.maximumCellWidth = max(1, maximumCellWidth)
        self.cursor = cursor
    }

    private var columnCount: Int { rows.map(\.count).max() ?? 0 }
    /// Shades for terminals without colours.
    private static let shades: [Character] = ["·", "░", "▒", "▓", "█"]
    private static let plainShades: [Character] = [".", ":", "+", "#", "@"]

    /// Draws the rows, the bounds of the columns, and a scale of shades or the reading.
    ///
    /// More columns than fit are averaged with their neighbours; more rows than fit follow the
    /// cursor.
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, usesColor: Bool = true,
        usesASCII: Bool = false
    ) {
        let names = min(rowNames.map { CharacterWidth.of($0) }.max() ?? 0, rect.width / 3)
        let left = rect.x + names + (names > 0 ? 1 : 0)
        let room = rect.maxX - left
        let count = columnCount
        guard count > 0, room >= 2, rect.height >= 1 else { return }
        let footer = rect.height >= 4 ? 2 : 0
        let height = rect.height - footer
        let perCell = (count + room - 1) / room
        let columns = (count + perCell - 1) / perCell
        let cellWidth = max(1, min(maximumCellWidth, room / columns))
        let axis = PlotAxis(rows.lazy.flatMap { $0 }, range: range)
        let first = max(0, min(rows.count - height, (cursor?.row ?? 0) - height / 2))
        for line in 0..<min(height, rows.count - first) {
            let index = first + line
            let y = rect.y + line
            if rowNames.indices.contains(index) {
                surface.put(
                    rowNames[index], x: rect.x, y: y, width: names, alignment: .trailing,
                    style: theme[cursor?.row == index ? .plotMarker : .plotAxis])
            }
            for column in 0..<columns {
                let isSelected = cursor.map {
                    $0.row == index && $0.column / perCell == column
                }
                let (shade, style) = cell(
                    mean(rows[index], from: column * perCell, count: perCell), axis: axis,
                    theme: theme, usesColor: usesColor, usesASCII: usesASCII)
                let place = Rect(
                    x: left + column * cellWidth, y: y, width: cellWidth, height: 1)
                if isSelected == true {
                    surface.fill(place, with: usesASCII ? "X" : "◆", style: theme[.cursor])
                } else {
                    surface.fill(place, with: shade, style: style)
                }
            }
        }
        guard footer > 0 else { return }
        let y = rect.y + min(height, rows.count)
        let places = columnValues.isEmpty ? [0, Double(count - 1)] : columnValues
        PlotAxis.drawEnds(
            (places.first ?? 0, places.last ?? 0), into: &surface, x: left, y: y,
            width: min(room, max(columns * cellWidth, 16)), title: columnTitle, theme: theme)
        if let reading {
            surface.put(
                CharacterWidth.truncate(reading, to: rect.width), x: rect.x, y: y + 1,
                style: theme[.plotMarker])
            return
        }
        var x = surface.put(
            PlotAxis.label(axis.low) + " ", x: left, y: y + 1, style: theme[.plotAxis])
        for i in 0..<10 {
            let (shade, style) = cell(
                axis.value(at: Double(i) / 9), axis: axis, theme: theme, usesColor: usesColor,
                usesASCII: usesASCII)
            x = surface.put(shade, x: x, y: y + 1, style: style)
        }
        surface.put(" " + PlotAxis.label(axis.high), x: x, y: y + 1, style: theme[.plotAxis])
    }

    private func mean(_ row: [Double], from start: Int, count: Int) -> Double {
        let part = row[min(row.count, start)..<min(row.count, start + count)].filter(\.isFinite)
        return part.isEmpty ? .nan : part.reduce(0, +) / Double(part.count)
    }

    private func cell(
        _ value: Double, axis: PlotAxis, theme: Theme, usesColor: Bool, usesASCII: Bool
    ) -> (Character, Style) {
        guard let share = axis.share(of: value) else { return (" ", theme[.text]) }
        if usesColor { return (" ", ColorRamp.style(share)) }
        let shades = usesASCII ? HeatMap.plainShades : HeatMap.shades
        return (shades[min(shades.count - 1, Int(share * Double(shades.count)))], theme[.text])
    }

    private func name(_ row: Int) -> String {
        rowNames.indices.contains(row) ? rowNames[row] : "\(row)"
    }

    private func place(_ column: Int) -> Double {
        columnValues.indices.contains(column) ? columnValues[column] : Double(column)
    }

    public var reading: String? {
        guard let cursor, rows.indices.contains(cursor.row),
            rows[cursor.row].indices.contains(cursor.column)
        else { return nil }
        let value = rows[cursor.row][cursor.column]
        let title = columnTitle.isEmpty ? "column" : columnTitle
        return "\(name(cursor.row)), \(title) \(PlotAxis.plainLabel(place(cursor.column))): "
            + (value.isFinite ? PlotAxis.label(value) : "—")
    }

    public var table: PlotTable {
        PlotTable(
            columns: [columnTitle.isEmpty ? "column" : columnTitle]
                + rows.indices.map(name),
            rows: (0..<columnCount).map { column in
                [.number(place(column))]
                    + rows.map {
                        $0.indices.contains(column) && $0[column].isFinite
                            ? .number($0[column]) : .missing
                    }
            })
    }
}
