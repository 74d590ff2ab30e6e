// Curves in braille dots. SPDX-License-Identifier: Apache-2.0

/// One or more lines over a common x, drawn with 2×4 dots a cell.
nonisolated public struct LinePlot: Sendable, Equatable, PlotData {
    public struct Line: Sendable, Equatable {
        public var name: String
        /// Values at x = 0, 1, 2, …, or at `xs`; values that are not finite leave a gap.
        public var values: [Double]
        /// Where the values stand, in rising order; nil stands for 0, 1, 2, …
        public var xs: [Double]?

        public init(_ name: String, _ values: [Double], xs: [Double]? = nil) {
            self.name = name
            self.values = values
            self.xs = xs
        }

        /// The number of points.
        var count: Int { min(values.count, xs?.count ?? values.count) }

        func x(_ index: Int) -> Double { xs?[index] ?? Double(index) }

        /// The point nearest to an x; nil without points.
        func nearest(to x: Double) -> Int? {
            guard count > 0 else { return nil }
            guard let xs else { return max(0, min(count - 1, Int(x.rounded()))) }
            var (low, high) = (0, count - 1)
            while low < high {
                let middle = (low + high) / 2
                if xs[middle] < x { low = middle + 1 } else { high = middle }
            }
            return low > 0 && x - xs[low - 1] <= xs[low] - x ? low - 1 : low
        }
    }

    public var lines: [Line]
    /// The values at the bottom and at the top; nil takes those of the lines.
    public var range: ClosedRange<Double>?
    /// Whether equal heights multiply; values of 0 and below then leave a gap.
    public var isLogarithmic: Bool
    /// The x whose values are marked and shown as numbers.
    public var cursor: Double?
    /// What x is; nil leaves out the numbers below the plot.
    public var xTitle: String?

    public init(
        _ lines: [Line], range: ClosedRange<Double>? = nil, isLogarithmic: Bool = false,
        cursor: Double? = nil, xTitle: String? = nil
    ) {
        self.lines = lines
        self.range = range
        self.isLogarithmic = isLogarithmic
        self.cursor = cursor
        self.xTitle = xTitle
    }

    /// The axis of the values.
    public var yAxis: PlotAxis {
        PlotAxis(lines.lazy.flatMap(\.values), range: range, isLogarithmic: isLogarithmic)
    }

    /// The axis of x.
    public var xAxis: PlotAxis {
        PlotAxis(
            lines.flatMap { line in line.count > 0 ? [line.x(0), line.x(line.count - 1)] : [] })
    }

    /// Draws axes with numbers, the lines, and a legend with the values at the cursor below.
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, usesASCII: Bool = false
    ) {
        let margin = PlotAxis.labelWidth + 1
        guard rect.width > margin + 1, rect.height >= 3 else { return }
        let legend = legendLines(width: rect.width - margin).prefix(rect.height >= 9 ? 3 : 1)
        let axisRows = xTitle != nil && rect.height >= legend.count + 3 ? 1 : 0
        let plot = Rect(
            x: rect.x + margin, y: rect.y, width: rect.width - margin,
            height: rect.height - legend.count - axisRows)
        let (xAxis, yAxis) = (xAxis, yAxis)
        yAxis.drawVertical(
            into: &surface, beside: plot, left: rect.x, theme: theme, usesASCII: usesASCII)
        if axisRows > 0 {
            xAxis.drawHorizontal(
                into: &surface, x: plot.x, y: plot.maxY, width: plot.width, title: xTitle ?? "",
                theme: theme)
        }
        if let cursor, let share = xAxis.share(of: cursor), lines.contains(where: { $0.count > 1 })
        {
            let x = plot.x + Int(share * Double(plot.width - 1) + 1e-9)
            surface.verticalRule(
                x: x, y: plot.y, height: plot.height, border: usesASCII ? .ascii : .single,
                style: theme[.plotMarker])
        }
        // A cell has one colour: lines that share it show their dots together, in that of the first.
        let drawn = lines.map { dots($0, in: plot, xAxis: xAxis, yAxis: yAxis) }
        var all = BrailleDots(columns: plot.width, rows: plot.height)
        for one in drawn { all.formUnion(one) }
        for (i, one) in drawn.enumerated().reversed() {
            all.draw(
                into: &surface, x: plot.x, y: plot.y, style: theme[.plotLine(i)],
                usesASCII: usesASCII, where: one)
        }
        for (row, entries) in legend.enumerated() {
            drawLegend(
                entries, into: &surface, plot: plot, y: rect.maxY - legend.count + row,
                theme: theme, usesASCII: usesASCII)
        }
    }

    private func dots(
        _ line: Line, in plot: Rect, xAxis: PlotAxis, yAxis: PlotAxis
    ) -> BrailleDots {
        var dots = BrailleDots(columns: plot.width, rows: plot.height)
        var last: (x: Int, y: Int)?
        for i in 0..<line.count {
            guard let share = yAxis.share(of: line.values[i]),
                let place = xAxis.share(of: line.x(i))
            else {
                last = nil
                continue
            }
            let x = Int(place * Double(dots.width - 1) + 1e-9)
            let y = Int(((1 - share) * Double(dots.height - 1)).rounded())
            if let last { dots.line(from: last, to: (x, y)) } else { dots.set(x, y) }
            last = (x, y)
        }
        return dots
    }

    // MARK: Legend and numbers

    /// Names with the values at the cursor, in as many rows as they need.
    private func legendLines(width: Int) -> [[(line: Int?, text: String)]] {
        var entries: [(line: Int?, text: String)] = lines.enumerated().map { i, line in
            var text = line.name
            if let cursor, let index = line.nearest(to: cursor) {
                text += " " + PlotAxis.label(line.values[index])
            }
            return (i, text)
        }
        if let cursor { entries.append((nil, "at \(PlotAxis.plainLabel(cursor))")) }
        var rows: [[(line: Int?, text: String)]] = [[]]
        var used = 0
        for entry in entries {
            let needed = CharacterWidth.of(entry.text) + (entry.line == nil ? 0 : 3)
            if used > 0, used + needed > width {
                rows.append([])
                used = 0
            }
            rows[rows.count - 1].append(entry)
            used += needed + 2
        }
        return rows
    }

    private func drawLegend(
        _ entries: [(line: Int?, text: String)], into surface: inout Surface, plot: Rect, y: Int,
        theme: Theme, usesASCII: Bool
    ) {
        surface.drawing(in: Rect(x: plot.x, y: y, width: plot.width, height: 1)) { surface in
            var x = 0
            for entry in entries {
                guard let line = entry.line else {
                    surface.put(entry.text, x: x, y: 0, style: theme[.plotMarker])
                    continue
                }
                x = surface.put(
                    usesASCII ? "-- " : "⠒⠒ ", x: x, y: 0, style: theme[.plotLine(line)])
                x = surface.put(entry.text + "  ", x: x, y: 0, style: theme[.text])
            }
        }
    }

    public var reading: String? {
        guard let cursor else { return nil }
        let values = lines.compactMap { line in
            line.nearest(to: cursor).map { "\(line.name) \(PlotAxis.label(line.values[$0]))" }
        }
        return (["\(xTitle ?? "x") \(PlotAxis.plainLabel(cursor))"] + values)
            .joined(separator: ", ")
    }

    public var table: PlotTable {
        var places = Set<Double>()
        let columns = lines.map { line in
            var values: [Double: Double] = [:]
            for i in 0..<line.count { values[line.x(i)] = line.values[i] }
            places.formUnion(values.keys)
            return values
        }
        return PlotTable(
            columns: [xTitle ?? "x"] + lines.map(\.name),
            rows: places.sorted().map { x in
                [.number(x)] + columns.map { $0[x].map { .number($0) } ?? .missing }
            })
    }
}
