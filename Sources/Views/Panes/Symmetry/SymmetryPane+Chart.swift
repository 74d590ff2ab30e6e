// The distribution: bars and rose, small multiples by class, the table, the numbers.
// SPDX-License-Identifier: Apache-2.0
import Core

extension SymmetryPane {
    static func chart(
        _ side: SymmetrySide, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        let size = surface.bounds
        guard size.height >= 3, size.width >= 16 else { return }
        chartTitle(side, into: &surface, context: context)
        let body = Rect(x: 0, y: 1, width: size.width, height: size.height - 1)
        guard let distribution = state.side(side).distribution else {
            surface.put(
                state.side(side).problem == nil ? "computing…" : "no answer", x: 0, y: 2,
                style: context.dim)
            return
        }
        let chart = state.chart(of: distribution, bins: state.bins)
        switch state.view {
        case .table: table(chart, in: body, into: &surface, context: context)
        case .classes: classes(side, in: body, into: &surface, context: context)
        case .rose: rose(chart, side, in: body, into: &surface, context: context)
        case .sphere, .ball:
            space(distribution, chart, side, in: body, into: &surface, context: context)
        case .bars:
            // Where there is room the circular form stands beside the bars.
            let roseWidth = min(2 * body.height + 8, body.width - barsWidth(chart))
            if state.group == .so2, body.height >= 8, roseWidth >= 24 {
                let barsRect = Rect(
                    x: body.x, y: body.y, width: body.width - roseWidth - 1, height: body.height)
                bars(chart, side, in: barsRect, into: &surface, context: context)
                rose(
                    chart, side,
                    in: Rect(
                        x: barsRect.maxX + 1, y: body.y, width: roseWidth, height: body.height),
                    into: &surface, context: context)
            } else {
                bars(chart, side, in: body, into: &surface, context: context)
            }
        }
    }

    private static func chartTitle(
        _ side: SymmetrySide, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        let width = surface.bounds.width
        let isActive = state.isCompared && side == state.active
        var x = 0
        if state.isCompared {
            x = surface.put(
                side.title + " ", x: 0, y: 0,
                style: context.theme[isActive ? .textFocus : .title])
        }
        let answers = state.side(side)
        let distribution = answers.distribution
        var title = SymmetryText.title(distribution?.scope ?? state.scopeInForce, state)
        if state.view == .classes { title = "Every class" }
        var words = [state.isCorrected ? "corrected poses" : "raw poses"]
        if let distribution { words.append("n = \(distribution.inputs.count)") }
        if state.isCompared {
            // What the sides share stands in the first line; what tells them apart stands here.
            title = answers.model?.name ?? state.facts(of: side)?.modelName ?? ""
            words =
                [SymmetryText.short(answers.settings.mean), "k \(answers.settings.neighbours)"]
                + [SymmetryText.short(answers.settings.estimator)] + words
        }
        x = surface.put(
            CharacterWidth.truncate(title, to: max(0, width - x)), x: x, y: 0,
            style: context.theme[isActive ? .textFocus : .title])
        if width - x > 4 {
            surface.put(
                "  " + SymmetryText.joined(words, width: width - x - 2), x: x, y: 0,
                style: context.dim)
        }
        context.click(
            Rect(x: 0, y: 0, width: width, height: 1), on: surface,
            state.isCompared
                ? [.focus(.symmetry), .symmetry(.side(side))]
                : [.focus(.symmetry), .command(.nextSymmetryScope)])
    }

    /// The pose that needle and arrow point at: that of the turned input, if it is turned.
    static func needle(_ side: SymmetrySide, _ state: SymmetryState) -> Double? {
        guard let row = state.side(side).response?.row ?? state.side(side).row else { return nil }
        return state.isCorrected ? row.corrected.degrees : row.pose.degrees
    }

    // MARK: Bars and rose

    /// A histogram's counts with the laws scaled to them.
    private static func counts(_ chart: SymmetryChart) -> [Double] {
        chart.histogram.counts.map(Double.init)
    }

