// Where the bytes of a picture come from.
// SPDX-License-Identifier: Apache-2.0

/// How much effort a picture is worth; lowered when the terminal is slow to digest pictures.
nonisolated public enum PictureLevel: Int, Sendable, Hashable, Comparable {
    /// Half the pixels, fixed palette.
    case reduced
    /// Fixed palette, ordered dither.
    case fixedPalette
    /// As good as the provider can.
    case full

    public static func < (a: PictureLevel, b: PictureLevel) -> Bool { a.rawValue < b.rawValue }
}

/// A wish for the encoded bytes of a picture or of a tile of it.
nonisolated public struct PictureRequest: Sendable, Hashable {
    public var id: Int
    public var version: Int
    /// The whole picture's size on the screen.
    public var cells: CellSize
    /// Pixels of one cell; the picture is `cells` times this.
    public var cellSize: PixelSize
    /// The cells wanted, counted from the picture's top left: all of it, or a tile.
    public var part: Rect
    public var level: PictureLevel
    /// Colour registers of the terminal.
    public var registers: Int

    public init(
        id: Int, version: Int, cells: CellSize, cellSize: PixelSize, part: Rect,
        level: PictureLevel = .full, registers: Int = 256
    ) {
        self.id = id
        self.version = version
        self.cells = cells
        self.cellSize = cellSize
        self.part = part
        self.level = level
        self.registers = registers
    }

    /// Whether all of the picture is wanted.
    public var isWhole: Bool { part == Rect(size: cells) }
    /// Pixels of the whole picture.
    public var pixels: PixelSize {
        PixelSize(width: cells.columns * cellSize.width, height: cells.rows * cellSize.height)
    }
}

/// Encodes pictures for the terminal. Called on the main thread; slow work belongs to its own.
public protocol PictureProvider: AnyObject {
    /// The bytes, a whole sixel sequence without any position, for exactly the part asked for.
    ///
    /// Nil means not ready: the provider goes on in another thread and wakes the loop
    /// (`Wakeup.wake()`) when asking again will succeed.
    func encoded(_ request: PictureRequest) -> [UInt8]?

    /// The cells in which two versions of a picture of that size differ; nil when unknown or most
    /// of them. Lets a brush stroke send a few tiles instead of the picture.
    func changes(id: Int, from old: Int, to new: Int, cells: CellSize, cellSize: PixelSize)
        -> [Rect]?
}

extension PictureProvider {
    public func changes(
        id: Int, from old: Int, to new: Int, cells: CellSize, cellSize: PixelSize
    ) -> [Rect]? { nil }
}
