// Clipping, widths, borders and pictures on surfaces.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Views

@Suite("Surface")
struct SurfaceTests {
    private func surface(_ columns: Int, _ rows: Int) -> Surface {
        Surface(size: CellSize(columns: columns, rows: rows))
    }

    @Test("Text is clipped at every side and returns where it ends")
    func clipping() {
        var s = surface(6, 2)
        #expect(s.put("abcdefgh", x: -2, y: 0) == 6)
        #expect(s.put("zz", x: 0, y: 2) == 2)
        s.put("yy", x: 0, y: -1)
        #expect(s.text() == "cdefgh\n\n")
    }

    @Test("Regions nest, move the origin and cut what reaches out")
    func regions() {
        var s = surface(10, 4)
        s.drawing(in: Rect(x: 2, y: 1, width: 6, height: 3)) { s in
            #expect(s.bounds == Rect(x: 0, y: 0, width: 6, height: 3))
            s.put("abcdefgh", x: 0, y: 0)
            s.drawing(in: Rect(x: 4, y: 1, width: 10, height: 10)) { s in
                s.fill(s.bounds, with: "#")
            }
            s.put("u", x: 0, y: -1)
        }
        #expect(s.text() == "\n  abcdef\n      ##\n      ##\n")
    }

    @Test(
        "Widths of clusters",
        arguments: [
            ("a", 1), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("가", 2), ("ｱ", 1), ("Ａ", 2), ("─", 1),
            ("😀", 2), ("❤\u{FE0F}", 2), ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("α", 1), ("\u{200B}", 1),
        ])
    func widths(_ text: String, _ width: Int) throws {
        let character = try #require(text.first)
        #expect(CharacterWidth.of(character) == width)
    }

    @Test("Wide clusters are never halved, by clipping or by overwriting")
    func wide() {
        var s = surface(5, 3)
        s.put("漢字漢", x: 0, y: 0)
        #expect(s.text(row: 0) == "漢字")
        s.put("x", x: 1, y: 0)
        #expect(s.text(row: 0) == " x字")
        s.put("漢", x: 3, y: 0)
        #expect(s.text(row: 0) == " x 漢")
        s.put("漢", x: -1, y: 1)
        #expect(s.text(row: 1) == "")
        s.put("漢字", x: 0, y: 2)
        s.put("語", x: 1, y: 2)
        #expect(s.text(row: 2) == " 語")
        for row in 0..<3 {
            let cells = s.cells[row * 5..<row * 5 + 5]
            #expect(cells.reduce(0) { $0 + Int($1.width) } == 5)
        }
    }

    @Test("Controls and direction marks never reach a cell")
    func controls() {
        var s = surface(8, 1)
        s.put("a\u{1B}b\u{202E}c\u{A0}\n", x: 0, y: 0)
        #expect(s.text(row: 0) == "a\u{FFFD}b\u{FFFD}c \u{FFFD}")
    }

    @Test("Fields are cut with an ellipsis and aligned")
    func fields() {
        var s = surface(8, 3)
        s.put("abcdefghij", x: 0, y: 0, width: 5)
        s.put("ab", x: 0, y: 1, width: 5, alignment: .trailing)
        s.put("漢字漢字", x: 0, y: 2, width: 6)
        #expect(s.text() == "abcd…\n   ab\n漢字…\n")
    }

    @Test("Boxes, also in ASCII and with a long title")
    func boxes() {
        var s = surface(12, 3)
        s.box(Rect(x: 0, y: 0, width: 12, height: 3), title: "A long title")
        #expect(
            s.text()
                == "┌─ A lon… ─┐\n│          │\n└──────────┘\n".replacing("A lon…", with: "A lon…"))
        var t = surface(4, 2)
        t.box(t.bounds, border: .ascii)
        #expect(t.text() == "+--+\n+--+\n")
        t.box(Rect(x: 0, y: 0, width: 1, height: 1))
    }

    @Test("Frames that share lines get the right junctions")
    func frames() {
        var s = surface(7, 5)
        s.frames([
            Rect(x: 0, y: 0, width: 4, height: 5), Rect(x: 3, y: 0, width: 4, height: 3),
            Rect(x: 3, y: 2, width: 4, height: 3),
        ])
        #expect(s.text() == "┌──┬──┐\n│  │  │\n│  ├──┤\n│  │  │\n└──┴──┘\n")
    }

    @Test("A picture never reaches the last row or past the edge, and later text covers it")
    func pictures() {
        var s = surface(8, 4)
        s.place(picture: 7, version: 3, in: Rect(x: 4, y: 2, width: 10, height: 9))
        s.put("T", x: 5, y: 2)
        #expect(s.text() == "\n\n    ▒T▒▒\n\n")
        #expect(
            s.placements == [
                PicturePlacement(id: 7, version: 3, rect: Rect(x: 4, y: 2, width: 10, height: 9))
            ])
        var tiny = surface(1, 1)
        tiny.place(picture: 1, version: 1, in: Rect(x: 0, y: 0, width: 5, height: 5))
        #expect(tiny.placements.isEmpty)
    }

    @Test("The dump names styles and pictures")
    func dump() {
        var s = surface(4, 2)
        s.put("ab", x: 1, y: 0, style: Style(foreground: .rgb(255, 0, 16), modifiers: .bold))
        s.place(picture: 1, version: 2, in: Rect(x: 0, y: 0, width: 1, height: 1))
        #expect(s.dump() == "▒ab\n\npicture 1 v2 at 0,0 1x1\n0:1-2 fg=#ff0010 bold\n")
    }

    @Test("Nothing traps at any size", arguments: [(0, 0), (1, 1), (2, 1), (1, 5)])
    func smallest(_ columns: Int, _ rows: Int) {
        var s = surface(columns, rows)
        s.box(Rect(x: -3, y: -3, width: 9, height: 9), title: "title")
        s.put("漢漢漢", x: -1, y: 0)
        s.fill(Rect(x: -5, y: -5, width: 20, height: 20), with: "x")
        s.drawing(in: Rect(x: 5, y: 5, width: 4, height: 4)) { $0.put("x", x: 0, y: 0) }
        s.restyle(s.bounds) { $0.adding(.bold) }
        #expect(s.cells.count == columns * rows)
    }
}
