// Small pieces that several panes draw.
// SPDX-License-Identifier: Apache-2.0
import Core

extension DrawContext {
    /// A bar of `width` columns, filled by a share of it in eighths of a column.
    func bar(
        _ share: Double, x: Int, y: Int, width: Int, on surface: inout Surface,
        fill: StyleName = .jobBar, track: StyleName = .jobBarTrack
    ) {
        guard width > 0 else { return }
        let share = share.isFinite ? max(0, min(1, share)) : 0
        let eighths = Int((share * Double(width * 8)).rounded())
        for column in 0..<width {
            let part = max(0, min(8, eighths - column * 8))
            if isASCII {
                surface.put(
                    part >= 4 ? "#" : "-", x: x + column, y: y,
                    style: theme[part >= 4 ? fill : track])
                continue
            }
            let blocks: [Character] = ["─", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
            let isEmpty = part == 0
            surface.put(
                blocks[part], x: x + column, y: y, style: theme[isEmpty ? track : fill])
        }
    }

    /// Lines of a text broken at words.
    func wrapped(_ text: String, width: Int) -> [String] {
        guard width > 0 else { return [] }
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                var word = String(word)
                if line.isEmpty {
                    line = word
                } else if CharacterWidth.of(line) + 1 + CharacterWidth.of(word) <= width {
                    line += " " + word
                } else {
                    lines.append(line)
                    line = word
                }
                while CharacterWidth.of(line) > width {
                    let head = CharacterWidth.prefix(line, columns: width)
                    lines.append(head)
                    word = String(line.dropFirst(head.count))
                    line = word
                    if head.isEmpty { return lines }
                }
            }
            lines.append(line)
        }
        return lines
    }

    /// A scroll mark at the right edge: where `shown` of `total` lines stand.
    func scrollbar(
        first: Int, shown: Int, total: Int, x: Int, y: Int, height: Int,
        on surface: inout Surface
    ) {
        guard total > shown, height > 1, shown > 0 else { return }
        let size = max(1, height * shown / total)
        let start = min(height - size, (height - size) * first / max(1, total - shown))
        for row in 0..<height {
            let isThumb = row >= start && row < start + size
            surface.put(
                isThumb ? (isASCII ? "#" : "┃") : (isASCII ? "|" : "│"), x: x, y: y + row,
                style: theme[isThumb ? .textDim : .scrollbar])
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

    /// The dim style of a disabled or secondary text.
    var dim: Style { theme[.textDim] }
    var text: Style { theme[.text] }
    var errorStyle: Style { theme[.logError] }
    var warning: Style { theme[.logWarning] }
}

nonisolated extension CharacterWidth {
    /// As many leading clusters as fit in so many columns.
    static func prefix(_ text: String, columns: Int) -> String {
        var used = 0
        var result = ""
        for character in text {
            used += of(character)
            if used > columns { break }
            result.append(character)
        }
        return result
    }

    /// Text for a field of `columns`, padded with blanks.
    static func pad(_ text: String, to columns: Int) -> String {
        let shown = truncate(text, to: columns)
        return shown + String(repeating: " ", count: max(0, columns - of(shown)))
    }
}
