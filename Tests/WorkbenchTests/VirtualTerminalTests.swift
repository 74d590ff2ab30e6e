// What the emulated terminal of the tests does with rarer sequences. SPDX-License-Identifier: Apache-2.0
import Testing

@Suite("Emulated terminal")
struct VirtualTerminalTests {
    private func terminal(_ text: String) -> VirtualTerminal {
        let terminal = VirtualTerminal(columns: 20, rows: 5)
        terminal.feed(Array("a\r\nb\r\nc\r\nd\r\ne".utf8))
        terminal.feed(Array(text.utf8))
        return terminal
    }

    private func letters(_ terminal: VirtualTerminal) -> String {
        terminal.lines.map { $0.first == " " ? "." : String($0.prefix(1)) }.joined()
    }

    @Test("Lines inserted and deleted move those below, within the scroll region")
    func lines() {
        #expect(letters(terminal("\u{1B}[2;3H\u{1B}[2L")) == "a..bc")
        #expect(letters(terminal("\u{1B}[2H\u{1B}[M")) == "acde.")
        #expect(letters(terminal("\u{1B}[2;4r\u{1B}[3H\u{1B}[9L")) == "ab..e")
        #expect(letters(terminal("\u{1B}[2;4r\u{1B}[5H\u{1B}[L")) == "abcde")
        #expect(terminal("\u{1B}[3L").counters.unknownSequences == 0)
    }

    @Test("A line moved with a picture in it is counted")
    func pictures() {
        let shown = terminal("\u{1B}[2H\u{1B}P0;1;0q\"1;1;10;12#0;2;0;0;0#0!10~-!10~\u{1B}\\")
        #expect(shown.pictureCells == 1 && shown.counters.picturesScrolled == 0)
        shown.feed(Array("\u{1B}[1H\u{1B}[L".utf8))
        #expect(shown.counters.picturesScrolled == 1)
    }

    @Test("Back tabs go to the stop before, and no further than the first column")
    func tabs() {
        #expect(terminal("\u{1B}[1;18H\u{1B}[ZX").find("X")?.column == 16)
        #expect(terminal("\u{1B}[1;17H\u{1B}[ZX").find("X")?.column == 8)
        #expect(terminal("\u{1B}[1;18H\u{1B}[9ZX").find("X")?.column == 0)
    }

    @Test("A place saved in a larger window is within the smaller one")
    func saved() {
        let shrunk = terminal("\u{1B}[5;20H\u{1B}7")
        shrunk.resize(columns: 4, rows: 2)
        shrunk.feed(Array("\u{1B}8X".utf8))
        #expect(shrunk.find("X")?.row == 1 && shrunk.find("X")?.column == 3)
    }

    @Test("The screen before a clear is kept, also when it is cleared from its top")
    func clears() {
        for text in ["\u{1B}[H\u{1B}[2J", "\u{1B}[H\u{1B}[J"] {
            let cleared = terminal(text)
            #expect(letters(cleared) == "....." && cleared.counters.fullClears == 1)
            #expect(cleared.looksBeforeClear[20] == "b|")
        }
        #expect(terminal("\u{1B}[2H\u{1B}[J").counters.fullClears == 0)
    }
}
