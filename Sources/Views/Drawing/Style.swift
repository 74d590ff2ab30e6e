// Colours and attributes of a cell.
// SPDX-License-Identifier: Apache-2.0

/// A colour of text or background.
nonisolated public enum Color: Sendable, Hashable {
    /// The terminal's own.
    case `default`
    /// An entry of the terminal's palette: 0 to 15 the ANSI colours, up to 255 the xterm cube.
    case ansi(UInt8)
    case rgb(UInt8, UInt8, UInt8)
}

/// How a cell looks.
nonisolated public struct Style: Sendable, Hashable {
    /// Attributes beside the colours.
    public struct Modifiers: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let bold = Modifiers(rawValue: 1)
        public static let dim = Modifiers(rawValue: 2)
        public static let italic = Modifiers(rawValue: 4)
        public static let underlined = Modifiers(rawValue: 8)
        public static let reversed = Modifiers(rawValue: 16)
        /// Shown as dim: curses knows no crossed-out text.
        public static let crossedOut = Modifiers(rawValue: 32)
    }

    public var foreground: Color
    public var background: Color
    public var modifiers: Modifiers

    public init(
        foreground: Color = .default, background: Color = .default, modifiers: Modifiers = []
    ) {
        self.foreground = foreground
        self.background = background
        self.modifiers = modifiers
    }

    /// The terminal's own colours without attributes.
    public static let plain = Style()

    /// The same style with more attributes.
    public func adding(_ more: Modifiers) -> Style {
        Style(
            foreground: foreground, background: background, modifiers: modifiers.union(more))
    }

    /// The same style with another text colour.
    public func foreground(_ color: Color) -> Style {
        Style(foreground: color, background: background, modifiers: modifiers)
    }

    /// The same style with another background.
    public func background(_ color: Color) -> Style {
        Style(foreground: foreground, background: color, modifiers: modifiers)
    }

    /// This style with every `default` colour taken from the one below.
    public func over(_ below: Style) -> Style {
        Style(
            foreground: foreground == .default ? below.foreground : foreground,
            background: background == .default ? below.background : background,
            modifiers: modifiers)
    }
}