    private static func curves(_ chart: SymmetryChart) -> [[Double]] {
        let total = Double(chart.histogram.total)
        return [chart.fitted, chart.truth].compactMap { $0?.shares.map { $0 * total } }
    }

    static func bars(
        _ chart: SymmetryChart, _ side: SymmetrySide, in rect: Rect,
        into surface: inout Surface, context: DrawContext, isSmall: Bool = false
    ) {
        let state = context.state.symmetry
        let histogram = chart.histogram
        let edges = (0...histogram.counts.count).map {
            histogram.start + Double($0) * histogram.width
        }
        var plot = Histogram(edges: edges, counts: counts(chart), cursor: isSmall ? nil : state.bin)
        plot.curves = curves(chart)
        plot.unit = "°"
        plot.labelWidth = labelWidth(chart)
        plot.ticks =
            isSmall
            ? [histogram.start, 0, 180]
            : stride(
                from: histogram.start, through: 180,
                by: tickStep(
                    width: rect.width - labelWidth(chart) - 1, extent: 180 - histogram.start)
            ).map { $0 }
        plot.marks = isSmall ? [] : chart.marks.map(\.degrees)
        plot.pointer = isSmall ? nil : needle(side, state)
        let legend = isSmall || rect.height < 7 ? 0 : 1
        let area = Rect(x: rect.x, y: rect.y, width: rect.width, height: rect.height - legend)
        plot.draw(
            into: &surface, rect: area, theme: context.theme, usesASCII: context.isASCII)
        if legend > 0 {
            self.legend(
                chart, x: rect.x, y: area.maxY, width: rect.width, into: &surface,
                context: context)
        }
        guard !isSmall else { return }
        let columns = plot.columns(in: area)
        for (bin, columns) in columns.enumerated() {
            context.click(
                Rect(
                    x: columns.lowerBound, y: rect.y, width: columns.count,
                    height: rect.height - 1),
                on: surface, [.focus(.symmetry), .symmetry(.bin(bin))])
        }
    }

    /// Columns of the largest count and a blank.
    private static func labelWidth(_ chart: SymmetryChart) -> Int {
        max(3, "\(Int(chart.peak * Double(chart.histogram.total)))".count + 1)
    }

    /// Columns that bars with the rose beside them want: one a bin.
    private static func barsWidth(_ chart: SymmetryChart) -> Int {
        min(36, chart.histogram.counts.count) + labelWidth(chart) + 3
    }

    /// The finest step of the angle axis whose numbers have room.
    private static func tickStep(width: Int, extent: Double) -> Double {
        [45.0, 90].first { (extent / $0 + 1) * 6.5 <= Double(width) } ?? 180
    }

    private static func legend(
        _ chart: SymmetryChart, x: Int, y: Int, width: Int, into surface: inout Surface,
        context: DrawContext
    ) {
        // Whole entries only, the most telling first.
        var entries: [(symbol: String, style: StyleName, text: String)] = []
        for (i, curve) in [chart.fitted, chart.truth].compactMap({ $0 }).enumerated() {
            entries.append((context.symbol("⠒⠒", "--"), .plotLine(i + 1), curve.name))
        }
        entries.append((context.symbol("▼", "v"), .plotMarker, "this input"))
        if !chart.marks.isEmpty {
            let name = chart.histogram.group == .so2 ? "centre, ± level" : "level"
            entries.append((context.symbol("┊", ":"), .plotMarker, name))
        }
        entries.append((context.symbol("█", "#"), .plotBar, "poses"))
        var left = x
        for entry in entries {
            let needed = CharacterWidth.of(entry.symbol) + 1 + CharacterWidth.of(entry.text)
            guard left + needed <= x + width else { break }
            left = surface.put(entry.symbol + " ", x: left, y: y, style: context.theme[entry.style])
            left = surface.put(entry.text + "  ", x: left, y: y, style: context.dim)
        }
    }

