// Curves in braille dots, bars and sparklines in eighths of a cell.
// SPDX-License-Identifier: Apache-2.0

/// One or more lines over a common x, drawn with 2×4 dots a cell.
nonisolated public struct LinePlot: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        public var name: String
        /// Values at x = 0, 1, 2, …; values that are not finite leave a gap.
        public var values: [Double]

        public init(_ name: String, _ values: [Double]) {
            self.name = name
            self.values = values
        }
    }

    public var lines: [Line]
    /// The values at the bottom and at the top; nil takes those of the lines.
    public var range: ClosedRange<Double>?
    /// The x whose values are marked and shown as numbers.
    public var cursor: Int?

    public init(_ lines: [Line], range: ClosedRange<Double>? = nil, cursor: Int? = nil) {
        self.lines = lines
        self.range = range
        self.cursor = cursor
    }

    /// The values at the bottom and at the top of the plot.
    public var bounds: ClosedRange<Double> {
        if let range { return range }
        let finite = lines.flatMap(\.values).filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return 0...1 }
        return low < high ? low...high : (low - 0.5)...(low + 0.5)
    }

    private static let labelWidth = 8

    /// Draws an axis with its bounds, the lines, and a legend in the last row.
    public func draw(into surface: inout Surface, rect: Rect, theme: Theme) {
        guard rect.width > LinePlot.labelWidth + 2, rect.height >= 3 else { return }
        let plot = Rect(
            x: rect.x + LinePlot.labelWidth + 1, y: rect.y,
            width: rect.width - LinePlot.labelWidth - 1, height: rect.height - 1)
        let bounds = bounds
        drawAxis(into: &surface, rect: rect, plot: plot, bounds: bounds, theme: theme)
        let count = lines.map(\.values.count).max() ?? 0
        if let cursor, count > 1, cursor >= 0, cursor < count {
            let x = plot.x + cursor * (plot.width - 1) / (count - 1)
            surface.verticalRule(
                x: x, y: plot.y, height: plot.height, style: theme[.plotMarker])
        }
        for (i, line) in lines.enumerated() {
            drawLine(
                line, count: count, into: &surface, plot: plot, bounds: bounds,
                style: theme[.plotLine(i)])
        }
        drawLegend(into: &surface, plot: plot, y: rect.maxY - 1, theme: theme)
    }

    private func drawAxis(
        into surface: inout Surface, rect: Rect, plot: Rect, bounds: ClosedRange<Double>,
        theme: Theme
    ) {
        let style = theme[.plotAxis]
        surface.verticalRule(x: plot.x - 1, y: plot.y, height: plot.height, style: style)
        for (value, y) in [(bounds.upperBound, plot.y), (bounds.lowerBound, plot.maxY - 1)] {
            surface.put(
                LinePlot.label(value), x: rect.x, y: y, width: LinePlot.labelWidth - 1,
                alignment: .trailing, style: style)
        }
    }

    private func drawLine(
        _ line: Line, count: Int, into surface: inout Surface, plot: Rect,
        bounds: ClosedRange<Double>, style: Style
    ) {
        let (width, height) = (2 * plot.width, 4 * plot.height)
        var dots = BrailleDots(columns: plot.width, rows: plot.height)
        let extent = bounds.upperBound - bounds.lowerBound
        var last: (x: Int, y: Int)?
        for (i, value) in line.values.enumerated() {
            guard value.isFinite, extent > 0 else {
                last = nil
                continue
            }
            let share = max(0, min(1, (value - bounds.lowerBound) / extent))
            let x = count > 1 ? i * (width - 1) / (count - 1) : width / 2
            let y = Int(((1 - share) * Double(height - 1)).rounded())
            if let last { dots.line(from: last, to: (x, y)) } else { dots.set(x, y) }
            last = (x, y)
        }
        for row in 0..<plot.height {
            for column in 0..<plot.width {
                guard let character = dots.character(column, row) else { continue }
                surface.put(character, x: plot.x + column, y: plot.y + row, style: style)
            }
        }
    }

    private func drawLegend(into surface: inout Surface, plot: Rect, y: Int, theme: Theme) {
        surface.drawing(in: Rect(x: plot.x, y: y, width: plot.width, height: 1)) { surface in
            var x = 0
            for (i, line) in lines.enumerated() {
                x = surface.put("⠒⠒ ", x: x, y: 0, style: theme[.plotLine(i)])
                var text = line.name
                if let cursor, line.values.indices.contains(cursor) {
                    text += " " + LinePlot.label(line.values[cursor])
                }
                x = surface.put(text + "  ", x: x, y: 0, style: theme[.text])
            }
            if let cursor { surface.put("at \(cursor)", x: x, y: 0, style: theme[.plotMarker]) }
        }
    }

    /// Four significant digits.
    static func label(_ value: Double) -> String {
        let size = abs(value)
        if !value.isFinite || size != 0 && (size < 0.001 || size >= 100_000) {
            return formatExponent(value)
        }
        return formatDecimal(
            value, decimals: size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3)
    }

    private static func formatExponent(_ value: Double) -> String {
        guard value.isFinite else { return formatDecimal(value, decimals: 0) }
        var exponent = 0
        var mantissa = value
        while abs(mantissa) >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while abs(mantissa) < 1 {
            mantissa *= 10
            exponent -= 1
        }
        return formatDecimal(mantissa, decimals: 1) + "e\(exponent)"
    }
}

