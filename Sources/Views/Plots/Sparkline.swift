// Bars in eighths of a cell. SPDX-License-Identifier: Apache-2.0

/// A row of bars, one a value, as high as a cell: `▁▃▆█▂`.
nonisolated public enum Sparkline {
    static let levels: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// The newest values that fit, scaled to their largest (or to `top`); gaps for what is not finite.
    public static func text(_ values: [Double], width: Int, top: Double? = nil) -> String {
        let shown = values.suffix(max(0, width))
        let highest = top ?? shown.filter(\.isFinite).max() ?? 0
        return String(
            shown.map { value -> Character in
                guard value.isFinite, highest > 0 else { return value.isFinite ? levels[0] : " " }
                let level = Int((max(0, min(1, value / highest)) * 7).rounded())
                return levels[level]
            })
    }

    /// The character of a cell of a bar that fills `eighths` of it; nil for none.
    static func block(eighths: Int, usesASCII: Bool) -> Character? {
        guard eighths > 0 else { return nil }
        return usesASCII ? (eighths >= 4 ? "#" : ".") : levels[min(8, eighths) - 1]
    }
}
