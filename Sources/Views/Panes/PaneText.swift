// Small pieces that several panes draw.
// SPDX-License-Identifier: Apache-2.0
import Core

extension DrawContext {
    /// A bar of `width` columns, filled by a share of it.
    func bar(
        _ share: Double, x: Int, y: Int, width: Int, on surface: inout Surface,
        fill: StyleName = .jobBar
    ) {
        // The numbers beside it say the same.
        if state.options.isMotionReduced { return }
        ProgressBar(share, style: fill, usesASCII: isASCII).draw(
            into: &surface, rect: Rect(x: x, y: y, width: width, height: 1), theme: theme)
        // Some fonts' part blocks reach a pixel to the left. An en space there makes the cell one
        // that is written again when the bar is gone, and that pixel with it.
        if !isASCII, let cell = surface[x - 1, y], cell == Cell(" ", style: cell.style) {
            surface.put(Cell.heldBlank, x: x - 1, y: y, style: cell.style)
        }
    }

    /// Lines of a text broken at words.
    func wrapped(_ text: String, width: Int) -> [String] { Popup.wrap(text, width: width) }

    /// A scroll mark at a column: where the lines seen stand among all.
    func scrollbar(
        first: Int, total: Int, x: Int, y: Int, height: Int, on surface: inout Surface
    ) {
        surface.scrollBar(
            x: x, y: y, height: height, offset: first, count: total, theme: theme,
            usesASCII: isASCII)
    }

    /// A text being typed, its cursor in view.
    func field(
        _ entry: TextEntry, in rect: Rect, on surface: inout Surface, isValid: Bool
    ) {
        let field = TextField(entry.text, cursor: entry.cursor, hasError: !isValid)
        if let place = field.draw(into: &surface, rect: rect, theme: theme, isFocused: true) {
            cursor(x: place.x, y: place.y, on: surface, isVisible: true)
        }
    }

    /// Seconds as people say them: `about 12 s`.
    func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "—" }
        if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 10 { return "\(Double(Int((seconds * 10).rounded())) / 10) s" }
        if seconds < 120 { return "\(Int(seconds.rounded())) s" }
        if seconds < 7200 { return "\(Int((seconds / 60).rounded())) min" }
        return "\(Int((seconds / 3600).rounded())) h"
    }

    /// Bytes as people say them.
    func bytes(_ count: Int) -> String {
        func oneDigit(_ value: Double) -> String { "\(Double(Int((value * 10).rounded())) / 10)" }
        if count < 1024 { return "\(count) B" }
        if count < 1 << 20 { return oneDigit(Double(count) / 1024) + " KiB" }
        if count < 1 << 30 { return oneDigit(Double(count) / 1_048_576) + " MiB" }
        return oneDigit(Double(count) / 1_073_741_824) + " GiB"
    }

    /// A style on the bars at the top and bottom, reversed where they are.
    func onBar(_ name: StyleName) -> Style {
        theme[name, on: .statusLine].adding(
            theme[.statusLine].modifiers.intersection(.reversed))
    }

    /// The dim style of a disabled or secondary text.
    var dim: Style { theme[.textDim] }
    var text: Style { theme[.text] }
    var errorStyle: Style { theme[.logError] }
    var warning: Style { theme[.logWarning] }
}

nonisolated extension CharacterWidth {
    /// Text for a field of `columns`, padded with blanks.
    static func pad(_ text: String, to columns: Int) -> String {
        let shown = truncate(text, to: columns)
        return shown + String(repeating: " ", count: max(0, columns - of(shown)))
    }
}
