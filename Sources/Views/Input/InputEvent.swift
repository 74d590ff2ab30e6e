// What comes from the person and from the terminal.
// SPDX-License-Identifier: Apache-2.0

/// Modifier keys held.
nonisolated public struct KeyModifiers: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let shift = KeyModifiers(rawValue: 1)
    public static let alt = KeyModifiers(rawValue: 2)
    public static let control = KeyModifiers(rawValue: 4)
}

/// A key without its modifiers.
nonisolated public enum KeyCode: Sendable, Hashable {
    /// A key that types something. Capitals come as such, without the Shift modifier.
    case character(Character)
    case up, down, left, right
    case home, end, pageUp, pageDown
    case insert, delete, backspace
    case tab, enter, escape
    /// F1 and up.
    case function(Int)
}

/// A key with the modifiers held. Written `C-p`, `S-Tab`, `A-Left`, `F1`, `?`.
nonisolated public struct KeyPress: Sendable, Hashable {
    public var code: KeyCode
    public var modifiers: KeyModifiers

    public init(_ code: KeyCode, _ modifiers: KeyModifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    public init(_ character: Character, _ modifiers: KeyModifiers = []) {
        self.init(.character(character), modifiers)
    }

    /// The text that this key types into a field; nil with Control or Alt and for other keys.
    public var typedText: Character? {
        guard case .character(let character) = code, modifiers.isSubset(of: .shift) else {
            return nil
        }
        return character
    }
}

/// Something done with the mouse.
nonisolated public struct MouseEvent: Sendable, Hashable {
    public enum Button: Sendable, Hashable {
        case left, middle, right
        /// No button is involved (motion, some releases).
        case none
    }

    public enum Kind: Sendable, Hashable {
        case press, release
        /// Motion with a button held.
        case drag
        /// Motion without a button.
        case motion
        case wheelUp, wheelDown, wheelLeft, wheelRight
    }

    public var kind: Kind
    public var button: Button
    /// The cell, from 0.
    public var cell: Point
    /// The pixel from the top left of the text area, from 0; nil if the terminal reports cells only.
    public var pixel: PixelPoint?
    public var modifiers: KeyModifiers

    public init(
        _ kind: Kind, button: Button = .none, cell: Point, pixel: PixelPoint? = nil,
        modifiers: KeyModifiers = []
    ) {
        self.kind = kind
        self.button = button
        self.cell = cell
        self.pixel = pixel
        self.modifiers = modifiers
    }
}

/// The size of the terminal's text area.
nonisolated public struct ScreenSize: Sendable, Hashable {
    public var cells: CellSize
    /// Pixels as the terminal says them; 0×0 when it does not. May include an inner border.
    public var pixels: PixelSize

    public init(cells: CellSize, pixels: PixelSize = PixelSize(width: 0, height: 0)) {
        self.cells = cells
        self.pixels = pixels
    }
}

/// One thing that happened.
nonisolated public enum InputEvent: Sendable, Hashable {
    case key(KeyPress)
    case mouse(MouseEvent)
    /// Pasted text as a whole; `isTruncated` when it passed the limit of 1 MiB.
    case paste(String, isTruncated: Bool)
    /// The window got or lost the focus.
    case focus(Bool)
    /// An answer of the terminal; consumed by the engine, never given to panes.
    case reply(TerminalReply)
    case resize(ScreenSize)
}
