// Curves as a picture for files. SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension LinePlot {
    /// Colours that are told apart without colour vision (Okabe and Ito's set), then dashes.
    private static let colors: [PlotColor] = [
        PlotColor(0, 114, 178), .fit, .truth, .mark, PlotColor(230, 159, 0), .bar,
        PlotColor(96, 96, 96),
    ]

    /// The plot with axes, title and legend.
    ///
    /// - Parameters:
    ///   - width: at least 320 pixels.
    ///   - height: at least 200 pixels.
    public func picture(title: String, width: Int = 960, height: Int = 540) -> RGBImage {
        var canvas = PlotCanvas(width: max(320, width), height: max(200, height))
        let scale = canvas.width >= 720 ? 2 : 1
        let line = Double(PlotCanvas.textHeight(scale: scale) + 4 * scale)
        canvas.text(title, x: 12, y: 10, scale: scale)
        let (xAxis, yAxis) = (xAxis, yAxis)
        let left = 12 + Double(PlotCanvas.textWidth("-0.00000", scale: scale))
        let right = Double(canvas.width) - 24
        let legend = legendRows(width: right - left, scale: scale)
        let top = 10 + 1.5 * line
        let bottom = Double(canvas.height) - line * Double(legend.count + 2) - 12
        guard bottom > top + 20 else { return canvas.image }
        for step in 0...5 {
            let value = yAxis.value(at: Double(step) / 5)
            guard let share = yAxis.share(of: value) else { continue }
            let y = bottom - share * (bottom - top)
            canvas.line(from: SIMD2(left, y), to: SIMD2(right, y), .grid)
            canvas.text(
                PlotAxis.label(value), x: left - 8, y: y - line / 3, .faint, anchor: .trailing,
                scale: scale)
        }
        canvas.line(from: SIMD2(left, bottom), to: SIMD2(right, bottom), .ink, thickness: 1.5)
        for step in 0...6 {
            // Steps are whole numbers where there are enough of them.
            let exact = xAxis.value(at: Double(step) / 6)
            let value = xAxis.high - xAxis.low > 12 ? exact.rounded() : exact
            guard let share = xAxis.share(of: value) else { continue }
            let x = left + share * (right - left)
            canvas.line(from: SIMD2(x, bottom), to: SIMD2(x, bottom + 5), .ink)
            canvas.text(
                PlotAxis.plainLabel(value), x: x, y: bottom + 9, anchor: .center, scale: scale)
        }
        if let xTitle {
            canvas.text(
                xTitle, x: right, y: bottom + 9 + line, .faint, anchor: .trailing, scale: scale)
        }
        for (i, one) in lines.enumerated() {
            var points: [SIMD2<Double>] = []
            func draw() {
                canvas.polyline(
                    points, Self.color(i), thickness: 2, dash: i < Self.colors.count ? 0 : 8)
                points = []
            }
            for k in 0..<one.count {
                guard let x = xAxis.share(of: one.x(k)), let y = yAxis.share(of: one.values[k])
                else {
                    draw()
                    continue
                }
                points.append(
                    SIMD2(left + x * (right - left), bottom - y * (bottom - top)))
            }
            draw()
        }
        for (row, entries) in legend.enumerated() {
            var x = left
            let y = Double(canvas.height) - line * Double(legend.count - row) - 4
            for i in entries {
                canvas.line(
                    from: SIMD2(x, y + line / 3), to: SIMD2(x + 24, y + line / 3), Self.color(i),
                    thickness: 3, dash: i < Self.colors.count ? 0 : 8)
                canvas.text(lines[i].name, x: x + 30, y: y, scale: scale)
                x += Self.legendWidth(lines[i], scale)
            }
        }
        return canvas.image
    }

    private static func color(_ index: Int) -> PlotColor { colors[index % colors.count] }

    private static func legendWidth(_ line: Line, _ scale: Int) -> Double {
        54 + Double(PlotCanvas.textWidth(line.name, scale: scale))
    }

    /// Indices of the lines, broken into rows of the legend.
    private func legendRows(width: Double, scale: Int) -> [[Int]] {
        var rows: [[Int]] = [[]]
        var used = 0.0
        for (i, line) in lines.enumerated() {
            let needed = Self.legendWidth(line, scale)
            if used > 0, used + needed > width {
                rows.append([])
                used = 0
            }
            rows[rows.count - 1].append(i)
            used += needed
        }
        return rows.filter { !$0.isEmpty }
    }
}
