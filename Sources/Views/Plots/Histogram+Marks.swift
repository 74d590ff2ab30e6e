// Curves, marks and ticks over a histogram. SPDX-License-Identifier: Apache-2.0

nonisolated extension Histogram {
    /// The screen columns of each bin when drawn in a rectangle.
    func columns(in rect: Rect) -> [Range<Int>] {
        let margin = labelWidth + 1
        let width = rect.width - margin
        guard !counts.isEmpty, width > 1 else { return [] }
        let perColumn = (counts.count + width - 1) / width
        let columns = (counts.count + perColumn - 1) / perColumn
        let barWidth = max(1, width / columns)
        return counts.indices.map {
            let left = rect.x + margin + $0 / perColumn * barWidth
            return left..<(left + barWidth)
        }
    }

    /// The column of the plot that an x stands in; nil outside of the edges.
    private func column(_ x: Double, plot: Rect) -> Int? {
        guard let low = edges.first, let high = edges.last, high > low, x >= low, x <= high,
            plot.width > 0
        else { return nil }
        return plot.x + min(plot.width - 1, Int((x - low) / (high - low) * Double(plot.width)))
    }

    /// An upright axis with round counts, at rows of their own.
    func drawCounts(
        upTo top: Double, into surface: inout Surface, plot: Rect, left: Int, theme: Theme,
        usesASCII: Bool
    ) {
        let style = theme[.plotAxis]
        surface.verticalRule(
            x: plot.x - 1, y: plot.y, height: plot.height, border: usesASCII ? .ascii : .single,
            style: style)
        func put(_ value: Double, row: Int) {
            surface.put(
                PlotAxis.plainLabel(value), x: left, y: plot.y + row, width: plot.x - 2 - left,
                alignment: .trailing, style: style)
        }
        put(0, row: plot.height - 1)
        guard top > 0, plot.height >= 3 else { return }
        if isLogarithmic {
            put(top, row: 0)
            return
        }
        // The finest of 1, 2, 5 × 10ⁿ that leaves two rows between numbers.
        var step = top >= 10 ? 1.0 : top / 10
        if top < 10, top >= 1 { step = 1 }
        let factors = [2.0, 2.5, 2.0]
        var i = 0
        while step * Double(plot.height - 1) / top < 2 {
            step *= factors[i % 3]
            i += 1
        }
        var value = step
        while value <= top {
            let row = Int(((1 - value / top) * Double(plot.height - 1)).rounded())
            if row <= plot.height - 2 { put(value, row: row) }
            value += step
        }
    }

    /// Dotted lines where nothing stands yet, so that bars stay whole; an arrow on top.
    func drawMarks(into surface: inout Surface, plot: Rect, theme: Theme, usesASCII: Bool) {
        for mark in marks {
            guard let x = column(mark, plot: plot) else { continue }
            for y in plot.y..<plot.maxY where surface[x, y]?.character == " " {
                surface.put(usesASCII ? ":" : "┊", x: x, y: y, style: theme[.plotMarker])
            }
        }
        if let pointer, let x = column(pointer, plot: plot) {
            surface.put(usesASCII ? "v" : "▼", x: x, y: plot.y, style: theme[.plotMarker])
        }
    }

    /// A line of braille dots; on bars it keeps their colour behind it.
    ///
    /// - Parameter levels: heights of the columns, 0…1.
    func drawCurve(
        _ levels: [Double], into surface: inout Surface, plot: Rect, barWidth: Int, style: Style,
        usesASCII: Bool
    ) {
        guard !levels.isEmpty else { return }
        var dots = BrailleDots(columns: plot.width, rows: plot.height)
        func row(_ level: Double) -> Int {
            Int(((1 - max(0, min(1, level))) * Double(dots.height - 1)).rounded())
        }
        var last: (x: Int, y: Int)?
        for (i, level) in levels.enumerated() {
            // A step of the width of its column: a law of bins, not a line through points.
            let left = (x: 2 * i * barWidth, y: row(level))
            let right = (x: 2 * (i + 1) * barWidth - 1, y: row(level))
            if let last { dots.line(from: last, to: left) }
            dots.line(from: left, to: right)
            last = right
        }
        for y in 0..<plot.height {
            for x in 0..<plot.width {
                guard let character = dots.character(x, y, usesASCII: usesASCII) else { continue }
                let below = surface[plot.x + x, plot.y + y]
                var shown = style
                if let below, below.style.background != .default {
                    // On a curve over a bar: the bar's colour stays.
                    shown = style.background(below.style.background)
                }
                let blocks = usesASCII ? "#" : "▄▅▆▇█"
                if let below, blocks.contains(below.character),
                    below.style.foreground != .default
                {
                    shown = style.background(below.style.foreground)
                }
                surface.put(character, x: plot.x + x, y: plot.y + y, style: shown)
            }
        }
    }

    /// Numbers below the axis: at the ticks as far as they have room, else at both ends.
    func drawTicks(into surface: inout Surface, plot: Rect, theme: Theme) {
        guard !ticks.isEmpty else {
            PlotAxis([], range: (edges.first ?? 0)...(edges.last ?? 1)).drawHorizontal(
                into: &surface, x: plot.x, y: plot.maxY, width: plot.width, title: xTitle,
                theme: theme)
            return
        }
        var end = plot.x - 1
        for tick in ticks {
            guard let x = column(tick, plot: plot) else { continue }
            let label = PlotAxis.plainLabel(tick) + unit
            let width = CharacterWidth.of(label)
            let left = max(plot.x, min(plot.maxX - width, x - (width - 1) / 2))
            guard left > end else { continue }
            end = surface.put(label, x: left, y: plot.maxY, style: theme[.plotAxis])
        }
    }
}
