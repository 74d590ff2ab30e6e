// A surface as plain text, for tests and logs.
// SPDX-License-Identifier: Apache-2.0
import Foundation

nonisolated extension Surface {
    /// One row as text; picture cells show as `▒`.
    public func text(row: Int) -> String {
        guard row >= 0, row < size.rows else { return "" }
        var line = ""
        for cell in cells[row * size.columns..<(row + 1) * size.columns] where cell.width != 0 {
            let text = cell.character == Cell.heldBlank ? " " : cell.character
            line.append(cell.picture == 0 ? text : "▒")
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// All rows, without trailing blanks, each ended by a line feed.
    public func text() -> String {
        (0..<size.rows).map { text(row: $0) + "\n" }.joined()
    }

    /// Text, pictures and the styles in use, for golden files.
    ///
    /// After the text follow the placements and, for every row that has styled cells, the runs
    /// `row:first-last style`.
    public func dump() -> String {
        var result = text()
        for placement in placements {
            let r = placement.rect
            result +=
                "picture \(placement.id) v\(placement.version) at \(r.x),\(r.y) \(r.width)x\(r.height)\n"
        }
        for row in 0..<size.rows {
            var start = 0
            while start < size.columns {
                let style = cells[row * size.columns + start].style
                var end = start + 1
                while end < size.columns, cells[row * size.columns + end].style == style {
                    end += 1
                }
                if style != .plain { result += "\(row):\(start)-\(end - 1) \(style.summary)\n" }
                start = end
            }
        }
        return result
    }

    /// Where a text first stands, row by row.
    public func find(_ text: String) -> Point? {
        for row in 0..<size.rows {
            let line = self.text(row: row)
            if let range = line.range(of: text) {
                return Point(x: CharacterWidth.of(line[..<range.lowerBound]), y: row)
            }
        }
        return nil
    }
}

nonisolated extension Style {
    /// The style in a few words: `fg=#ff0000 bg=4 bold`.
    var summary: String {
        var words: [String] = []
        if foreground != .default { words.append("fg=" + foreground.summary) }
        if background != .default { words.append("bg=" + background.summary) }
        let names: [(Modifiers, String)] = [
            (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underlined, "underlined"),
            (.reversed, "reversed"), (.crossedOut, "crossed_out"),
        ]
        for (modifier, name) in names where modifiers.contains(modifier) { words.append(name) }
        return words.joined(separator: " ")
    }
}

nonisolated extension Color {
    /// The colour as themes write it: `default`, `4`, `#ff0000`.
    var summary: String {
        switch self {
        case .default: return "default"
        case .ansi(let index): return String(index)
        case .rgb(let r, let g, let b):
            let digits = Array("0123456789abcdef")
            return "#"
                + [r, g, b].map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }.joined()
        }
    }
}
