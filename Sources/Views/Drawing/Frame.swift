// A whole screen as a value: cells, pictures and the cursor.
// SPDX-License-Identifier: Apache-2.0

/// A picture shown in a rectangle of cells.
///
/// The pixels are scaled by the provider to exactly `rect` times the terminal's cell size.
nonisolated public struct PicturePlacement: Sendable, Hashable {
    /// Who the picture is; one id may stand in several places.
    public var id: Int
    /// Counts up with every change of its pixels.
    public var version: Int
    /// Its full place, in absolute cells once placed on a surface. What lies outside of the
    /// surface or under later text is not shown.
    public var rect: Rect

    public init(id: Int, version: Int, rect: Rect) {
        self.id = id
        self.version = version
        self.rect = rect
    }
}

/// What is on the screen at one moment: comparable, printable and testable without a terminal.
nonisolated public struct Frame: Sendable, Equatable {
    public var surface: Surface
    /// Where the real cursor stands (screen readers follow it); hidden when nil.
    public var cursor: Point?
    /// Whether the cursor is seen or only stands there.
    public var isCursorVisible: Bool
    /// The protocol that its pictures are sent in.
    public var format: GraphicsFormat
    /// Where keys have their effect: a slow line gets it first. Nil for the whole screen.
    public var focus: Rect?

    public init(
        surface: Surface, cursor: Point? = nil, isCursorVisible: Bool = false,
        format: GraphicsFormat = .sixel, focus: Rect? = nil
    ) {
        self.format = format
        self.focus = focus
        self.surface = surface
        self.cursor = cursor
        self.isCursorVisible = isCursorVisible
    }

    public init(size: CellSize) { self.init(surface: Surface(size: size)) }

    public var size: CellSize { surface.size }
    /// The pictures of the frame, in the order they were placed.
    public var placements: [PicturePlacement] { surface.placements }
}
