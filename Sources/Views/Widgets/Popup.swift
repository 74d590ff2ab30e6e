// The frame that dialogs, menus, help and the palette are drawn in.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum Popup {
    /// Clears a rectangle, draws a border with a title; returns the inside.
    static func draw(
        into surface: inout Surface, rect: Rect, title: String, theme: Theme,
        border: BorderSet = .rounded, style name: StyleName = .popup
    ) -> Rect {
        let style = theme[name]
        surface.fill(rect, style: style)
        surface.box(
            rect, border: border, style: theme[.borderFocus, on: name], title: title,
            titleStyle: theme[.title, on: name])
        return rect.inset(2, 1)
    }

    /// A text broken into lines of at most `width` columns, at blanks where there are some.
    static func wrap(_ text: String, width: Int) -> [String] {
        guard width > 0 else { return [] }
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            var used = 0
            for word in paragraph.split(separator: " ", omittingEmptySubsequences: true) {
                var rest = word[...]
                let length = CharacterWidth.of(rest)
                if used > 0, used + 1 + length > width {
                    lines.append(line)
                    line = ""
                    used = 0
                }
                if used > 0 {
                    line += " "
                    used += 1
                }
                // A word longer than a line is cut where it must be.
                while CharacterWidth.of(rest) > width - used {
                    var taken = ""
                    var columns = used
                    while let first = rest.first, columns + CharacterWidth.of(first) <= width {
                        taken.append(first)
                        columns += CharacterWidth.of(first)
                        rest.removeFirst()
                    }
                    if taken.isEmpty, used == 0, let first = rest.popFirst() {
                        taken = String(first)
                    }
                    lines.append(line + taken)
                    line = ""
                    used = 0
                }
                line += rest
                used += CharacterWidth.of(rest)
            }
            lines.append(line)
        }
        return lines
    }
}
