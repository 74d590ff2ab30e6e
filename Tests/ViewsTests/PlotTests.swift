// Plots drawn into a surface and read as text; axes, cursors and tables.
// SPDX-License-Identifier: Apache-2.0

import Core
import Foundation
import Testing
import Views

@Suite("Plots")
struct PlotTests {
    private let theme = Theme.builtIn

    private func drawn(_ columns: Int, _ rows: Int, _ body: (inout Surface) -> Void) -> Surface {
        var surface = Surface(size: CellSize(columns: columns, rows: rows))
        body(&surface)
        return surface
    }

    @Test("Plots show their bounds, legend and the values at the cursor")
    func plot() {
        let plot = LinePlot(
            [
                .init("HMAR", (0..<40).map { 3 / (1 + 0.2 * Double($0)) }),
                .init("VAR", (0..<40).map { 2.5 - 0.03 * Double($0) }),
            ], cursor: 10)
        let surface = drawn(48, 8) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        #expect(surface.text(row: 0).hasPrefix("  3.000 │⢇"))
        #expect(surface.text(row: 6).hasPrefix("  0.341 │"))
        #expect(surface.text(row: 7) == "         ⠒⠒ HMAR 1.000  ⠒⠒ VAR 2.200  at 10")
        #expect(Sparkline.text([0, 1, 2, 3, .nan, 7, 8], width: 10) == "▁▂▃▄ ▇█")
        #expect(Sparkline.text([5, 5, 5], width: 2) == "██")
    }

