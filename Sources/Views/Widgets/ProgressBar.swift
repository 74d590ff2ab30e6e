// How far something is. SPDX-License-Identifier: Apache-2.0

/// A heavy line in halves of a column on a light one, with a text behind it: `━━━━━━╸──── 54 %`.
///
/// A line leaves room above and below, so that bars in neighbouring rows stay apart in every font.
nonisolated public struct ProgressBar: Sendable, Equatable {
    /// 0…1; nil when the end is not known.
    public var fraction: Double?
    public var text: String
    public var style: StyleName
    /// Draws with `#` and `-` only.
    public var usesASCII: Bool

    public init(
        _ fraction: Double?, text: String = "", style: StyleName = .jobBar, usesASCII: Bool = false
    ) {
        self.fraction = fraction
        self.text = text
        self.style = style
        self.usesASCII = usesASCII
    }

    public func draw(
        into surface: inout Surface, rect: Rect, theme: Theme,
        on background: StyleName = .background
    ) {
        guard !rect.isEmpty else { return }
        let textWidth = text.isEmpty ? 0 : min(CharacterWidth.of(text) + 1, rect.width)
        let width = rect.width - textWidth
        let bar = theme[style, on: background]
        let track = theme[.jobBarTrack, on: background]
        let share = max(0, min(1, fraction.map { $0.isNaN ? 0 : $0 } ?? 0))
        // Something is shown as soon as there is something.
        let halves = Int((share * Double(width * 2)).rounded(.down))
        let filled = share > 0 && width > 0 ? max(1, halves) : 0
        for x in 0..<width {
            let part = max(0, min(2, filled - 2 * x))
            if usesASCII {
                surface.put(
                    part > 0 ? "#" : "-", x: rect.x + x, y: rect.y, style: part > 0 ? bar : track)
            } else if part > 0 {
                surface.put(part == 2 ? "━" : "╸", x: rect.x + x, y: rect.y, style: bar)
            } else {
                surface.put(fraction == nil ? "·" : "─", x: rect.x + x, y: rect.y, style: track)
            }
        }
        if textWidth > 1 {
            surface.put(
                text, x: rect.maxX - textWidth + 1, y: rect.y, width: textWidth - 1,
                alignment: .trailing, style: theme[.text, on: background])
        }
    }
}
