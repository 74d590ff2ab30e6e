// SGR mouse reports, counted in cells or in pixels.
// SPDX-License-Identifier: Apache-2.0

/// Reads `CSI < b;x;y M` and `m`.
nonisolated public struct MouseDecoder: Sendable {
    /// Pixels of a cell once the terminal reports pixels (mode 1016); nil while it reports cells.
    public var pixelsPerCell: PixelSize?
    /// The text area: reports outside are moved to its edge.
    public var bounds = CellSize(columns: 10_000, rows: 10_000)

    public init() {}

    func event(of sequence: ControlSequence) -> InputEvent? {
        guard sequence.mark == 0x3C, sequence.final == 0x4D || sequence.final == 0x6D,
            sequence.numbers.count == 3
        else { return nil }
        let code = sequence.number(0, default: 0)
        // Extra buttons (bit 7) do nothing here.
        guard code & 0x80 == 0 else { return nil }
        // Both forms count from 1.
        let x = max(0, sequence.number(1) - 1)
        let y = max(0, sequence.number(2) - 1)
        var cell = Point(x: x, y: y)
        var pixel: PixelPoint?
        if let size = pixelsPerCell, size.width > 0, size.height > 0 {
            pixel = PixelPoint(
                x: min(x, bounds.columns * size.width - 1),
                y: min(y, bounds.rows * size.height - 1))
            cell = Point(x: x / size.width, y: y / size.height)
        }
        cell.x = max(0, min(cell.x, bounds.columns - 1))
        cell.y = max(0, min(cell.y, bounds.rows - 1))

        var modifiers: KeyModifiers = []
        if code & 4 != 0 { modifiers.insert(.shift) }
        if code & 8 != 0 { modifiers.insert(.alt) }
        if code & 16 != 0 { modifiers.insert(.control) }

        let kind: MouseEvent.Kind
        var button = MouseEvent.Button.none
        if code & 64 != 0 {
            let wheels: [MouseEvent.Kind] = [.wheelUp, .wheelDown, .wheelLeft, .wheelRight]
            kind = wheels[code & 3]
            if sequence.final == 0x6D { return nil }
        } else {
            let buttons: [MouseEvent.Button] = [.left, .middle, .right, .none]
            button = buttons[code & 3]
            if sequence.final == 0x6D {
                kind = .release
            } else if code & 32 != 0 {
                kind = button == .none ? .motion : .drag
            } else {
                kind = .press
            }
        }
        return .mouse(
            MouseEvent(kind, button: button, cell: cell, pixel: pixel, modifiers: modifiers))
    }
}
