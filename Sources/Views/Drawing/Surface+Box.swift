// Borders and rules.
// SPDX-License-Identifier: Apache-2.0

/// The characters that borders are drawn with.
nonisolated public enum BorderSet: Sendable, Hashable {
    case single
    case rounded
    case heavy
    case ascii

    /// Horizontal, vertical, then the corners clockwise from the top left.
    var pieces: [Character] {
        switch self {
        case .single: ["─", "│", "┌", "┐", "┘", "└"]
        case .rounded: ["─", "│", "╭", "╮", "╯", "╰"]
        case .heavy: ["━", "┃", "┏", "┓", "┛", "┗"]
        case .ascii: ["-", "|", "+", "+", "+", "+"]
        }
    }
}

nonisolated extension Surface {
    /// Draws a border just inside of a rectangle, with a title on its top edge.
    public mutating func box(
        _ rect: Rect, border: BorderSet = .single, style: Style = .plain, title: String = "",
        titleStyle: Style? = nil
    ) {
        guard rect.width >= 2, rect.height >= 2 else { return }
        let pieces = border.pieces
        let right = rect.maxX - 1
        let bottom = rect.maxY - 1
        for x in rect.x + 1..<right {
            put(pieces[0], x: x, y: rect.y, style: style)
            put(pieces[0], x: x, y: bottom, style: style)
        }
        for y in rect.y + 1..<bottom {
            put(pieces[1], x: rect.x, y: y, style: style)
            put(pieces[1], x: right, y: y, style: style)
        }
        put(pieces[2], x: rect.x, y: rect.y, style: style)
        put(pieces[3], x: right, y: rect.y, style: style)
        put(pieces[4], x: right, y: bottom, style: style)
        put(pieces[5], x: rect.x, y: bottom, style: style)
        if !title.isEmpty, rect.width > 6 {
            let shown = " " + CharacterWidth.truncate(title, to: rect.width - 6) + " "
            put(shown, x: rect.x + 2, y: rect.y, style: titleStyle ?? style)
        }
    }

    /// Draws a horizontal line.
    public mutating func horizontalRule(
        x: Int, y: Int, width: Int, border: BorderSet = .single, style: Style = .plain
    ) {
        fill(Rect(x: x, y: y, width: width, height: 1), with: border.pieces[0], style: style)
    }

    /// Draws a vertical line.
    public mutating func verticalRule(
        x: Int, y: Int, height: Int, border: BorderSet = .single, style: Style = .plain
    ) {
        fill(Rect(x: x, y: y, width: 1, height: height), with: border.pieces[1], style: style)
    }
}
