// VAR, HMAR without and with mask steps at the same seed, side by side.
// SPDX-License-Identifier: Apache-2.0
import Core

enum ComparePane {
    static func draw(into surface: inout Surface, context: DrawContext) {
        let runs = context.state.runs.comparison
        let size = surface.bounds
        guard let first = runs.first, size.width > runs.count * 6 else { return }
        let name = context.state.model?.className(first.request.classLabel) ?? ""
        surface.put(
            CharacterWidth.truncate(
                "Compared at seed \(first.request.seed), \(name)", to: size.width),
            x: 0, y: 0, style: context.text)
        let width = size.width / runs.count
        let scales = first.schedule.patchNums.count
        let showsBars = size.height >= scales + 14
        let factRows = showsBars ? 5 + scales : min(5, max(0, size.height - 8))
        let pictureRows = max(3, size.height - 2 - factRows)
        let slowest =
            runs.flatMap { secondsPerScale($0) }.compactMap { $0 }.max() ?? 0
        for (i, run) in runs.enumerated() {
            let column = Rect(x: i * width, y: 1, width: width - 1, height: size.height - 1)
            surface.drawing(in: column) { surface in
                draw(
                    run, index: i, pictureRows: pictureRows, showsBars: showsBars,
                    slowest: slowest, into: &surface, context: context)
            }
            context.click(
                column, on: surface,
                [.focus(.preview), .run(.show(run.id)), .preview(.view(.picture))])
        }
    }

    private static func draw(
        _ run: Run, index: Int, pictureRows: Int, showsBars: Bool, slowest: Double,
        into surface: inout Surface, context: DrawContext
    ) {
        let size = surface.bounds
        surface.put(
            CharacterWidth.truncate(run.request.variant.shortTitle, to: size.width), x: 0, y: 0,
            style: context.theme[.title])
        let rect = Rect(x: 0, y: 1, width: size.width, height: pictureRows - 1)
        var y = rect.maxY
        if let image = run.latestImages.first {
            let place = context.show(
                PictureContent(image, kind: run.isActive ? .live : .still),
                id: PictureID.comparison(index), in: rect, on: &surface, alignTop: true)
            y = place.maxY
        } else {
            surface.put(
                run.isActive ? "waiting…" : "no picture", x: 0, y: rect.y + rect.height / 2,
                width: size.width, alignment: .center, style: context.dim)
        }
        let (status, style) = PreviewPane.status(run, context: context)
        surface.put(
            CharacterWidth.truncate(status, to: size.width), x: 0, y: y,
            style: context.theme[style])
        let cache = run.cacheBytes.map { $0 == 0 ? "no cache" : "cache " + context.bytes($0) }
        surface.put(
            CharacterWidth.truncate(cache ?? "cache —", to: size.width), x: 0, y: y + 1,
            style: context.text)
        guard !context.state.options.isDeterministic else { return }
        let seconds = secondsPerScale(run)
        let total = seconds.compactMap { $0 }.reduce(0, +)
        surface.put(
            total > 0 ? context.duration(total) : "—", x: 0, y: y + 2, style: context.text)
        guard showsBars else { return }
        for (scale, value) in seconds.enumerated() {
            let row = y + 3 + scale
            surface.put("\(scale)", x: 0, y: row, style: context.dim)
            guard let value else { continue }
            let label = context.duration(value)
            let barWidth = max(1, size.width - 3 - 7)
            context.bar(
                slowest > 0 ? value / slowest : 0, x: 3, y: row, width: barWidth, on: &surface,
                fill: .plotBar)
            surface.put(label, x: size.width - 6, y: row, style: context.dim)
        }
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
