// Characters that terminals' fonts draw badly or lack, replaced just before a cell is sent.
// SPDX-License-Identifier: Apache-2.0

/// What becomes of a cell on its way to the terminal; frames and tests know nothing of it.
nonisolated package struct GlyphRules: Sendable, Hashable {
    /// Full blocks become blanks on their colour: fonts leave seams between blocks in neighbouring
    /// rows, or draw them a pixel over the cell's edge, where nothing wipes it away.
    package var fillsBlocks = true
    /// Whether the font has braille patterns; without them charts take plain dots.
    package var hasBraille = true

    package init(fillsBlocks: Bool = true, hasBraille: Bool = true) {
        self.fillsBlocks = fillsBlocks
        self.hasBraille = hasBraille
    }

    /// The cell as it is sent.
    package func apply(_ cell: Cell) -> Cell {
        guard cell.picture == 0 else { return cell }
        var result = cell
        if fillsBlocks, cell.character == "█", cell.style.foreground != .default,
            !cell.style.modifiers.contains(.reversed)
        {
            result.character = " "
            result.style = Style(background: cell.style.foreground)
        } else if !hasBraille, let plain = Self.plainDots(cell.character) {
            result.character = plain
        }
        return result
    }

    /// Dots of every font for a braille pattern: their height in the cell, or how many there are.
    private static func plainDots(_ character: Character) -> Character? {
        guard let value = character.unicodeScalars.first?.value, (0x2801...0x28FF).contains(value)
        else { return nil }
        let bits = value - 0x2800
        let isHigh = bits & 0x09 != 0
        let isLow = bits & 0xC0 != 0
        let isMiddle = bits & 0x36 != 0
        switch (isHigh, isMiddle, isLow) {
        case (true, false, false): return "\u{2D9}"
        case (false, true, false): return "·"
        case (false, false, true): return "."
        default: return bits.nonzeroBitCount < 6 ? ":" : "▒"
        }
    }
}
