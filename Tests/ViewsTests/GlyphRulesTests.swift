// What is sent for characters that fonts draw badly. SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Views

@Suite("Glyph rules")
struct GlyphRulesTests {
    private let blue = Style(
        foreground: .ansi(4), background: .ansi(0), modifiers: [.bold, .underlined])

    @Test("A full block is sent as a blank on its colour: no seam, nothing over the cell's edge")
    func fullBlocks() {
        let sent = GlyphRules().apply(Cell("█", style: blue))
        #expect(sent.character == " ")
        #expect(sent.style == Style(background: .ansi(4)))
        // Where that would change the look it stays a block.
        for cell in [
            Cell("█"), Cell("█", style: blue.adding(.reversed)), Cell("▌", style: blue),
            Cell("a", style: blue),
        ] {
            #expect(GlyphRules().apply(cell) == cell)
        }
        #expect(GlyphRules(fillsBlocks: false).apply(Cell("█", style: blue)).character == "█")
        var underPicture = Cell("█", style: blue)
        underPicture.picture = 1
        #expect(GlyphRules().apply(underPicture) == underPicture)
    }

    @Test("Without braille the dots keep their height in the cell")
    func plainDots() {
        let rules = GlyphRules(hasBraille: false)
        func sent(_ bits: UInt32) -> Character? {
            Unicode.Scalar(0x2800 + bits).map { rules.apply(Cell(Character($0))).character }
        }
        #expect(sent(0x09) == "\u{2D9}")
        #expect(sent(0x12) == "·")
        #expect(sent(0x24) == "·")
        #expect(sent(0xC0) == ".")
        #expect(sent(0x47) == ":")
        #expect(sent(0xFF) == "▒")
        #expect(sent(0) == "\u{2800}")
        // Every pattern becomes one column of a character that is not braille.
        for bits in UInt32(1)...255 {
            let character = sent(bits)
            #expect(character.map { CharacterWidth.of(String($0)) } == 1)
            #expect(character?.unicodeScalars.first.map { $0.value < 0x2800 } == true)
        }
        let curve = Cell("⠤", style: blue)
        #expect(GlyphRules().apply(curve) == curve)
    }

    @Test(
        "mlterm is known by its variable, but not behind tmux; the configuration has the last word")
    func mlterm() {
        #expect(TerminalEnvironment(variables: ["MLTERM": "3.9.0"]).isMlterm)
        #expect(!TerminalEnvironment(variables: ["MLTERM": "3.9.0", "TMUX": "x"]).isMlterm)
        #expect(!TerminalEnvironment(variables: [:]).isMlterm)
        #expect(Settings(parsing: "charts = \"dots\"").hasBraille == false)
        #expect(Settings(parsing: "charts = \"braille\"").hasBraille == true)
        #expect(Settings(parsing: "charts = \"auto\"").hasBraille == nil)
    }
}
