// Symmetry distributions as pictures: bars over the angle, and the rose.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Draws charts of symmetry distributions for files.
public enum SymmetryPlot {
    /// Bars over the angle with the laws as lines, axes, title and legend.
    ///
    /// - Parameters:
    ///   - width: at least 240; `height` at least 160 pixels.
    ///   - notes: lines under the title: level, centre, noise floor.
    public static func bars(
        _ chart: SymmetryChart, title: String, notes: [String] = [], width: Int = 960,
        height: Int = 480
    ) -> RGBImage {
        var canvas = PlotCanvas(width: max(240, width), height: max(160, height))
        let scale = canvas.width >= 720 ? 2 : 1
        let line = Double(PlotCanvas.textHeight(scale: scale) + 4 * scale)
        canvas.text(title, x: 12, y: 10, scale: scale)
        for (i, note) in notes.enumerated() {
            canvas.text(note, x: 12, y: 10 + line * Double(i + 1), .faint, scale: scale)
        }
        let top = 16 + line * Double(notes.count + 1)
        let left = 12.0 + Double(PlotCanvas.textWidth("100 %", scale: scale)) + 8
        let right = Double(canvas.width) - 24
        let bottom = Double(canvas.height) - 2 * line - 16
        guard bottom > top + 20, right > left + 20 else { return canvas.image }
        let histogram = chart.histogram
        let peak = max(1e-9, chart.peak * 1.05)
        func x(_ degrees: Double) -> Double {
            left + (degrees - histogram.start) / (180 - histogram.start) * (right - left)
        }
        func y(_ share: Double) -> Double { bottom - share / peak * (bottom - top) }
        for tick in ticks(upTo: peak) {
            canvas.line(from: SIMD2(left, y(tick)), to: SIMD2(right, y(tick)), .grid)
            canvas.text(
                percent(tick), x: left - 6, y: y(tick) - line / 3, .faint, anchor: .trailing,
                scale: scale)
        }
        for bin in histogram.counts.indices where histogram.counts[bin] > 0 {
            let bounds = histogram.bounds(of: bin)
            let gap = min(1, (x(bounds.upperBound) - x(bounds.lowerBound)) / 8)
            let share = histogram.share(of: bin)
            canvas.fill(
                x: x(bounds.lowerBound) + gap, y: y(share),
                width: x(bounds.upperBound) - x(bounds.lowerBound) - 2 * gap,
                height: bottom - y(share), .bar)
        }
        for mark in chart.marks {
            canvas.line(
                from: SIMD2(x(mark.degrees), top), to: SIMD2(x(mark.degrees), bottom), .mark,
                thickness: 1.5, dash: 6)
        }
        for (curve, color) in curves(chart) {
            let points = curve.shares.enumerated().flatMap { bin, share -> [SIMD2<Double>] in
                let bounds = histogram.bounds(of: bin)
                return [
                    SIMD2(x(bounds.lowerBound), y(share)), SIMD2(x(bounds.upperBound), y(share)),
                ]
            }
            canvas.polyline(points, color, thickness: 2)
        }
        canvas.line(from: SIMD2(left, bottom), to: SIMD2(right, bottom), .ink, thickness: 1.5)
        for degrees in stride(from: histogram.start, through: 180, by: 45) {
            canvas.line(
                from: SIMD2(x(degrees), bottom), to: SIMD2(x(degrees), bottom + 5), .ink)
            canvas.text(
                "\(Int(degrees))°", x: x(degrees), y: bottom + 9, .ink, anchor: .center,
                scale: scale)
        }
        legend(chart, x: left, y: Double(canvas.height) - line - 2, scale: scale, on: &canvas)
        return canvas.image
    }

    /// The circular form: wedges whose area is the share, 0° on top, counter-clockwise as on the
    /// screen; SO(3) takes half a circle's axis for its angles 0…180.
    public static func rose(_ chart: SymmetryChart, title: String, side: Int = 480) -> RGBImage {
        var canvas = PlotCanvas(width: max(160, side), height: max(160, side))
        let scale = canvas.width >= 400 ? 2 : 1
        let line = Double(PlotCanvas.textHeight(scale: scale) + 4 * scale)
        canvas.text(title, x: 12, y: 10, scale: scale)
        let center = SIMD2(Double(canvas.width) / 2, (Double(canvas.height) + line) / 2)
        let radius = min(center.x, Double(canvas.height) - center.y) - 2.2 * line
        let peak = max(1e-9, chart.peak)
        func point(_ degrees: Double, _ r: Double) -> SIMD2<Double> {
            let a = degrees * .pi / 180
            return center + r * SIMD2(-sin(a), -cos(a))
        }
        // Area goes with the square of the radius.
        func reach(_ share: Double) -> Double { radius * (share / peak).squareRoot() }
        for share in [0.25, 0.5, 1] {
            canvas.circle(center: center, radius: reach(share * peak), .grid)
        }
        let histogram = chart.histogram
        for bin in histogram.counts.indices where histogram.counts[bin] > 0 {
            let bounds = histogram.bounds(of: bin)
            let r = reach(histogram.share(of: bin))
            let steps = max(1, Int((bounds.upperBound - bounds.lowerBound) / 4))
            let arc = (0...steps).map { i in
                point(bounds.lowerBound + histogram.width * Double(i) / Double(steps), r)
            }
            canvas.fill(polygon: [center] + arc, .bar, opacity: 0.9)
        }
        for (curve, color) in curves(chart) {
            let points = curve.shares.enumerated().map { bin, share in
                point(histogram.bounds(of: bin).lowerBound + histogram.width / 2, reach(share))
            }
            let closed = histogram.group == .so2 ? points + points.prefix(1) : points
            canvas.polyline(closed, color, thickness: 2)
        }
        for mark in chart.marks {
            canvas.line(
                from: center, to: point(mark.degrees, radius), .mark, thickness: 1.5, dash: 6)
        }
        canvas.circle(center: center, radius: radius, .faint)
        for degrees in stride(from: histogram.start, to: 181, by: 45)
        where histogram.group == .so3 || degrees > -180 {
            let p = point(degrees, radius + line * 0.9)
            canvas.text(
                "\(Int(degrees))°", x: p.x, y: p.y - line / 3, .ink, anchor: .center, scale: scale)
        }
        return canvas.image
    }

    private static func curves(_ chart: SymmetryChart) -> [(SymmetryChart.Curve, PlotColor)] {
        (chart.truth.map { [($0, PlotColor.truth)] } ?? [])
            + (chart.fitted.map { [($0, PlotColor.fit)] } ?? [])
    }

    private static func legend(
        _ chart: SymmetryChart, x: Double, y: Double, scale: Int, on canvas: inout PlotCanvas
    ) {
        var left = x
        let height = Double(PlotCanvas.textHeight(scale: scale))
        let entries =
            [("poses (\(chart.histogram.total))", PlotColor.bar)]
            + curves(chart).map { ($0.0.name, $0.1) }
            + (chart.marks.isEmpty ? [] : [("centre and level", PlotColor.mark)])
        for (name, color) in entries {
            canvas.fill(x: left, y: y, width: height, height: height, color)
            left += height + 6
            canvas.text(name, x: left, y: y, scale: scale)
            left += Double(PlotCanvas.textWidth(name, scale: scale)) + 20
        }
    }

    /// Round shares for the grid lines.
    static func ticks(upTo peak: Double) -> [Double] {
        let steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        guard let step = steps.first(where: { peak / $0 <= 6 }) else { return [0.5, 1] }
        return (0...6).map { Double($0) * step }.filter { $0 <= peak }
    }

    private static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }
}
