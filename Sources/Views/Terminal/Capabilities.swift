// What the terminal can do, from its answers and the environment.
// SPDX-License-Identifier: Apache-2.0

/// What is known of the terminal at one moment; answers may come late and improve it.
nonisolated public struct Capabilities: Sendable, Hashable {
    /// The TERM that curses is started as.
    public var terminfoName: String
    /// The terminal's own name and version, `XTerm(379)`.
    public var name: String?
    /// Whether it shows sixel pictures.
    public var hasSixel = false
    /// Colour registers for sixel pictures.
    public var registers = 256
    /// The largest picture it takes, in pixels.
    public var maximumPicture = PixelSize(width: 1000, height: 1000)
    /// Pixels of one cell.
    public var cellSize = PixelSize(width: 10, height: 20)
    /// Whether mouse reports can count pixels.
    public var hasPixelMouse = false
    public var hasSynchronizedOutput = false
    /// Whether sixel display mode was set: pictures would all go to the top left corner.
    public var hasSixelDisplayMode = false
    /// Whether it answered the kitty graphics question.
    public var hasKittyGraphics = false
    /// Whether it is one of the terminals that show iTerm2's inline images.
    public var hasInlineImages = false
    /// The background colour as 8-bit red, green, blue.
    public var background: Color?
    /// Colours of text.
    public var colors: ColorDepth
    public var isInsideTmux = false
    /// Whether every answer has come, or waiting was given up.
    public var isSettled = false

    /// How many colours text can have.
    public enum ColorDepth: Int, Sendable, Hashable, Comparable {
        /// `NO_COLOR`, or a terminal without colours: attributes only.
        case none = 0
        case ansi8 = 8
        case ansi16 = 16
        case xterm256 = 256
        case direct = 16_777_216

        public static func < (a: ColorDepth, b: ColorDepth) -> Bool { a.rawValue < b.rawValue }
    }

    public init(terminfoName: String = "xterm-256color", colors: ColorDepth = .xterm256) {
        self.terminfoName = terminfoName
        self.colors = colors
    }

    /// Whether the background is known to be light.
    public var isLightBackground: Bool {
        guard case .rgb(let r, let g, let b)? = background else { return false }
        return 299 * Int(r) + 587 * Int(g) + 114 * Int(b) > 128_000
    }
}
