// A scale's steps as columns, with what the whole schedule costs.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Where columns stand, to turn pointer positions into entries.
struct ColumnsArea {
    /// The chart in absolute cells.
    var rect: Rect
    /// Cells from one column to the next.
    var pitch: Int
    var count: Int
    var top: Int

    /// The column under a place and the entry that its height means.
    func entry(_ event: MouseEvent, cell: PixelSize) -> (step: Int, value: Int) {
        let step = max(0, min(count - 1, (event.cell.x - rect.x) / max(1, pitch)))
        var below = Double(rect.maxY - event.cell.y) - 0.5
        if let pixel = event.pixel {
            below = Double(rect.maxY) - Double(pixel.y) / Double(max(1, cell.height))
        }
        let value = below / Double(max(1, rect.height)) * Double(top)
        return (step, max(1, Int(value.rounded())))
    }
}

enum ColumnsDrawing {
    private static let eighths = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    static func draw(
        _ columns: RowColumns, in area: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        guard state.schedule.values.rows.indices.contains(columns.scale) else { return }
        let row = state.schedule.values.rows[columns.scale]
        let entries = row.entries
        let widest = max(2, entries.map { String($0).count }.max() ?? 1)
        let room = min(area.width, 72) - 4
        // Numbers below need a blank between them; many steps go without numbers.
        let pitch = max(1, min(widest + 2, room / max(1, entries.count)))
        let width = min(area.width, max(58, pitch * entries.count + 6))
        let height = min(area.height, max(8, min(18, area.height * 2 / 3)))
        let frame = area.centered(width: width, height: height)
        let title = "Scale \(columns.scale), \(row.side)×\(row.side): \(row.tokenCount) tokens"
        let inside = Popup.draw(
            into: &surface, rect: frame, title: title, theme: context.theme,
            border: context.popupBorder)
        guard inside.height >= 5, inside.width >= 10 else { return }
        let plain = context.theme[.popup]
        let chart = Rect(
            x: inside.x, y: inside.y, width: min(inside.width, pitch * entries.count),
            height: inside.height - 4)
        for (i, value) in entries.enumerated() where (i + 1) * pitch <= chart.width {
            let isSelected = i == columns.step
            let style = context.theme[isSelected ? .plotMarker : .plotBar, on: .popup]
            let barWidth = max(1, pitch - 1)
            let full = Double(value) / Double(columns.top) * Double(chart.height)
            for y in 0..<chart.height {
                let part = full - Double(chart.height - 1 - y)
                guard part > 0 else { continue }
                let level = min(8, max(1, Int((part * 8).rounded())))
                let symbol = context.isASCII ? "#" : eighths[level - 1]
                surface.put(
                    String(repeating: symbol, count: barWidth), x: chart.x + i * pitch,
                    y: chart.y + y, style: style)
            }
            let text = String(value)
            guard text.count <= max(1, pitch - 1) || isSelected else { continue }
            surface.put(
                text, x: min(chart.x + i * pitch, inside.maxX - text.count), y: chart.maxY,
                style: isSelected ? context.theme[.selection] : plain)
        }
        let step = columns.step == 0 ? "next-scale pass" : "mask step \(columns.step)"
        let value = entries.indices.contains(columns.step) ? entries[columns.step] : 0
        put(
            "\(step): \(value) tokens · \(row.familyTitle)", y: chart.maxY + 1, inside, plain,
            &surface)
        put(totals(context), y: chart.maxY + 2, inside, plain.adding(.bold), &surface)
        put(
            "drag  a add  d remove  f family  Tab scale  Esc back", y: chart.maxY + 3, inside,
            context.theme[.textDim, on: .popup], &surface)
        context.notes.add(frame, .columns(nil))
        context.notes.add(
            Rect(x: chart.x, y: chart.y, width: chart.width, height: chart.height + 1),
            .columns(
                ColumnsArea(rect: chart, pitch: pitch, count: entries.count, top: columns.top)))
        context.cursor(
            x: chart.x + min(chart.width - 1, columns.step * pitch), y: chart.maxY, on: surface)
    }

    private static func put(
        _ text: String, y: Int, _ inside: Rect, _ style: Style, _ surface: inout Surface
    ) {
        guard y < inside.maxY else { return }
        surface.put(
            CharacterWidth.truncate(text, to: inside.width), x: inside.x, y: y, style: style)
    }

    /// Passes, and the time that they will take by what was measured.
    private static func totals(_ context: DrawContext) -> String {
        let state = context.state
        guard let request = state.schedule.request() else { return "" }
        let passes = request.schedule.passCount
        let text = passes == 1 ? "1 pass in all" : "\(passes) passes in all"
        guard !state.options.isDeterministic else { return text }
        let time = state.schedule.timings.prediction(
            model: state.model?.card.name ?? "", request: request)
        return text + (time.map { ", about \(context.duration($0))" } ?? "")
    }
}
