// What panes draw with, and where they note what a click does.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What lies under the pointer.
enum HitTarget {
    case actions([Action])
    /// The picture being painted on.
    case canvas(CanvasArea)
    /// The preview's picture: wheel zooms, middle drag pans.
    case preview(Rect)
    /// A bar of so many passes.
    case scrub(passes: Int, Rect)
    /// The slider that turns an input by hand.
    case turn(Rect)
    case pane(PaneID)
    case divider(Layout<LayoutSlot>.Divider)
    case panel(FilterPanel, Rect)
    case menu(Menu, Point, Rect)
    case dialog(Dialog, Rect)
    /// The columns of a row; nil on their frame.
    case columns(ColumnsArea?)
    /// Outside of a popup: a click closes it.
    case shade
}

/// Where a picture stands on the screen, to turn pointer positions into its pixels.
struct CanvasArea {
    /// Absolute cells.
    var rect: Rect
    var cellSize: PixelSize
    /// What the mouse calls a cell where it counts pixels.
    var mouseCell: PixelSize
    var geometry: PictureGeometry

    /// The picture's pixel under a mouse position; the nearest one from beside the picture.
    func point(_ event: MouseEvent) -> MaskPoint {
        let x: Int
        let y: Int
        if let pixel = event.pixel {
            x =
                (pixel.x - rect.x * mouseCell.width) * cellSize.width / max(1, mouseCell.width)
            y =
                (pixel.y - rect.y * mouseCell.height) * cellSize.height
                / max(1, mouseCell.height)
        } else {
            x = (event.cell.x - rect.x) * cellSize.width + cellSize.width / 2
            y = (event.cell.y - rect.y) * cellSize.height + cellSize.height / 2
        }
        let found = geometry.nearestSourcePixel(to: PixelPoint(x: x, y: y))
        return MaskPoint(x: found.x, y: found.y)
    }

    /// Whether a mouse position is on the picture itself.
    func contains(_ event: MouseEvent) -> Bool { rect.contains(event.cell) }
}

/// Notes of one frame: what clicks mean, and where the cursor stands.
final class FrameNotes {
    private var targets: [(rect: Rect, target: HitTarget)] = []
    /// Absolute cell of the real cursor.
    var cursor: Point?
    var isCursorVisible = false
    /// Absolute cells of what takes the keys: the focused pane, or the popup over it.
    var focus: Rect?
    /// Tiles beside one another in the gallery, if it was drawn.
    var galleryColumns: Int?

    func add(_ rect: Rect, _ target: HitTarget) {
        if !rect.isEmpty { targets.append((rect, target)) }
        switch target {
        case .panel, .menu, .dialog, .columns: focus = rect
        case .shade: focus = nil
        default: break
        }
    }

    /// What was drawn last at a cell.
    func target(at point: Point) -> HitTarget? {
        targets.last { $0.rect.contains(point) }?.target
    }

    /// The pane under a cell.
    func pane(at point: Point) -> PaneID? {
        for (rect, target) in targets.reversed() where rect.contains(point) {
            if case .pane(let pane) = target { return pane }
        }
        return nil
    }
}

/// What a pane draws with.
struct DrawContext {
    let state: AppState
    let theme: Theme
    let pictures: PictureStore
    let notes: FrameNotes
    var bindings: KeyBindings { state.bindings }

    /// Whether colours beside those of the theme may be used, in maps of values.
    var hasFreeColors: Bool {
        state.terminal.colors > .ansi16 && !theme.usesOnlyOwnColors
    }
    var isASCII: Bool { state.options.usesASCIIBorders }
    var popupBorder: BorderSet { isASCII ? .ascii : .rounded }

    /// A symbol, or its plain stand-in where borders are plain too.
    func symbol(_ fancy: String, _ plain: String) -> String { isASCII ? plain : fancy }

    /// Notes what a click on a rectangle of the region being drawn does.
    func click(_ rect: Rect, on surface: Surface, _ actions: [Action]) {
        let origin = surface.origin
        notes.add(rect.offset(x: origin.x, y: origin.y), .actions(actions))
    }

    /// Puts the real cursor, for screen readers, or seen where text is typed.
    func cursor(x: Int, y: Int, on surface: Surface, isVisible: Bool = false) {
        notes.cursor = Point(x: x + surface.origin.x, y: y + surface.origin.y)
        notes.isCursorVisible = isVisible
    }
}

/// One pane: it draws from the state and says what the mouse means; keys come from the table.
protocol Pane {
    static var id: PaneID { get }
    /// Draws into the whole region of the surface.
    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool)
}
