// Named values as bars beside each other. SPDX-License-Identifier: Apache-2.0

/// One row a bar: its name, the bar, its value.
nonisolated public struct BarPlot: Sendable, Equatable, PlotData {
    public struct Bar: Sendable, Equatable {
        public var name: String
        public var value: Double
        /// Which of the eight line styles it takes; nil takes that of bars.
        public var series: Int?

        public init(_ name: String, _ value: Double, series: Int? = nil) {
            self.name = name
            self.value = value
            self.series = series
        }
    }

    public var bars: [Bar]
    /// The values at the left and right end; nil goes from 0 (or the lowest) to the largest.
    public var range: ClosedRange<Double>?
    /// The selected bar.
    public var cursor: Int?
    /// What follows a value, `%`.
    public var unit: String

    public init(
        _ bars: [Bar], range: ClosedRange<Double>? = nil, cursor: Int? = nil, unit: String = ""
    ) {
        self.bars = bars
        self.range = range
        self.cursor = cursor
        self.unit = unit
    }

    /// Draws as many bars as there are rows; the selected one is always among them.
    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme, usesASCII: Bool = false
    ) {
        guard !bars.isEmpty, rect.width >= 4, rect.height >= 1 else { return }
        let axis = PlotAxis(bars.map(\.value) + [0], range: range)
        let names = min(bars.map { CharacterWidth.of($0.name) }.max() ?? 0, rect.width / 3)
        let values = bars.map(valueText)
        let numbers = min(values.map(CharacterWidth.of).max() ?? 0, rect.width / 3)
        let room = max(0, rect.width - names - numbers - 2)
        let first = max(0, min(bars.count - rect.height, (cursor ?? 0) - rect.height / 2))
        for row in 0..<min(rect.height, bars.count - first) {
            let index = first + row
            let bar = bars[index]
            let isSelected = index == cursor
            let y = rect.y + row
            let text = isSelected ? theme[.selection] : theme[.text]
            surface.put(bar.name, x: rect.x, y: y, width: names, style: text)
            ProgressBar(
                axis.share(of: bar.value) ?? 0,
                style: isSelected ? .plotMarker : bar.series.map { .plotLine($0) } ?? .plotBar,
                usesASCII: usesASCII
            ).draw(
                into: &surface, rect: Rect(x: rect.x + names + 1, y: y, width: room, height: 1),
                theme: theme)
            surface.put(
                values[index], x: rect.maxX - numbers, y: y, width: numbers, alignment: .trailing,
                style: text)
        }
    }

    private func valueText(_ bar: Bar) -> String {
        bar.value.isFinite ? PlotAxis.plainLabel(bar.value) + unit : "—"
    }

    public var reading: String? {
        guard let cursor, bars.indices.contains(cursor) else { return nil }
        return bars[cursor].name + " " + valueText(bars[cursor])
    }

    public var table: PlotTable {
        PlotTable(
            columns: ["name", "value"],
            rows: bars.map { [.text($0.name), $0.value.isFinite ? .number($0.value) : .missing] })
    }
}
