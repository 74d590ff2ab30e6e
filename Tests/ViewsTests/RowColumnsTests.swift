// Steps as columns: dragged, typed at, split and joined, with the sum always whole.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Columns of a row")
struct RowColumnsTests {
    private func row(_ entries: [Int], side: Int) -> ScaleRow {
        ScaleRow(side: side, entries: entries)
    }

    @Test("What one entry gains the ones behind it give, and the sum stays")
    func entries() {
        var a = row([5, 5, 5, 10], side: 5)
        a.set(entry: 1, to: 11)
        #expect(a.entries == [5, 11, 1, 8])
        a.set(entry: 3, to: 1_000)
        #expect(a.entries == [1, 1, 1, 22])
        a.set(entry: 3, to: -4)
        #expect(a.entries == [1, 1, 22, 1])
        a.set(entry: 0, to: 23)
        #expect(a.entries == [22, 1, 1, 1])
        a.split(entry: 0)
        #expect(a.entries == [11, 11, 1, 1, 1])
        a.join(entry: 4)
        #expect(a.entries == [11, 11, 1, 2])
        a.join(entry: 0)
        #expect(a.entries == [22, 1, 2])
        a.split(entry: 1)
        #expect(a.entries == [22, 1, 2])
        #expect(a.family == nil && a.maskSteps == 2)
    }

    @Test("Random pulls never break a row")
    func random() throws {
        var generator = RandomGenerator(seed: 4)
        var a = row([13, 13, 23], side: 7)
        for _ in 0..<2000 {
            let step = generator.nextInt(below: a.entries.count)
            switch generator.nextInt(below: 4) {
            case 0: a.split(entry: step)
            case 1: a.join(entry: step)
            default: a.set(entry: step, to: generator.nextInt(below: 70) - 10)
            }
            #expect(a.entries.reduce(0, +) == 49 && a.entries.allSatisfy { $0 >= 1 })
        }
    }

    private func open() -> ApplicationHarness {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.application.send(.schedule(.select(.row(2))))
        app.press("o")
        return app
    }

    @Test("Keys pick, pull, add and remove steps; Enter keeps, u takes back")
    func keys() {
        let app = open()
        #expect(app.state.schedule.values.rows[2].entries == [1, 1, 2, 5])
        app.press(.right, .up)
        #expect(app.state.schedule.values.rows[2].entries == [1, 2, 1, 5])
        app.press(.right, .right)
        app.press("a")
        #expect(app.state.schedule.values.rows[2].entries == [1, 2, 1, 3, 2])
        app.press("d")
        #expect(app.state.schedule.values.rows[2].entries == [1, 2, 1, 5])
        #expect(app.text().contains("9 passes in all"))
        app.press(.enter)
        #expect(app.state.overlays.isEmpty)
        #expect(app.state.schedule.values.preset == nil)
        app.press("u")
        #expect(app.state.schedule.values.rows[2].entries == [1, 1, 2, 5])
    }

    @Test("Esc goes back to the rows as they were, those of other scales too")
    func escape() {
        let app = open()
        app.press(.up, .up)
        app.press(KeyPress(.tab))
        app.press("f")
        let changed = app.state.schedule.values
        app.press(.escape)
        #expect(app.state.overlays.isEmpty)
        #expect(app.state.schedule.values != changed)
        #expect(app.state.schedule.values.rows[2].entries == [1, 1, 2, 5])
        #expect(app.state.schedule.values.preset == .default)
    }

    @Test("A column follows the mouse, and one drag is one step back")
    func mouse() throws {
        let app = open()
        let frame = app.frame()
        let title = try #require(frame.surface.find("Scale 2, 3×3: 9 tokens"))
        let numbers = try #require(frame.surface.find("next-scale pass: 1 tokens"))
        let chart = Rect(x: numbers.x, y: title.y + 1, width: 16, height: numbers.y - title.y - 2)
        let from = Point(x: chart.x + 4, y: chart.maxY - 1)
        app.application.handle(.mouse(MouseEvent(.press, button: .left, cell: from)))
        for y in stride(from: chart.maxY - 2, through: chart.y, by: -1) {
            app.application.handle(
                .mouse(MouseEvent(.drag, button: .left, cell: Point(x: chart.x + 4, y: y))))
        }
        let top = Point(x: chart.x + 4, y: chart.y)
        app.application.handle(.mouse(MouseEvent(.release, button: .left, cell: top)))
        let row = app.state.schedule.values.rows[2].entries
        #expect(row == [1, 6, 1, 1])
        app.press(.enter)
        app.press("u")
        #expect(app.state.schedule.values.rows[2].entries == [1, 1, 2, 5])
    }

    @Test("Variants without mask steps have no columns")
    func variants() {
        let app = ApplicationHarness().ready()
        app.press("2")
        app.press("m")
        app.press("o")
        #expect(app.state.overlays.isEmpty)
        #expect(app.state.notice?.text.contains("Only HMAR has mask steps") == true)
    }

    @Test("The popup stands as stored")
    func golden() {
        for size in [CellSize(columns: 120, rows: 40), CellSize(columns: 40, rows: 12)] {
            let app = ApplicationHarness(
                size: size, patchNums: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], imageSize: 256
            ).ready()
            app.press("2")
            app.application.send(.schedule(.select(.row(8))))
            app.press("o")
            app.press("aa")
            expectGolden(
                app.text(), "screens/columns-\(size.columns)x\(size.rows).txt")
        }
    }
}