/// A grid of braille dots, 2×4 a cell.
nonisolated struct BrailleDots: Sendable, Equatable {
    let columns: Int
    let rows: Int
    private var cells: [UInt8]

    init(columns: Int, rows: Int) {
        self.columns = max(0, columns)
        self.rows = max(0, rows)
        cells = [UInt8](repeating: 0, count: self.columns * self.rows)
    }

    /// Bits of the dots of a cell, by row and column (Unicode 2800).
    private static let bits: [[UInt8]] = [
        [0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80],
    ]

    mutating func set(_ x: Int, _ y: Int) {
        guard x >= 0, y >= 0, x < 2 * columns, y < 4 * rows else { return }
        cells[y / 4 * columns + x / 2] |= BrailleDots.bits[y % 4][x % 2]
    }

    /// Bresenham's line.
    mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int)) {
        let dx = abs(b.x - a.x)
        let dy = -abs(b.y - a.y)
        let stepX = a.x < b.x ? 1 : -1
        let stepY = a.y < b.y ? 1 : -1
        var (x, y) = a
        var error = dx + dy
        while true {
            set(x, y)
            if (x, y) == b { return }
            let doubled = 2 * error
            if doubled >= dy {
                error += dy
                x += stepX
            }
            if doubled <= dx {
                error += dx
                y += stepY
            }
        }
    }

    /// The character of a cell; nil if it has no dots.
    func character(_ column: Int, _ row: Int) -> Character? {
        let bits = cells[row * columns + column]
        guard bits != 0, let scalar = Unicode.Scalar(0x2800 + UInt32(bits)) else { return nil }
        return Character(scalar)
    }
}

/// A row of bars, one a value, as high as a cell: `▁▃▆█▂`.
nonisolated public enum Sparkline {
    private static let levels: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// The newest values that fit, scaled to their largest (or to `top`); gaps for what is not finite.
    public static func text(_ values: [Double], width: Int, top: Double? = nil) -> String {
        let shown = values.suffix(max(0, width))
        let highest = top ?? shown.filter(\.isFinite).max() ?? 0
        return String(
            shown.map { value -> Character in
                guard value.isFinite, highest > 0 else { return value.isFinite ? levels[0] : " " }
                let level = Int((max(0, min(1, value / highest)) * 7).rounded())
                return levels[level]
            })
    }
}
