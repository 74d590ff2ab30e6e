// How many columns a grapheme cluster takes, and which scalars may reach a cell.
// SPDX-License-Identifier: Apache-2.0

nonisolated public enum CharacterWidth {
    /// Columns of a cluster, 1 or 2: the widest of its scalars, 2 for emoji presentation.
    ///
    /// Ambiguous width counts as 1. A cluster of nothing but zero-width scalars still takes a cell.
    public static func of(_ character: Character) -> Int {
        if character.isASCII { return 1 }
        var widest = 1
        for scalar in character.unicodeScalars {
            if scalar == "\u{FE0F}" { return 2 }
            widest = max(widest, of(scalar))
        }
        return widest
    }

    /// Columns of a text.
    public static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The text cut to so many columns, with `…` as its last one if anything was cut.
    public static func truncate(_ text: String, to columns: Int) -> String {
        if columns <= 0 { return "" }
        var used = 0
        var fits = ""
        for character in text {
            let width = of(character)
            if used + width > columns {
                while used > columns - 1, let last = fits.popLast() { used -= of(last) }
                return fits + "…"
            }
            fits.append(character)
            used += width
        }
        return fits
    }

    /// The cluster as it may stand in a cell: controls and direction marks become U+FFFD, a
    /// no-break space a plain one.
    static func printable(_ character: Character) -> Character {
        if let ascii = character.asciiValue {
            return ascii >= 0x20 && ascii < 0x7F ? character : "\u{FFFD}"
        }
        for scalar in character.unicodeScalars {
            switch scalar.value {
            // Reserved for the cells under pictures.
            case 0xA0: return " "
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B, 0x200E...0x200F, 0x2028...0x202E,
                0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
                return "\u{FFFD}"
            default: break
            }
        }
        return character
    }

    static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if value < 0x1100 { return 1 }
        if value >= 0x1F1E6 && value <= 0x1F1FF { return 2 }
        if scalar.properties.isEmojiPresentation { return 2 }
        for range in wide where range.contains(value) { return 2 }
        return 1
    }

    /// East Asian wide and full-width blocks.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF,
        0x4E00...0x9FFF, 0xA000...0xA4C6, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF,
        0x1AFF0...0x1B2FB, 0x1F200...0x1F265, 0x1F900...0x1F9FF, 0x20000...0x2FFFD,
        0x30000...0x3FFFD,
    ]
}
