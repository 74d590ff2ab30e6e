// One cell of the screen.
// SPDX-License-Identifier: Apache-2.0

/// One cell: a grapheme cluster with its style, or a piece of a picture.
nonisolated public struct Cell: Sendable, Hashable {
    /// The cluster; a no-break space under pictures.
    public var character: Character
    /// Columns taken: 1 or 2, and 0 for the right half of a wide cluster.
    public var width: UInt8
    /// 1 + the index of the picture placement that this cell shows; 0 for text.
    public var picture: UInt16
    public var style: Style

    public init(_ character: Character, width: Int = 1, style: Style = .plain) {
        self.character = character
        self.width = UInt8(width)
        self.picture = 0
        self.style = style
    }

    public static let blank = Cell(" ")

    /// What fills the cells under a picture: never blank to curses, so no erase covers it.
    static let pictureFiller: Character = "\u{00A0}"

    /// Looks like a blank but is none to curses: written again when what stands there goes.
    static let heldBlank: Character = "\u{2002}"
}
