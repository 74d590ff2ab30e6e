// Counts of angles around a circle, as petals. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A circular histogram: bin 0 begins at the right (angle 0), angles grow counter-clockwise.
///
/// The area of a petal is proportional to its count, so that a petal twice as far does not look
/// four times as large.
nonisolated public struct RosePlot: Sendable, Equatable, PlotData {
    /// Counts of equal bins that go once around the circle.
    public var counts: [Double]
    /// What once around stands for, in degrees: 360, or 180 for axes without a direction.
    public var period: Double
    /// Angles in degrees that are marked by a line from the centre.
    public var marks: [Double]
    /// The selected bin.
    public var cursor: Int?
    /// The angle that bin 0 begins at, in degrees.
    public var start = 0.0
    /// Where angle 0 is drawn, in degrees counter-clockwise from the right: 90 is on top.
    public var zero = 0.0
    /// Expected counts, drawn as outlines in the styles of lines 1, 2, …
    public var curves: [[Double]] = []
    /// The angle that a needle points at, from the centre to the rim.
    public var needle: Double?

    public init(
        _ counts: [Double], period: Double = 360, marks: [Double] = [], cursor: Int? = nil
    ) {
        self.counts = counts
        self.period = period
        self.marks = marks
        self.cursor = cursor
    }

    /// Counts angles in degrees into equal bins, after folding them into the period.
    public init(
        degrees: [Double], bins: Int, period: Double = 360, marks: [Double] = [],
        cursor: Int? = nil
    ) {
        let count = max(1, bins)
        var counts = [Double](repeating: 0, count: count)
        for angle in degrees where angle.isFinite {
            let folded = angle - period * (angle / period).rounded(.down)
            counts[min(count - 1, Int(folded / period * Double(count)))] += 1
        }
        self.init(counts, period: period, marks: marks, cursor: cursor)
    }

    /// Draws the circle with its angles, the petals, the marks, and the reading below.
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, usesASCII: Bool = false
    ) {
        guard rect.width >= 8, rect.height >= 3, !counts.isEmpty else { return }
        let readingRows = cursor != nil && rect.height >= 5 ? 1 : 0
        let hasLabels = rect.width >= 24 && rect.height - readingRows >= 7
        let sideRoom = hasLabels ? 5 : 0
        let plot = Rect(
            x: rect.x + sideRoom, y: rect.y + (hasLabels ? 1 : 0),
            width: rect.width - 2 * sideRoom,
            height: rect.height - readingRows - (hasLabels ? 2 : 0))
        var petals = BrailleDots(columns: plot.width, rows: plot.height)
        var (rim, lines, selected) = (petals, petals, petals)
        let centre = (x: Double(petals.width - 1) / 2, y: Double(petals.height - 1) / 2)
        let radius = min(centre.x, centre.y)
        let top = ([counts] + curves).flatMap { $0 }.filter(\.isFinite).max() ?? 0
        for y in 0..<petals.height {
            for x in 0..<petals.width {
                let (dx, dy) = (Double(x) - centre.x, centre.y - Double(y))
                let distance = (dx * dx + dy * dy).squareRoot()
                if abs(distance - radius) < 0.5 { rim.set(x, y) }
                guard distance <= radius, top > 0 else { continue }
                let bin = bin(atTurn: atan2(dy, dx) / (2 * .pi) - (zero + start) / period)
                let count = counts[bin]
                guard count.isFinite, count > 0, distance <= radius * (count / top).squareRoot()
                else { continue }
                if bin == cursor { selected.set(x, y) } else { petals.set(x, y) }
            }
        }
        for mark in marks where mark.isFinite {
            let to = place(mark, radius, centre)
            lines.line(from: (Int(centre.x.rounded()), Int(centre.y.rounded())), to: to)
        }
        var pointer = BrailleDots(columns: plot.width, rows: plot.height)
        if let needle, needle.isFinite {
            pointer.line(
                from: (Int(centre.x.rounded()), Int(centre.y.rounded())),
                to: place(needle, radius, centre))
        }
        for (dots, style) in [
            (rim, StyleName.plotAxis), (petals, .plotBar), (lines, .plotLine(1)),
            (selected, .plotMarker),
        ] + outlines(radius, centre, top, plot) + [(pointer, .plotMarker)] {
            dots.draw(
                into: &surface, x: plot.x, y: plot.y, style: theme[style], usesASCII: usesASCII)
        }
        if hasLabels { drawAngles(into: &surface, rect: rect, plot: plot, radius, theme) }
        if readingRows > 0, let reading {
            surface.put(
                CharacterWidth.truncate(reading, to: rect.width), x: rect.x, y: rect.maxY - 1,
                style: theme[.plotMarker])
        }
    }

    /// The dot at an angle and a distance from the centre.
    private func place(
        _ degrees: Double, _ distance: Double, _ centre: (x: Double, y: Double)
    ) -> (x: Int, y: Int) {
        let angle = (degrees + zero) / period * 2 * .pi
        return (
            Int((centre.x + distance * cos(angle)).rounded()),
            Int((centre.y - distance * sin(angle)).rounded())
        )
    }

    private func outlines(
        _ radius: Double, _ centre: (x: Double, y: Double), _ top: Double, _ plot: Rect
    ) -> [(BrailleDots, StyleName)] {
        guard top > 0 else { return [] }
        return curves.enumerated().map { i, curve in
            var dots = BrailleDots(columns: plot.width, rows: plot.height)
            let width = period / Double(max(1, curve.count))
            let points = curve.enumerated().flatMap { bin, count -> [(x: Int, y: Int)] in
                let reach = radius * (max(0, count.isFinite ? count : 0) / top).squareRoot()
                let low = start + Double(bin) * width
                return [place(low, reach, centre), place(low + width, reach, centre)]
            }
            for (a, b) in zip(points, points.dropFirst() + points.prefix(1)) {
                dots.line(from: a, to: b)
            }
            return (dots, .plotLine(i + 1))
        }
    }

    private func drawAngles(
        into surface: inout Surface, rect: Rect, plot: Rect, _ radius: Double, _ theme: Theme
    ) {
        let style = theme[.plotAxis]
        func label(_ quarter: Int) -> String {
            var angle = (period * Double(quarter) / 4 - zero).remainder(dividingBy: period)
            if angle < start { angle += period }
            return PlotAxis.plainLabel(angle) + "°"
        }
        let middle = plot.x + plot.width / 2
        let reach = Int((radius / 2).rounded(.up)) + 1
        let row = plot.y + plot.height / 2
        surface.put(label(0), x: middle + reach, y: row, style: style)
        surface.put(label(1), x: middle - 1, y: plot.y - 1, style: style)
        let left = label(2)
        surface.put(left, x: middle - reach - CharacterWidth.of(left), y: row, style: style)
        surface.put(label(3), x: middle - 1, y: plot.maxY, style: style)
    }

    private func bin(atTurn turn: Double) -> Int {
        let folded = turn - turn.rounded(.down)
        return min(counts.count - 1, Int(folded * Double(counts.count)))
    }

    /// The bounds of a bin in degrees.
    private func bounds(_ bin: Int) -> (Double, Double) {
        let width = period / Double(counts.count)
        return (start + Double(bin) * width, start + Double(bin + 1) * width)
    }

    public var reading: String? {
        guard let cursor, counts.indices.contains(cursor) else { return nil }
        let total = counts.reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
        let share = total > 0 ? formatDecimal(100 * counts[cursor] / total, decimals: 1) : "0.0"
        let (low, high) = bounds(cursor)
        return "\(formatDecimal(low, decimals: 1))° to \(formatDecimal(high, decimals: 1))°: "
            + "\(PlotAxis.plainLabel(counts[cursor])), \(share) %"
    }

    public var table: PlotTable {
        PlotTable(
            columns: ["from", "to", "count"],
            rows: counts.indices.map { i in
                let (low, high) = bounds(i)
                return [.number(low), .number(high), .number(counts[i])]
            })
    }
}
