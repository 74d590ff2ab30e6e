// Pictures and text meet without an edge. SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Views

@Suite("Grounds and cursors")
struct PictureGroundTests {
    @Test("A shown colour is one of the palette, and stays what it is when shown again")
    func shownColors() {
        let cream = Color.rgb(0xF6, 0xEF, 0xDF)
        #expect(Capabilities.ColorDepth.xterm256.shown(cream) == .rgb(0xEE, 0xEE, 0xEE))
        #expect(Capabilities.ColorDepth.direct.shown(cream) == cream)
        #expect(Capabilities.ColorDepth.none.shown(cream) == .default)
        for depth in [Capabilities.ColorDepth.ansi8, .ansi16, .xterm256, .direct] {
            #expect(depth.shown(.default) == .default)
            for red in stride(from: UInt8(0), through: 250, by: 25) {
                let once = depth.shown(.rgb(red, 180, 255 - red))
                #expect(depth.shown(once) == once)
            }
        }
    }

    @Test("A blank beside a bar is none to curses and one to a reader")
    func heldBlank() {
        var surface = Surface(size: CellSize(columns: 6, rows: 1))
        surface.put("ab", x: 0, y: 0)
        surface.put(Cell.heldBlank, x: 2, y: 0)
        surface.put("cd", x: 3, y: 0)
        #expect(surface[2, 0]?.character == "\u{2002}")
        #expect(surface[2, 0]?.width == 1)
        #expect(surface.text(row: 0) == "ab cd")
    }

    @Test("The cursor of an empty field hides no letter of its hint")
    func placeholder() {
        var surface = Surface(size: CellSize(columns: 16, rows: 1))
        let field = TextField("", cursor: 0, placeholder: "type to search")
        let cursor = field.draw(
            into: &surface, rect: surface.bounds, theme: .builtIn, isFocused: true)
        #expect(surface.text(row: 0) == "type to search")
        #expect(cursor == Point(x: 0, y: 0))
    }
}
