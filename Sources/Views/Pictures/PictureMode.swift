// How pictures are shown on this terminal. SPDX-License-Identifier: Apache-2.0

/// The ways to show a picture, best first.
nonisolated public enum PictureMode: String, Sendable, Hashable, CaseIterable {
    /// Sixel graphics.
    case sixel
    /// Half-block characters, two pixels a cell.
    case half
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
            return preferred == .half && capabilities.colors == .none ? .ascii : preferred
        }
        if capabilities.hasSixel { return .sixel }
        return capabilities.colors == .none ? .ascii : .half
    }

    /// The next one, for cycling at run time.
    public var next: PictureMode {
        let all = PictureMode.allCases
        let index = all.firstIndex(of: self) ?? 0
        return all[(index + 1) % all.count]
    }
}

/// Who encodes sixel pictures.
nonisolated public enum EncoderChoice: String, Sendable, Hashable, CaseIterable {
    /// libsixel for still pictures, our own for live ones.
    case automatic
    case own
    case libsixel
}
