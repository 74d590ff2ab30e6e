// Dots, lines and circles in braille characters, 2×4 dots a cell.
// SPDX-License-Identifier: Apache-2.0

/// A grid of dots; on a usual terminal font they are square.
nonisolated public struct BrailleDots: Sendable, Equatable {
    public let columns: Int
    public let rows: Int
    private var cells: [UInt8]

    public init(columns: Int, rows: Int) {
        self.columns = max(0, columns)
        self.rows = max(0, rows)
        cells = [UInt8](repeating: 0, count: self.columns * self.rows)
    }

    /// Dots from left to right.
    public var width: Int { 2 * columns }
    /// Dots from top to bottom.
    public var height: Int { 4 * rows }

    /// Bits of the dots of a cell, by row and column (Unicode 2800).
    private static let bits: [[UInt8]] = [
        [0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80],
    ]

    /// Sets a dot; one outside of the grid has no effect.
    public mutating func set(_ x: Int, _ y: Int) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        cells[y / 4 * columns + x / 2] |= BrailleDots.bits[y % 4][x % 2]
    }

    /// Bresenham's line.
    public mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int)) {
        let dx = abs(b.x - a.x)
        let dy = -abs(b.y - a.y)
        let stepX = a.x < b.x ? 1 : -1
        let stepY = a.y < b.y ? 1 : -1
        var (x, y) = a
        var error = dx + dy
        while true {
            set(x, y)
            if (x, y) == b { return }
            let doubled = 2 * error
            if doubled >= dy {
                error += dy
                x += stepX
            }
            if doubled <= dx {
                error += dx
                y += stepY
            }
        }
    }

    /// Adds the dots of a grid of the same size.
    public mutating func formUnion(_ other: BrailleDots) {
        guard other.columns == columns, other.rows == rows else { return }
        for i in cells.indices { cells[i] |= other.cells[i] }
    }

    /// Whether a cell has any dot.
    public func isSet(column: Int, row: Int) -> Bool { cells[row * columns + column] != 0 }

    /// The character of a cell; nil if it has no dots.
    ///
    /// - Parameter usesASCII: `.`, `*` or `#` by how many dots are set.
    public func character(_ column: Int, _ row: Int, usesASCII: Bool = false) -> Character? {
        let bits = cells[row * columns + column]
        guard bits != 0 else { return nil }
        if usesASCII {
            let count = bits.nonzeroBitCount
            return count < 3 ? "." : count < 6 ? "*" : "#"
        }
        guard let scalar = Unicode.Scalar(0x2800 + UInt32(bits)) else { return nil }
        return Character(scalar)
    }

    /// Puts the cells that have dots; the others keep what they show.
    ///
    /// - Parameter mask: of the same size; only cells where it has dots too are put.
    public func draw(
        into surface: inout Surface, x: Int, y: Int, style: Style, usesASCII: Bool = false,
        where mask: BrailleDots? = nil
    ) {
        for row in 0..<rows {
            for column in 0..<columns where mask?.isSet(column: column, row: row) ?? true {
                guard let character = character(column, row, usesASCII: usesASCII) else {
                    continue
                }
                surface.put(character, x: x + column, y: y + row, style: style)
            }
        }
    }
}
