// VAR, HMAR without and with mask steps at the same seed, side by side.
// SPDX-License-Identifier: Apache-2.0
import Core

enum ComparePane {
    static func draw(into surface: inout Surface, context: DrawContext) {
        let runs = context.state.runs.comparison
        let size = surface.bounds
        guard let first = runs.first, size.width > runs.count * 6, size.height > 4 else { return }
        let name = context.state.model?.classTitle(first.request.classLabel) ?? ""
        surface.put(
            CharacterWidth.truncate(
                "Compared at seed \(first.request.seed), \(name)", to: size.width - 2),
            x: 1, y: 0, style: context.text)
        let body = Rect(x: 1, y: 1, width: size.width - 2, height: size.height - 1)
        let tiles = tiles(runs.count, scales: first.schedule.patchNums.count, in: body, context)
        let rows = tiles.facts.first.map { $0.height - 3 } ?? 0
        let slowest =
            runs.flatMap { lines(secondsPerScale($0), rows: rows) }.compactMap(\.seconds).max() ?? 0
        for (i, run) in runs.enumerated() {
            surface.drawing(in: tiles.whole[i]) { surface in
                let title = run.request.variant.shortTitle
                let fits = CharacterWidth.of(title) <= surface.bounds.width
                surface.put(
                    CharacterWidth.truncate(
                        fits || run.request.variant != .hmarNextScale ? title : "next-scale",
                        to: surface.bounds.width),
                    x: 0, y: 0, style: context.theme[.title])
            }
            picture(run, index: i, in: tiles.pictures[i], into: &surface, context: context)
            surface.drawing(in: tiles.facts[i]) {
                facts(run, slowest: slowest, into: &$0, context: context)
            }
            context.click(
                tiles.whole[i], on: surface,
                [.focus(.preview), .run(.show(run.id)), .preview(.view(.picture))])
        }
    }

    private struct Tiles {
        var whole: [Rect] = []
        var pictures: [Rect] = []
        var facts: [Rect] = []
    }

    /// Columns with the facts under the picture, or rows with the facts beside it, whichever shows
    /// larger pictures.
    private static func tiles(
        _ count: Int, scales: Int, in rect: Rect, _ context: DrawContext
    ) -> Tiles {
        let cell = context.pictureCell
        let columnWidth = rect.width / count
        let factRows = min(3 + scales, max(2, rect.height - 8))
        let underSide = min(
            (columnWidth - 2) * cell.width, (rect.height - 1 - factRows) * cell.height)
        let rowHeight = rect.height / count
        let besideWidth = max(0, rect.width - 24)
        let besideSide = min(besideWidth * cell.width, (rowHeight - 2) * cell.height)
        var tiles = Tiles()
        for i in 0..<count {
            if underSide >= besideSide {
                let whole = Rect(
                    x: rect.x + i * columnWidth, y: rect.y, width: columnWidth - 2,
                    height: rect.height)
                // The facts follow the picture: rows that it does not need go to the bottom.
                let rows = min(
                    rect.height - 1 - factRows,
                    (underSide + cell.height - 1) / max(1, cell.height))
                tiles.whole.append(whole)
                tiles.pictures.append(
                    Rect(x: whole.x, y: whole.y + 1, width: whole.width, height: rows))
                tiles.facts.append(
                    Rect(x: whole.x, y: whole.y + 1 + rows, width: whole.width, height: factRows))
            } else {
                let whole = Rect(
                    x: rect.x, y: rect.y + i * rowHeight, width: rect.width, height: rowHeight)
                let width = min(besideWidth, (besideSide + cell.width - 1) / max(1, cell.width))
                tiles.whole.append(whole)
                tiles.pictures.append(
                    Rect(x: whole.x, y: whole.y + 1, width: width, height: rowHeight - 2))
                tiles.facts.append(
                    Rect(
                        x: whole.x + width + 2, y: whole.y + 1, width: rect.width - width - 2,
                        height: rowHeight - 2))
            }
        }
        return tiles
    }

    private static func picture(
        _ run: Run, index: Int, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        if let image = run.latestImages.first {
            context.show(
                PictureContent(image, kind: run.isActive ? .live : .still),
                id: PictureID.comparison(index), in: rect, on: &surface, alignTop: true)
        } else {
            surface.put(
                run.isActive ? "waiting…" : "no picture", x: rect.x, y: rect.y + rect.height / 2,
                width: rect.width, alignment: .center, style: context.dim)
        }
    }

    private static func facts(
        _ run: Run, slowest: Double, into surface: inout Surface, context: DrawContext
    ) {
        let size = surface.bounds
        let (status, style) = PreviewPane.status(run, context: context)
        surface.put(
            CharacterWidth.truncate(status, to: size.width), x: 0, y: 0,
            style: context.theme[style])
        var cache = run.cacheBytes.map { $0 == 0 ? "no cache" : "cache " + context.bytes($0) }
        if let long = cache, CharacterWidth.of(long) > size.width {
            cache = run.cacheBytes.map { context.bytes($0) }
        }
        surface.put(
            CharacterWidth.truncate(cache ?? "cache —", to: size.width), x: 0, y: 1,
            style: context.text)
        guard !context.state.options.isDeterministic else { return }
        let seconds = secondsPerScale(run)
        let total = seconds.compactMap { $0 }.reduce(0, +)
        surface.put(
            total > 0 ? context.duration(total) + " in all" : "—", x: 0, y: 2, style: context.text)
        let lines = lines(seconds, rows: size.height - 3)
        let left = (lines.map(\.name.count).max() ?? 0) + 1
        for (i, line) in lines.enumerated() {
            let row = 3 + i
            surface.put(line.name, x: 0, y: row, style: context.dim)
            guard let value = line.seconds else { continue }
            let barWidth = max(0, size.width - left - 8)
            if barWidth >= 3 {
                context.bar(
                    slowest > 0 ? min(1, value / slowest) : 0, x: left, y: row, width: barWidth,
                    on: &surface, fill: .plotBar)
            }
            surface.put(
                context.duration(value), x: size.width - 7, y: row, width: 7,
                alignment: .trailing, style: context.dim)
        }
    }

    /// A line for every scale; where there is no room, the first ones share a line: the last ones
    /// cost most.
    static func lines(_ seconds: [Double?], rows: Int) -> [(name: String, seconds: Double?)] {
        guard rows > 0 else { return [] }
        let joined = seconds.count > rows ? seconds.count - rows + 1 : 0
        var lines: [(name: String, seconds: Double?)] = []
        if joined > 0 {
            let known = seconds[..<joined].compactMap { $0 }
            lines.append(
                ("0–\(joined - 1)", known.isEmpty ? nil : known.reduce(0, +)))
        }
        for scale in joined..<seconds.count { lines.append(("\(scale)", seconds[scale])) }
        return lines
    }

    /// Measured seconds of every scale: the result's, else those of the passes made so far.
    static func secondsPerScale(_ run: Run) -> [Double?] {
        run.schedule.patchNums.indices.map { scale in
            if run.secondsPerScale.indices.contains(scale) { return run.secondsPerScale[scale] }
            let passes = run.passes.filter { $0.scale == scale }
            return passes.isEmpty ? nil : passes.reduce(0) { $0 + $1.seconds }
        }
    }
}
