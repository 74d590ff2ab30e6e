// Pictures inside panes: ids, fitting and showing.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Who a picture on the screen is; the store keeps one entry for each.
enum PictureID {
    static let preview = 1
    static let maskBefore = 2
    static let maskAfter = 3
    static let training = 4
    static func scale(_ index: Int) -> Int { 100 + index }
    static func batch(_ index: Int) -> Int { 200 + index }
    static func comparison(_ index: Int) -> Int { 300 + index }
    /// Pictures of the symmetry pane, counted on each side.
    static func symmetry(_ index: Int, side: Int) -> Int { 400 + 100 * side + index }
    static func pair(_ index: Int) -> Int { 350 + index }
    /// By place on the screen, not by picture: scrolling replaces pixels in place.
    static func gallery(_ place: Int) -> Int { 1000 + place }
}

extension DrawContext {
    /// Pixels of a cell as pictures use them: two half-blocks, or braille's eight dots.
    var pictureCell: PixelSize { state.pictureMode.pixelsPerCell(state.terminal) }

    /// What fills cells that a picture covers in part: the pane's ground as this terminal shows it,
    /// so that no edge is seen between the two.
    private var pictureGround: Color {
        let shown = state.terminal.colors.shown(theme[.background].background)
        return shown == .default ? state.terminal.background ?? .rgb(0, 0, 0) : shown
    }

    /// The smallest rectangle of cells in the middle of `rect` that shows the picture as large as
    /// it goes.
    func fitted(_ content: PictureContent, in rect: Rect) -> Rect {
        let cell = pictureCell
        let room = PixelSize(width: rect.width * cell.width, height: rect.height * cell.height)
        guard room.width > 0, room.height > 0 else { return .zero }
        let fit = content.geometry(in: room).fit
        let columns = (fit.width + cell.width - 1) / cell.width
        let rows = (fit.height + cell.height - 1) / cell.height
        return rect.centered(width: max(1, columns), height: max(1, rows))
    }

    /// Shows a picture as large as it goes in a rectangle; returns its cells in the same region.
    @discardableResult
    func show(
        _ content: PictureContent, id: Int, in rect: Rect, on surface: inout Surface,
        alignTop: Bool = false
    ) -> Rect {
        var content = content
        content.background = pictureGround
        var place = fitted(content, in: rect)
        if alignTop { place = place.offset(x: 0, y: rect.y - place.y) }
        guard !place.isEmpty else { return place }
        pictures.set(content, for: id)
        pictures.show(
            id, in: place, on: &surface, mode: state.pictureMode, capabilities: state.terminal,
            theme: theme)
        return place
    }

    /// The canvas of a shown picture, for the mouse.
    func canvas(_ content: PictureContent, at place: Rect, on surface: Surface) -> CanvasArea {
        let cell = pictureCell
        let size = PixelSize(width: place.width * cell.width, height: place.height * cell.height)
        // Half-blocks: cell positions count as one pixel wide and two high.
        return CanvasArea(
            rect: place.offset(x: surface.origin.x, y: surface.origin.y), cellSize: cell,
            mouseCell: state.terminal.cellSize, geometry: content.geometry(in: size))
    }
}
