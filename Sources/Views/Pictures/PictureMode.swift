// How pictures are shown on this terminal. SPDX-License-Identifier: Apache-2.0

/// The ways to show a picture, best first.
nonisolated public enum PictureMode: String, Sendable, Hashable, CaseIterable {
    /// Sixel graphics.
    case sixel
    /// kitty's graphics protocol.
    case kitty
    /// iTerm2's inline images.
    case iterm2
    /// Half-block characters, two pixels a cell.
    case half
    /// Braille characters, eight dots a cell.
    case braille
    /// Characters of different darkness.
    case ascii
    /// A line of text with the picture's size.
    case off

    /// The mode to use: the person's choice if there is one, else the best that the terminal has.
    public static func choose(
        preferred: PictureMode? = nil, capabilities: Capabilities
    ) -> PictureMode {
        if let preferred {
            // Half-blocks say nothing without colours.
            return preferred == .half && capabilities.colors == .none ? .braille : preferred
        }
        return allCases.first { $0.isAvailable(capabilities) } ?? .off
    }

    /// Whether the terminal said that it can show pictures so.
    public func isAvailable(_ capabilities: Capabilities) -> Bool {
        switch self {
        case .sixel: capabilities.hasSixel
        case .kitty: capabilities.hasKittyGraphics
        case .iterm2: capabilities.hasInlineImages
        case .half: capabilities.colors != .none
        case .braille, .ascii, .off: true
        }
    }

    /// The protocol that pixels are sent in; nil for text.
    public var format: GraphicsFormat? { GraphicsFormat(rawValue: rawValue) }

    /// Pixels of a cell as pictures use them.
    public func pixelsPerCell(_ capabilities: Capabilities) -> PixelSize {
        switch self {
        case .sixel, .kitty, .iterm2: capabilities.cellSize
        case .braille: PixelSize(width: 2, height: 4)
        case .half, .ascii, .off: PixelSize(width: 1, height: 2)
        }
    }

    /// The next one that the terminal has, for cycling at run time.
    public func next(_ capabilities: Capabilities) -> PictureMode {
        let all = PictureMode.allCases
        let index = all.firstIndex(of: self) ?? 0
        let order = (1...all.count).map { all[(index + $0) % all.count] }
        return order.first { $0.isAvailable(capabilities) } ?? self
    }
}

/// Who encodes sixel pictures.
nonisolated public enum EncoderChoice: String, Sendable, Hashable, CaseIterable {
    /// libsixel for still pictures, our own for live ones.
    case automatic
    case own
    case libsixel
}