    @Test("Lines at places of their own share one axis")
    func placedLines() {
        let plot = LinePlot(
            [
                .init("a", [1, 10, 100], xs: [0, 50, 100]),
                .init("b", [100, .nan, 0], xs: [0, 20, 40]),
            ], isLogarithmic: true, cursor: 60, xTitle: "step")
        #expect(plot.yAxis == PlotAxis([1, 100], isLogarithmic: true))
        #expect(plot.yAxis.share(of: 10) == 0.5)
        #expect(plot.yAxis.share(of: 0) == nil)
        #expect(plot.reading == "step 60, a 10.00, b 0.000")
        let surface = drawn(49, 12) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        #expect(surface.text(row: 0).hasPrefix("  100.0 │"))
        #expect(surface.text(row: 10).hasPrefix("         0"))
        #expect(surface.text(row: 10).hasSuffix("step                100"))
        #expect(surface.text(row: 11).contains("a 10.00  ⠒⠒ b 0.000  at 60"))
        // The line of equal factors is straight: one row for every four columns.
        let places = (0..<10).compactMap { row in
            (9..<49).first { surface[$0, row]?.style == theme[.plotLine(0)] }
        }
        #expect(places == places.sorted(by: >) && places.count == 10)
        #expect(
            plot.table.csv
                == "step,a,b\n0.0,1.0,100.0\n20.0,,\n40.0,,0.0\n50.0,10.0,\n100.0,100.0,\n")
    }

    @Test("Lines in one cell show the dots of all, in the colour of the first")
    func sharedCells() {
        let lines = [0.0, 0.001].map { LinePlot.Line("l", [$0, $0]) }
        let plot = LinePlot(lines, range: 0...0.012)
        let surface = drawn(19, 4) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        #expect(surface[12, 2]?.character == "⣤")
        #expect(surface[12, 2]?.style == theme[.plotLine(0)])
    }

    @Test("Bars keep the selected one in sight")
    func bars() {
        let plot = BarPlot(
            [.init("red", 1), .init("green", 4), .init("blue", .nan), .init("grey", 2)],
            cursor: 3, unit: " %")
        let surface = drawn(20, 2) {
            plot.draw(into: &$0, rect: $0.bounds, theme: theme, usesASCII: true)
        }
        #expect(surface.text() == "blue  ----------   —\ngrey  #####----- 2 %\n")
        #expect(plot.reading == "grey 2 %")
    }

    @Test("Histograms count every value of the range once")
    func histogram() throws {
        let plot = Histogram(
            of: [0, 0.1, 0.2, 0.5, 1, 1, .nan, 7], bins: 4, range: 0...1, cursor: 3,
            xTitle: "share")
        #expect(plot.counts == [3, 0, 1, 2])
        #expect(plot.edges == [0, 0.25, 0.5, 0.75, 1])
        #expect(plot.reading == "bin 4/4: 0.750 to 1, 2, 33.3 %")
        let surface = drawn(29, 5) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        #expect(
            surface.text() == """
                        │█████
                        │█████          █████
                      0 │█████     ██████████
                         0      share       1
                bin 4/4: 0.750 to 1, 2, 33.3…

                """)
        let json = try JSONSerialization.jsonObject(with: plot.table.json())
        #expect((json as? [[String: Double]])?.map { $0["count"] } == [3, 0, 1, 2])
    }

    @Test("More bins than columns are added up")
    func merging() {
        let plot = Histogram(
            edges: (0...100).map(Double.init), counts: [Double](repeating: 1, count: 100))
        let surface = drawn(19, 4) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        #expect(surface.text(row: 0) == "     10 │██████████")
    }

    @Test("Angles fold into the period; petals lie where their angles are")
    func rose() {
        let plot = RosePlot(degrees: [0, 10, 370, -80, 275, 100], bins: 4, marks: [180], cursor: 0)
        #expect(plot.counts == [3, 1, 0, 2])
        #expect(plot.reading == "0.0° to 90.0°: 3, 50.0 %")
        let axes = RosePlot(degrees: [190, 10, 95], bins: 2, period: 180)
        #expect(axes.counts == [2, 1])
        let surface = drawn(40, 14) { plot.draw(into: &$0, rect: $0.bounds, theme: theme) }
        // The largest petal fills the upper right quarter, the empty one leaves the lower left.
        #expect(surface[22, 4]?.style == theme[.plotMarker])
        #expect(surface[22, 9]?.style == theme[.plotBar])
        #expect(surface[16, 9]?.character == " ")
        #expect(surface.text(row: 6).contains("180°"))
        #expect(surface.text(row: 0).contains("90°"))
        #expect(surface.text(row: 13).hasPrefix("0.0° to 90.0°: 3, 50.0 %"))
    }

    @Test("Heat maps shade, average neighbours and read a cell")
    func heatMap() {
        var map = HeatMap(
            [[0, 1, 2, 3], [3, 3, .nan, 0]], rowNames: ["1", "16"], columnValues: [0, 10, 20, 30],
            columnTitle: "step")
        let surface = drawn(26, 4) {
            map.draw(into: &$0, rect: $0.bounds, theme: theme, usesColor: false)
        }
        #expect(surface.text(row: 0) == " 1 ··░░▓▓██")
        #expect(surface.text(row: 1) == "16 ████  ··")
        #expect(surface.text(row: 2) == "   0    step     30")
        #expect(surface.text(row: 3) == "   0.000 ··░░▒▒▓▓██ 3.000")
        map.cursor = .init(row: 1, column: 2)
        #expect(map.reading == "16, step 20: —")
        let narrow = drawn(6, 2) {
            map.draw(into: &$0, rect: $0.bounds, theme: theme, usesColor: false, usesASCII: true)
        }
        #expect(narrow.text(row: 0) == " 1 .@")
        #expect(map.table.csv.hasPrefix("step,1,16\n0.0,0.0,3.0\n"))
    }

    @Test("Nothing traps on a screen of any size or without data", arguments: 0..<14, 0..<9)
    func tinyScreens(width: Int, height: Int) {
        _ = drawn(3 * width, height) { surface in
            let rect = surface.bounds
            LinePlot([.init("l", [1, .nan, 2])], cursor: 1)
                .draw(into: &surface, rect: rect, theme: theme)
            LinePlot([], isLogarithmic: true, cursor: 1, xTitle: "x")
                .draw(into: &surface, rect: rect, theme: theme)
            LinePlot([.init("l", [.nan], xs: [3])], xTitle: "x")
                .draw(into: &surface, rect: rect, theme: theme)
            BarPlot([.init("a", -1), .init("b", .infinity)], cursor: 9)
                .draw(into: &surface, rect: rect, theme: theme)
            BarPlot([]).draw(into: &surface, rect: rect, theme: theme)
            Histogram(of: [], bins: 3, cursor: 1).draw(into: &surface, rect: rect, theme: theme)
            Histogram(of: [5, 5], bins: 200, cursor: 400)
                .draw(into: &surface, rect: rect, theme: theme)
            Histogram(edges: [], counts: []).draw(into: &surface, rect: rect, theme: theme)
            RosePlot([0, .nan, 2], marks: [.infinity, 40], cursor: 7)
                .draw(into: &surface, rect: rect, theme: theme)
            RosePlot([]).draw(into: &surface, rect: rect, theme: theme)
            HeatMap([[], [1, .nan]], rowNames: ["a name that is long"])
                .draw(into: &surface, rect: rect, theme: theme)
            HeatMap([]).draw(into: &surface, rect: rect, theme: theme)
        }
    }
}
