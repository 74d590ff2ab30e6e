// Whether a theme can be read: contrast of text on its background.
// SPDX-License-Identifier: Apache-2.0
import Foundation

nonisolated extension Theme {
    /// How well the text of a style can be read.
    public struct ContrastProblem: Sendable, Equatable {
        public let style: StyleName
        /// Contrast ratio, 1 to 21.
        public let ratio: Double
        /// The surface it was measured on, if that is not its own background.
        public let surface: StyleName?

        /// One line for `themes check`.
        public var description: String {
            let place = surface.map { " on \($0.rawValue)" } ?? ""
            return
                "\(style.rawValue)\(place): contrast \(String(format: "%.1f", ratio)):1 is below "
                + "4.5:1; choose colours further apart."
        }
    }

    /// The least contrast ratio of text (WCAG 2.1, level AA).
    public static let leastContrast = 4.5

    /// The styles under the least contrast.
    public func contrastProblems(below least: Double = leastContrast) -> [ContrastProblem] {
        contrasts().filter { $0.ratio < least }
    }

    /// The contrast of every style that carries text. Colours of the terminal's own (`default`)
    /// are not known and not judged; the 16 ANSI colours count with xterm's values.
    public func contrasts() -> [ContrastProblem] {
        var found: [ContrastProblem] = []
        let onPopup: Set<StyleName> = [.text, .textDim, .textFocus, .key, .title, .hint]
        for name in StyleName.all where !StyleName.decorative.contains(name) {
            for surface in [StyleName.background, .popup] {
                if surface == .popup, !onPopup.contains(name) { continue }
                let style = self[name, on: surface]
                guard let ratio = Theme.contrast(style.foreground, style.background) else {
                    continue
                }
                found.append(
                    ContrastProblem(
                        style: name, ratio: ratio, surface: surface == .popup ? .popup : nil))
            }
        }
        return found
    }

    /// The contrast ratio of two colours, 1 to 21, or nil if one is the terminal's own.
    ///
    /// `(L₁ + 0.05) / (L₂ + 0.05)` with the relative luminances of sRGB (WCAG 2.1, 1.4.3).
    public static func contrast(_ a: Color, _ b: Color) -> Double? {
        guard let first = luminance(a), let second = luminance(b) else { return nil }
        return (max(first, second) + 0.05) / (min(first, second) + 0.05)
    }

    private static func luminance(_ color: Color) -> Double? {
        guard let (red, green, blue) = color.components else { return nil }
        func linear(_ value: UInt8) -> Double {
            let v = Double(value) / 255
            return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

nonisolated extension Color {
    /// 8-bit red, green, blue; nil for the terminal's own colour.
    public var components: (red: UInt8, green: UInt8, blue: UInt8)? {
        switch self {
        case .default: nil
        case .ansi(let index): XtermPalette.color(index)
        case .rgb(let red, let green, let blue): (red, green, blue)
        }
    }
}