    static func rose(
        _ chart: SymmetryChart, _ side: SymmetrySide, in rect: Rect,
        into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        var plot = RosePlot(counts(chart), marks: chart.marks.dropFirst().map(\.degrees))
        plot.start = chart.histogram.start
        plot.zero = 90
        plot.curves = curves(chart)
        plot.needle = needle(side, state)
        // Beside the bars the reading is there already.
        plot.cursor = state.bin
        plot.draw(into: &surface, rect: rect, theme: context.theme, usesASCII: context.isASCII)
    }

    // MARK: Table and small multiples

    private static func table(
        _ chart: SymmetryChart, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        var columns = [
            Table.Column("from", width: 8, alignment: .trailing),
            Table.Column("to", width: 8, alignment: .trailing),
            Table.Column("count", width: 7, alignment: .trailing),
            Table.Column("share", width: 8, alignment: .trailing),
        ]
        if chart.fitted != nil {
            columns.append(Table.Column("fitted", width: 8, alignment: .trailing))
        }
        if chart.truth != nil {
            columns.append(Table.Column("truth", width: 8, alignment: .trailing))
        }
        func percent(_ share: Double) -> Table.Cell {
            Table.Cell(formatDecimal(100 * share, decimals: 1) + " %")
        }
        let rows = chart.histogram.counts.indices.map { bin -> [Table.Cell] in
            let bounds = chart.histogram.bounds(of: bin)
            var cells = [
                Table.Cell(SymmetryText.degrees(bounds.lowerBound)),
                Table.Cell(SymmetryText.degrees(bounds.upperBound)),
                Table.Cell("\(chart.histogram.counts[bin])"),
                percent(chart.histogram.share(of: bin)),
            ]
            if let curve = chart.fitted { cells.append(percent(curve.shares[bin])) }
            if let curve = chart.truth { cells.append(percent(curve.shares[bin])) }
            return cells
        }
        let table = Table(columns: columns, rows: rows)
        let width = min(rect.width, columns.reduce(0) { $0 + ($1.width ?? 0) + 1 })
        let height = max(1, rect.height - 1)
        let scroll = ScrollState(
            selected: state.bin ?? rows.count,
            offset: max(0, min(rows.count - height, (state.bin ?? 0) - height / 2)))
        table.draw(
            into: &surface,
            rect: Rect(x: rect.x, y: rect.y, width: width, height: rect.height),
            scroll: scroll, theme: context.theme, isFocused: context.state.layout.focus == .symmetry
        )
    }

    private static func classes(
        _ side: SymmetrySide, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        guard let facts = state.facts, !facts.labelNames.isEmpty else {
            surface.put(
                "These inputs have no classes.", x: rect.x, y: rect.y + 1, style: context.dim)
            return
        }
        let count = facts.labelNames.count
        // As wide as possible, but narrower before a class is left out.
        let needed = (count + max(1, rect.height / 4) - 1) / max(1, rect.height / 4)
        let perRow = max(
            1, min(count, rect.width / 22), min(needed, rect.width / 13))
        let columns = (count + (count + perRow - 1) / perRow - 1) / ((count + perRow - 1) / perRow)
        let rows = (count + columns - 1) / columns
        let width = rect.width / columns
        let height = max(4, rect.height / rows)
        for (label, name) in facts.labelNames.enumerated() {
            let tile = Rect(
                x: rect.x + (label % columns) * width, y: rect.y + label / columns * height,
                width: width - 1, height: height)
            guard tile.maxY <= rect.maxY else { break }
            let isOwn = facts.label(state.selected) == label
            let distribution = state.side(side).classes[label]
            let level = distribution.map { SymmetryText.degrees($0.fit.level) } ?? "…"
            surface.put(
                name, x: tile.x, y: tile.y, width: max(0, tile.width - 8),
                style: context.theme[isOwn ? .textFocus : .title])
            surface.put(
                level, x: tile.maxX - 8, y: tile.y, width: 8, alignment: .trailing,
                style: context.dim)
            if let distribution {
                let chart = state.chart(of: distribution, bins: state.group == .so2 ? 24 : 18)
                miniature(
                    chart,
                    in: Rect(x: tile.x, y: tile.y + 1, width: tile.width, height: height - 1),
                    into: &surface, context: context)
            }
            context.click(tile, on: surface, [.focus(.symmetry), .symmetry(.label(label))])
        }
    }

