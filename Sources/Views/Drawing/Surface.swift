// An array of cells that panes draw into, clipped to the region being drawn.
// SPDX-License-Identifier: Apache-2.0

/// A grid of cells with clipping.
///
/// Coordinates are local to the region being drawn (`drawing(in:)` narrows it), from 0 at its top
/// left. Nothing drawn outside of the region has an effect, so panes need no bounds checks.
nonisolated public struct Surface: Sendable, Equatable {
    public let size: CellSize
    /// Row after row, `size.columns` each.
    public private(set) var cells: [Cell]
    /// Pictures in absolute cells; a cell's `picture` points in here (plus 1).
    public private(set) var placements: [PicturePlacement] = []
    /// The region being drawn, in absolute cells; may reach outside of the surface.
    private var region: Rect
    /// What of it may be touched.
    private var clip: Rect

    public init(size: CellSize, style: Style = .plain) {
        let columns = max(0, size.columns)
        let rows = max(0, size.rows)
        self.size = CellSize(columns: columns, rows: rows)
        cells = Array(repeating: Cell(" ", style: style), count: columns * rows)
        region = Rect(size: self.size)
        clip = region
    }

    /// The region being drawn in its own coordinates: origin 0, 0.
    public var bounds: Rect { Rect(size: region.size) }

    /// Where the region's top left lies on the screen.
    public var origin: Point { Point(x: region.x, y: region.y) }

    /// Draws inside of a part of the current region, in that part's own coordinates.
    @discardableResult
    public mutating func drawing<Result>(
        in rect: Rect, _ body: (inout Surface) throws -> Result
    ) rethrows -> Result {
        let saved = (region, clip)
        region = rect.offset(x: region.x, y: region.y)
        clip = region.intersection(clip)
        defer { (region, clip) = saved }
        return try body(&self)
    }

    /// The cell at a place of the current region; nil outside.
    public subscript(x: Int, y: Int) -> Cell? {
        let absolute = Point(x: x + region.x, y: y + region.y)
        return clip.contains(absolute) ? cells[absolute.y * size.columns + absolute.x] : nil
    }

    // MARK: Steps from one screen to another

    /// This surface's cells with the pictures of another of its size; where a picture stood that is
    /// not there any more, the other's cells.
    func adopting(placementsOf other: Surface) -> Surface {
        var result = self
        result.placements = other.placements
        let marks = placements.map { old in
            other.placements.firstIndex { $0.id == old.id && $0.rect == old.rect }.map {
                UInt16($0 + 1)
            }
        }
        for index in cells.indices where cells[index].picture != 0 {
            if let mark = marks[Int(cells[index].picture) - 1] {
                result.cells[index].picture = mark
            } else {
                result.cells[index] = other.cells[index]
            }
        }
        for row in 0..<size.rows { result.mendWide(row) }
        return result
    }

    /// Takes a part of a row over from a surface of the same size, in absolute cells.
    mutating func take(_ columns: Range<Int>, row: Int, from other: Surface) {
        let start = row * size.columns
        for index in start + columns.lowerBound..<start + columns.upperBound {
            cells[index] = other.cells[index]
        }
        mendWide(row)
    }

    /// Makes blanks of halves of wide clusters whose other half is not there.
    private mutating func mendWide(_ row: Int) {
        let start = row * size.columns
        for index in start..<start + size.columns {
            let isLone =
                switch cells[index].width {
                case 0: index == start || cells[index - 1].width != 2
                case 2: index + 1 == start + size.columns || cells[index + 1].width != 0
                default: false
                }
            if isLone { cells[index] = Cell(" ", style: cells[index].style) }
        }
    }

    // MARK: Drawing

    /// Puts a text on one row; returns the column after it. Wide clusters are never halved.
    @discardableResult
    public mutating func put(_ text: some StringProtocol, x: Int, y: Int, style: Style = .plain)
        -> Int
    {
        var column = x
        for character in text {
            column = put(character, x: column, y: y, style: style)
        }
        return column
    }

    /// Puts one cluster; returns the column after it.
    @discardableResult
    public mutating func put(_ character: Character, x: Int, y: Int, style: Style = .plain) -> Int {
        let shown = CharacterWidth.printable(character)
        let width = CharacterWidth.of(shown)
        let left = x + region.x
        let row = y + region.y
        guard row >= clip.y, row < clip.maxY, left < clip.maxX, left + width > clip.x else {
            return x + width
        }
        if left < clip.x || left + width > clip.maxX {
            // Half of a wide cluster is outside: the other half is a blank.
            let visible = left < clip.x ? clip.x : left
            set(visible, row, Cell(" ", style: style))
        } else {
            set(left, row, Cell(shown, width: width, style: style))
            if width == 2 { set(left + 1, row, Cell(" ", width: 0, style: style)) }
        }
        return x + width
    }

    /// Puts a text cut to `width` columns, padded to them, aligned.
    public mutating func put(
        _ text: String, x: Int, y: Int, width: Int, alignment: TextAlignment = .leading,
        style: Style = .plain
    ) {
        guard width > 0 else { return }
        let shown = CharacterWidth.truncate(text, to: width)
        let gap = width - CharacterWidth.of(shown)
        let left =
            switch alignment {
            case .leading: 0
            case .center: gap / 2
            case .trailing: gap
            }
        fill(Rect(x: x, y: y, width: width, height: 1), style: style)
        put(shown, x: x + left, y: y, style: style)
    }

    /// Fills a rectangle with one cluster of width 1.
    public mutating func fill(_ rect: Rect, with character: Character = " ", style: Style = .plain)
    {
        let area = rect.offset(x: region.x, y: region.y).intersection(clip)
        let shown = CharacterWidth.printable(character)
        let cell = Cell(CharacterWidth.of(shown) == 1 ? shown : " ", style: style)
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX { set(column, row, cell) }
        }
    }

    /// Changes the style of what stands in a rectangle and keeps its text.
    public mutating func restyle(_ rect: Rect, _ change: (Style) -> Style) {
        let area = rect.offset(x: region.x, y: region.y).intersection(clip)
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX where cells[row * size.columns + column].picture == 0 {
                let index = row * size.columns + column
                cells[index].style = change(cells[index].style)
            }
        }
    }

    /// Whether every cell of a placement shows it: nothing lies over it or beside the surface.
    func isWhole(_ placement: PicturePlacement) -> Bool {
        guard let index = placements.lastIndex(of: placement),
            placement.rect.intersection(Rect(size: size)) == placement.rect
        else { return false }
        let mark = UInt16(index + 1)
        for row in placement.rect.y..<placement.rect.maxY {
            for column in placement.rect.x..<placement.rect.maxX
            where cells[row * size.columns + column].picture != mark { return false }
        }
        return true
    }

    /// Shows a picture in a rectangle of the current region. Text put later covers it.
    ///
    /// The last row of the screen never carries a picture (it would scroll), nor does anything
    /// past the right edge; those cells stay as they are.
    public mutating func place(picture id: Int, version: Int, in rect: Rect) {
        let full = rect.offset(x: region.x, y: region.y)
        let allowed = Rect(x: 0, y: 0, width: size.columns, height: size.rows - 1)
        let area = full.intersection(clip).intersection(allowed)
        guard !area.isEmpty, placements.count < Int(UInt16.max) - 1 else { return }
        placements.append(PicturePlacement(id: id, version: version, rect: full))
        var cell = Cell(Cell.pictureFiller)
        cell.picture = UInt16(placements.count)
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX {
                // Until the pixels come, and where they are taken away, the pane's own ground.
                let style = cells[row * size.columns + column].style
                cell.style = Style.plain.background(style.background)
                set(column, row, cell)
            }
        }
    }

    /// Writes one cell by absolute place and mends wide clusters that it cuts in half.
    private mutating func set(_ column: Int, _ row: Int, _ cell: Cell) {
        let index = row * size.columns + column
        if cells[index].width == 2, cell.width != 2, column + 1 < size.columns {
            cells[index + 1].character = " "
            cells[index + 1].width = 1
        }
        if cells[index].width == 0, cell.width != 0, column > 0 {
            cells[index - 1].character = " "
            cells[index - 1].width = 1
        }
        if cell.width == 2, column + 1 < size.columns, cells[index + 1].width == 2,
            column + 2 < size.columns
        {
            cells[index + 2].character = " "
            cells[index + 2].width = 1
        }
        cells[index] = cell
    }
}

/// Where a text stands in a field.
nonisolated public enum TextAlignment: Sendable, Hashable {
    case leading
    case center
    case trailing
}
