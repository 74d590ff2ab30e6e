// Counts of values between edges, as columns. SPDX-License-Identifier: Apache-2.0

/// A histogram with a cursor that reads bin, count and share.
nonisolated public struct Histogram: Sendable, Equatable, PlotData {
    /// Bounds of the bins in rising order, one more than counts.
    public var edges: [Double]
    public var counts: [Double]
    /// Expected counts, marked at their height; empty for none.
    public var expected: [Double]
    /// More expected counts, drawn as lines in the styles of lines 1, 2, …
    public var curves: [[Double]] = []
    /// Values of x that get a number below the axis; empty gives the two ends theirs.
    public var ticks: [Double] = []
    /// What follows a number of x, `°`.
    public var unit = ""
    /// Columns of the counts beside the axis.
    public var labelWidth = PlotAxis.labelWidth
    /// Values of x marked by a dotted upright line.
    public var marks: [Double] = []
    /// The value of x that an arrow on top points at.
    public var pointer: Double?
    /// The selected bin.
    public var cursor: Int?
    /// Whether heights are logarithmic (of 1 + count).
    public var isLogarithmic: Bool
    /// What the values are.
    public var xTitle: String

    /// A histogram of counted bins.
    ///
    /// - Precondition: one edge more than counts, unless there are no counts.
    public init(
        edges: [Double], counts: [Double], expected: [Double] = [], cursor: Int? = nil,
        isLogarithmic: Bool = false, xTitle: String = ""
    ) {
        precondition(counts.isEmpty || edges.count == counts.count + 1, "one edge more than bins")
        self.edges = edges
        self.counts = counts
        self.expected = expected
        self.cursor = cursor
        self.isLogarithmic = isLogarithmic
        self.xTitle = xTitle
    }

    /// Counts values into equal bins; those outside of the range count into none.
    public init(
        of values: [Double], bins: Int, range: ClosedRange<Double>? = nil, cursor: Int? = nil,
        xTitle: String = ""
    ) {
        let axis = PlotAxis(values, range: range)
        let count = max(1, bins)
        var counts = [Double](repeating: 0, count: count)
        for value in values where value >= axis.low && value <= axis.high {
            let place = (value - axis.low) / (axis.high - axis.low)
            counts[min(count - 1, Int(place * Double(count)))] += 1
        }
        self.init(
            edges: (0...count).map { axis.value(at: Double($0) / Double(count)) }, counts: counts,
            cursor: cursor, xTitle: xTitle)
    }

    /// Draws the columns with their numbers, the bounds of x, and the reading below.
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, usesASCII: Bool = false
    ) {
        let margin = labelWidth + 1
        guard !counts.isEmpty, rect.width > margin + 1, rect.height >= 3 else { return }
        let readingRows = cursor != nil && rect.height >= 4 ? 1 : 0
        let room = Rect(
            x: rect.x + margin, y: rect.y, width: rect.width - margin,
            height: rect.height - 1 - readingRows)
        // Neighbours share a column when there are more bins than columns.
        let perColumn = (counts.count + room.width - 1) / room.width
        let columns = (counts.count + perColumn - 1) / perColumn
        let barWidth = max(1, room.width / columns)
        let plot = Rect(x: room.x, y: room.y, width: columns * barWidth, height: room.height)
        func merged(_ values: [Double], _ column: Int) -> Double {
            values[
                min(values.count, column * perColumn)..<min(values.count, (column + 1) * perColumn)
            ]
            .reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
        }
        let heights = (0..<columns).map { merged(counts, $0) }
        let marks = expected.isEmpty ? [] : (0..<columns).map { merged(expected, $0) }
        let top =
            ([heights, marks] + curves.map { curve in (0..<columns).map { merged(curve, $0) } })
            .compactMap { $0.max() }.max() ?? 0
        drawCounts(
            upTo: top, into: &surface, plot: plot, left: rect.x, theme: theme,
            usesASCII: usesASCII)
        for (column, height) in heights.enumerated() {
            let isSelected = cursor.map { $0 / perColumn == column } ?? false
            let style = theme[isSelected ? .plotMarker : .plotBar]
            let eighths = Int((level(height, top: top) * Double(8 * plot.height)).rounded())
            for row in 0..<plot.height {
                let left = eighths - 8 * (plot.height - 1 - row)
                guard let block = Sparkline.block(eighths: left, usesASCII: usesASCII) else {
                    continue
                }
                surface.fill(
                    Rect(
                        x: plot.x + column * barWidth, y: plot.y + row, width: barWidth, height: 1),
                    with: block, style: style)
            }
            if marks.indices.contains(column) {
                let row = Int((1 - level(marks[column], top: top)) * Double(plot.height - 1) + 0.5)
                surface.fill(
                    Rect(
                        x: plot.x + column * barWidth, y: plot.y + row, width: barWidth, height: 1),
                    with: usesASCII ? "-" : "─", style: theme[.plotLine(1)])
            }
        }
        drawMarks(into: &surface, plot: plot, theme: theme, usesASCII: usesASCII)
        for (i, curve) in curves.enumerated() {
            drawCurve(
                (0..<columns).map { level(merged(curve, $0), top: top) }, into: &surface,
                plot: plot, barWidth: barWidth, style: theme[.plotLine(i + 1)],
                usesASCII: usesASCII)
        }
        drawTicks(into: &surface, plot: plot, theme: theme)
        if readingRows > 0, let reading {
            surface.put(
                CharacterWidth.truncate(reading, to: rect.width), x: rect.x, y: rect.maxY - 1,
                style: theme[.plotMarker])
        }
    }

    private func level(_ count: Double, top: Double) -> Double {
        guard top > 0, count > 0 else { return 0 }
        guard isLogarithmic else { return count / top }
        return PlotAxis([], range: 1...(1 + top), isLogarithmic: true).share(of: 1 + count) ?? 0
    }

    public var reading: String? {
        guard let cursor, counts.indices.contains(cursor) else { return nil }
        let total = counts.reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
        let share = total > 0 ? formatDecimal(100 * counts[cursor] / total, decimals: 1) : "0.0"
        return "bin \(cursor + 1)/\(counts.count): \(PlotAxis.plainLabel(edges[cursor]))\(unit) to "
            + "\(PlotAxis.plainLabel(edges[cursor + 1]))\(unit), "
            + "\(PlotAxis.plainLabel(counts[cursor])), "
            + "\(share) %"
    }

    public var table: PlotTable {
        PlotTable(
            columns: ["from", "to", "count"] + (expected.isEmpty ? [] : ["expected"]),
            rows: counts.indices.map { i in
                [.number(edges[i]), .number(edges[i + 1]), .number(counts[i])]
                    + (expected.indices.contains(i) ? [.number(expected[i])] : [])
            })
    }
}