    /// Bars without numbers beside them, for small multiples.
    private static func miniature(
        _ chart: SymmetryChart, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let histogram = chart.histogram
        let plot = Rect(
            x: rect.x, y: rect.y, width: rect.width, height: max(1, rect.height - 1))
        let perColumn = max(1, (histogram.counts.count + plot.width - 1) / plot.width)
        let columns = (histogram.counts.count + perColumn - 1) / perColumn
        let barWidth = max(1, plot.width / columns)
        func merged(_ values: [Double], _ column: Int) -> Double {
            values[(column * perColumn)..<min(values.count, (column + 1) * perColumn)].reduce(0, +)
        }
        let shares = histogram.counts.indices.map { histogram.share(of: $0) }
        let curves = [chart.fitted, chart.truth].compactMap { $0?.shares }
        let top = max(
            1e-9,
            ([shares] + curves).flatMap { values in (0..<columns).map { merged(values, $0) } }.max()
                ?? 0)
        for column in 0..<columns {
            let eighths = Int((merged(shares, column) / top * Double(8 * plot.height)).rounded())
            for row in 0..<plot.height {
                guard
                    let block = Sparkline.block(
                        eighths: eighths - 8 * (plot.height - 1 - row), usesASCII: context.isASCII)
                else { continue }
                surface.fill(
                    Rect(
                        x: plot.x + column * barWidth, y: plot.y + row, width: barWidth, height: 1),
                    with: block, style: context.theme[.plotBar])
            }
        }
        let marker = Histogram(edges: [0, 1], counts: [0])
        for (i, curve) in curves.enumerated() {
            marker.drawCurve(
                (0..<columns).map { merged(curve, $0) / top }, into: &surface,
                plot: Rect(x: plot.x, y: plot.y, width: columns * barWidth, height: plot.height),
                barWidth: barWidth, style: context.theme[.plotLine(i + 1)],
                usesASCII: context.isASCII)
        }
        guard rect.height >= 2 else { return }
        let width = columns * barWidth
        let style = context.theme[.plotAxis]
        let left = histogram.group == .so2 ? "−180°" : "0°"
        surface.put(left, x: rect.x, y: plot.maxY, style: style)
        if histogram.group == .so2, width >= 16 {
            surface.put("0", x: rect.x + width / 2, y: plot.maxY, style: style)
        }
        surface.put(
            "180°", x: rect.x, y: plot.maxY, width: width, alignment: .trailing, style: style)
        surface.put(left, x: rect.x, y: plot.maxY, style: style)
        if histogram.group == .so2, width >= 16 {
            surface.put("0", x: rect.x + width / 2, y: plot.maxY, style: style)
        }
    }

    // MARK: Numbers

    static func numbers(
        _ side: SymmetrySide, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        guard let distribution = state.side(side).distribution else { return }
        let width = surface.bounds.width
        var lines = SymmetryText.fitParts(distribution, state.side(side))
        // Looking at many inputs at once, the figures of the whole set say more than a centre.
        if state.view == .classes || state.scope == .all, surface.bounds.height >= 2,
            let figures = state.side(side).table?.figures, !figures.isEmpty
        {
            lines[1] = figures.map(SymmetryText.figure)
        }
        for (i, parts) in lines.enumerated() where i < surface.bounds.height {
            surface.put(
                SymmetryText.joined(parts, width: width), x: 0, y: i,
                style: i == 0 ? context.text : context.dim)
        }
    }
}
