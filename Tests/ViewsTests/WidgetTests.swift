// Widgets drawn into a surface and compared as text; keys, mouse and hit-testing.
// SPDX-License-Identifier: Apache-2.0

import Core
import Testing
import Views

@Suite("Widgets")
struct WidgetTests {
    private let theme = Theme.builtIn

    private func drawn(_ columns: Int, _ rows: Int, _ body: (inout Surface) -> Void) -> Surface {
        var surface = Surface(size: CellSize(columns: columns, rows: rows))
        body(&surface)
        return surface
    }

    private let models = List([
        .init("digits", mark: "●", detail: "2.1 MB"),
        .init("a very long model name that is cut", mark: "○", detail: "436 MB"),
        .init("three"), .init("四つ目"),
    ])

    @Test("Lists cut texts, keep details and show where they are scrolled")
    func list() {
        var scroll = ScrollState(selected: 1)
        let surface = drawn(24, 3) {
            models.draw(
                into: &$0, rect: $0.bounds, scroll: scroll, theme: theme, isFocused: true)
        }
        #expect(
            surface.text() == """
                ● digits         2.1 MB┃
                ○ a very long m… 436 MB┃
                  three                │

                """)
        #expect(surface[2, 1]?.style == theme[.selection])
        #expect(surface[2, 0]?.style == theme[.text])
        let rect = surface.bounds
        #expect(models.row(at: Point(x: 3, y: 2), rect: rect, scroll: scroll) == 2)
        #expect(models.row(at: Point(x: 3, y: 3), rect: rect, scroll: scroll) == nil)
        scroll.select(3, count: 4, height: 3)
        #expect(models.row(at: Point(x: 3, y: 2), rect: rect, scroll: scroll) == 3)
    }

    @Test("Moving in a list keeps the selection in sight and inside")
    func scrolling() {
        var scroll = ScrollState()
        for _ in 0..<7 { _ = scroll.handle(KeyPress(.down), count: 10, height: 4) }
        #expect(scroll.selected == 7 && scroll.offset == 4)
        let taken1 = scroll.handle(KeyPress(.end), count: 10, height: 4)
        #expect(taken1)
        let taken2 = scroll.handle(KeyPress("j"), count: 10, height: 4)
        #expect(taken2)
        #expect(scroll.selected == 9 && scroll.offset == 6)
        scroll.scroll(by: -6, count: 10, height: 4)
        #expect(scroll.selected == 3 && scroll.offset == 0)
        scroll.fit(count: 2, height: 4)
        #expect(scroll.selected == 1)
        scroll.fit(count: 0, height: 0)
        #expect(scroll.selected == 0 && scroll.offset == 0)
        let taken3 = scroll.handle(KeyPress("x"), count: 10, height: 4)
        #expect(!taken3)
    }

    @Test("Tables align their columns and find the cell under the mouse")
    func table() throws {
        let table = Table(
            columns: [
                .init("scale", width: 5, alignment: .trailing), .init("family"),
                .init("tokens", width: 6, alignment: .trailing),
            ],
            rows: [
                ["1", "next-scale", "1"], ["2", "masked", "4"], ["3", "masked", "9"],
                ["5", "masked", "25"],
            ], selectedColumn: 1)
        let surface = drawn(30, 4) {
            table.draw(
                into: &$0, rect: $0.bounds, scroll: ScrollState(selected: 1), theme: theme,
                isFocused: true)
        }
        #expect(
            surface.text() == """
                scale family           tokens
                    1 next-scale            1┃
                    2 masked                4┃
                    3 masked                9│

                """)
        #expect(surface[6, 2]?.style == theme[.cursor])
        let hit = try #require(
            table.cell(at: Point(x: 28, y: 3), rect: surface.bounds, scroll: ScrollState()))
        #expect(hit.row == 2 && hit.column == 2)
        #expect(table.cell(at: Point(x: 2, y: 0), rect: surface.bounds, scroll: .init()) == nil)
    }

    @Test("Sliders move by steps, clicks and the wheel, and stay inside")
    func slider() {
        var slider = Slider("top-p", value: 0.95, in: 0...1, step: 0.05, labelWidth: 6)
        let surface = drawn(40, 1) {
            slider.draw(into: &$0, rect: $0.bounds, theme: theme, isFocused: true)
        }
        #expect(surface.text() == "top-p  ━━━━━━━━━━━━━━━━━━━━━━━━━●─  0.95\n")
        for _ in 0..<3 { _ = slider.handle(KeyPress(.right)) }
        #expect(slider.value == 1 && slider.text == "1.00")
        let taken4 = slider.handle(KeyPress("H"))
        #expect(taken4)
        #expect(slider.text == "0.50")
        let click = MouseEvent(.press, button: .left, cell: Point(x: 7, y: 0))
        let taken5 = slider.handle(click, rect: surface.bounds)
        #expect(taken5)
        #expect(slider.value == 0)
        let beyond = MouseEvent(.drag, button: .left, cell: Point(x: 90, y: 5))
        let taken6 = slider.handle(beyond, rect: surface.bounds)
        #expect(taken6)
        #expect(slider.value == 1)
        slider.set(.nan)
        #expect(slider.value == 0)
    }

    @Test("Text fields scroll to the cursor and count clusters, not bytes")
    func textField() {
        let family = "👩‍👩‍👧"
        let text = "ab日本\(family)e\u{301}z"
        let field = TextField(text, cursor: 4)
        var cursor: Point?
        _ = drawn(12, 1) {
            cursor = field.draw(into: &$0, rect: $0.bounds, theme: theme, isFocused: true)
        }
        #expect(cursor == Point(x: 6, y: 0))
        #expect(field.cursor(at: 3, rect: Rect(x: 0, y: 0, width: 12, height: 1)) == 2)
        #expect(field.cursor(at: 11, rect: Rect(x: 0, y: 0, width: 12, height: 1)) == 7)
        let atEnd = TextField(text, cursor: 7)
        let narrow = drawn(5, 1) {
            cursor = atEnd.draw(into: &$0, rect: $0.bounds, theme: theme, isFocused: true)
        }
        #expect(narrow.text(row: 0) == "\(family)e\u{301}z")
        #expect(cursor == Point(x: 4, y: 0))
    }

    @Test("Progress bars fill in halves; an unknown end shows dots")
    func progress() {
        let surface = drawn(24, 5) {
            ProgressBar(0.54, text: "54 %").draw(
                into: &$0, rect: Rect(x: 0, y: 0, width: 24, height: 1), theme: theme)
            ProgressBar(nil).draw(
                into: &$0, rect: Rect(x: 0, y: 1, width: 24, height: 1), theme: theme)
            ProgressBar(0.5, usesASCII: true).draw(
                into: &$0, rect: Rect(x: 0, y: 2, width: 24, height: 1), theme: theme)
            ProgressBar(0.23).draw(
                into: &$0, rect: Rect(x: 0, y: 3, width: 10, height: 1), theme: theme)
            ProgressBar(0.001).draw(
                into: &$0, rect: Rect(x: 0, y: 4, width: 10, height: 1), theme: theme)
        }
        #expect(
            surface.text() == """
                ━━━━━━━━━━───────── 54 %
                ························
                ############------------
                ━━────────
                ╸─────────

                """)
    }

    @Test("Dialogs wrap their text, show problems, and know their buttons")
    func dialog() {
        let question = Dialog(
            title: "Overwrite?",
            text: "The file out.png is already there. Its picture would be lost.",
            answers: ["Overwrite", "Cancel"], selected: 1)
        let surface = drawn(50, 8) { question.draw(into: &$0, area: $0.bounds, theme: theme) }
        #expect(
            surface.text() == """

                ╭─ Overwrite? ───────────────────────────────────╮
                │ The file out.png is already there. Its picture │
                │ would be lost.                                 │
                │                                                │
                │             Overwrite    [ Cancel ]            │
                ╰────────────────────────────────────────────────╯


                """)
        let area = surface.bounds
        #expect(question.answer(at: Point(x: 16, y: 5), area: area) == 0)
        #expect(question.answer(at: Point(x: 28, y: 5), area: area) == 1)
        #expect(question.answer(at: Point(x: 2, y: 5), area: area) == nil)
        let prompt = Dialog(
            title: "Open a picture", field: TextField("/tmp/日本.png", cursor: 7),
            problem: "There is no such file.")
        var cursor: Point?
        let asked = drawn(70, 9) {
            cursor = prompt.draw(into: &$0, area: $0.bounds, theme: theme)
        }
        #expect(asked.find("/tmp/日本.png") == Point(x: 5, y: 3))
        #expect(asked.find("There is no such file.") == Point(x: 5, y: 5))
        #expect(cursor == Point(x: 14, y: 3))
    }

    @Test("Menus stay on the screen and know the item under the mouse")
    func menu() {
        let menu = Menu(
            title: "Mask",
            items: [
                .init("Invert", keys: "i"), .init("Clear", keys: "c"),
                .init("Write as PNG", keys: "W"),
            ], selected: 1)
        let opened = Point(x: 30, y: 1)
        let surface = drawn(40, 7) {
            menu.draw(into: &$0, at: opened, area: $0.bounds, theme: theme)
        }
        #expect(
            surface.text() == """


                                    ╭─ Mask ───────────╮
                                    │ Invert         i │
                                    │ Clear          c │
                                    │ Write as PNG   W │
                                    ╰──────────────────╯

                """)
        #expect(menu.item(at: Point(x: 25, y: 4), opened: opened, in: surface.bounds) == 1)
        #expect(menu.item(at: Point(x: 25, y: 6), opened: opened, in: surface.bounds) == nil)
    }

    @Test("The palette groups, selects and finds lines")
    func panel() {
        let panel = FilterPanel(
            title: "Commands", query: TextField("ru", cursor: 2),
            lines: [
                .init("Run", detail: "r", heading: "Recent"),
                .init("Run with a new seed", detail: "R", heading: "All"), .init("Truncate"),
            ], selected: 1)
        var cursor: Point?
        let surface = drawn(60, 14) {
            cursor = panel.draw(into: &$0, area: $0.bounds, theme: theme)
        }
        #expect(
            surface.text() == """


                          ╭─ Commands ───────────────────────────╮
                          │ › ru                                 │
                          │                                      │
                          │ Recent                               │
                          │ Run                               r  │
                          │                                      │
                          │ All                                  │
                          │ Run with a new seed               R  │
                          │ Truncate                             │
                          ╰──────────────────────────────────────╯



                """)
        #expect(cursor == Point(x: 16, y: 3))
        #expect(panel.line(at: Point(x: 14, y: 9), area: surface.bounds) == 1)
        #expect(panel.line(at: Point(x: 14, y: 8), area: surface.bounds) == nil)
        // A short list makes a low panel, and its top stays where it is.
        var low = panel
        low.lineCount = 4
        let tall = Rect(x: 0, y: 0, width: 60, height: 40)
        #expect(low.frame(in: tall).height == 8)
        #expect(low.frame(in: tall).y == panel.frame(in: tall).y)
        let none = FilterPanel(title: "x", query: TextField("", cursor: 0), lines: [], selected: 0)
        let empty = drawn(60, 12) { none.draw(into: &$0, area: $0.bounds, theme: theme) }
        #expect(empty.find("Nothing fits") != nil)
    }

    @Test("Nothing traps on a screen of any size", arguments: 0..<12, [0, 1, 2, 3, 5, 9])
    func tinyScreens(width: Int, height: Int) {
        _ = drawn(width, height) { surface in
            let rect = surface.bounds
            var scroll = ScrollState(selected: 3)
            scroll.fit(count: 4, height: rect.height)
            models.draw(into: &surface, rect: rect, scroll: scroll, theme: theme, isFocused: true)
            Table(columns: [.init("a"), .init("b", width: 4)], rows: [["1", "2"], ["3", "4"]])
                .draw(into: &surface, rect: rect, scroll: .init(), theme: theme, isFocused: false)
            Slider("x", value: 1, in: 0...2, step: 1)
                .draw(into: &surface, rect: rect, theme: theme, isFocused: true)
            ProgressBar(.nan, text: "long text").draw(into: &surface, rect: rect, theme: theme)
            Dialog(
                title: "title", text: "日本語 words", answers: ["Yes", "No"],
                field: TextField("日本", cursor: 1), problem: "p"
            ).draw(into: &surface, area: rect, theme: theme)
            Menu(title: "m", items: [.init("a"), .init("b"), .init("c")], selected: 2)
                .draw(into: &surface, at: Point(x: 50, y: 50), area: rect, theme: theme)
            FilterPanel(
                title: "t", query: TextField("日本", cursor: 2), lines: [.init("a", heading: "h")],
                selected: 0
            ).draw(into: &surface, area: rect, theme: theme)
        }
    }
}
