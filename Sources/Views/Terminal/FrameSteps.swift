// On a slow line a frame goes in steps, what the person works in first. SPDX-License-Identifier: Apache-2.0

/// Chooses what of a new frame a slow line gets next.
///
/// A frame of the whole screen takes half a second at 20 kB/s, and a key pressed meanwhile would wait
/// behind it. So each step is small, begins with the pane or popup that takes the keys, and goes on
/// in the others where the last step ended.
nonisolated struct FrameSteps: Sendable {
    /// Steps in a row that had room for the focus alone before the rest gets its turn.
    static let mostForFocus = 3
    /// Bytes that move the cursor, and that change the colours.
    static let moveBytes = 6
    static let styleBytes = 20

    private var nextRow = 0
    private var forFocus = 0

    /// The next screen on the way from one to another of the same size; equal to the last one's
    /// surface when that was the last step.
    ///
    /// - Parameters:
    ///   - bytes: about as many as the step may take; at least one row is taken.
    ///   - focusOnly: whether the rest of the screen waits.
    mutating func step(from shown: Surface, to frame: Frame, bytes: Int, focusOnly: Bool = false)
        -> Surface
    {
        let wanted = frame.surface
        var result = shown.adopting(placementsOf: wanted)
        let focus = (frame.focus ?? Rect(size: wanted.size)).intersection(Rect(size: wanted.size))
        var spent = 0
        for row in focus.y..<focus.maxY {
            let columns = Self.whole(focus.x..<focus.maxX, row: row, wanted)
            let cost = Self.cost(of: columns, row: row, result, wanted)
            if cost == 0 { continue }
            if spent > 0, spent + cost > bytes { return result }
            result.take(columns, row: row, from: wanted)
            spent += cost
        }
        if focusOnly { return result }
        if spent > 0, forFocus < Self.mostForFocus {
            forFocus += 1
            return result
        }
        forFocus = 0
        let rows = wanted.size.rows
        let columns = wanted.size.columns
        spent = 0
        for offset in 0..<rows {
            let row = (nextRow + offset) % rows
            let cost = Self.cost(of: 0..<columns, row: row, result, wanted)
            if cost == 0 { continue }
            if spent > 0, spent + cost > bytes {
                nextRow = row
                return result
            }
            result.take(0..<columns, row: row, from: wanted)
            spent += cost
        }
        nextRow = 0
        return result
    }

    /// The columns with the other halves of wide clusters at both ends.
    private static func whole(_ columns: Range<Int>, row: Int, _ surface: Surface) -> Range<Int> {
        let start = row * surface.size.columns
        func isRightHalf(_ column: Int) -> Bool {
            column < surface.size.columns && surface.cells[start + column].width == 0
        }
        guard !columns.isEmpty else { return columns }
        let left = columns.lowerBound - (isRightHalf(columns.lowerBound) ? 1 : 0)
        return max(0, left)..<columns.upperBound + (isRightHalf(columns.upperBound) ? 1 : 0)
    }

    /// About how many bytes a part of a row takes.
    private static func cost(
        of columns: Range<Int>, row: Int, _ shown: Surface, _ wanted: Surface
    ) -> Int {
        let start = row * wanted.size.columns
        var bytes = 0
        var last: Cell?
        for index in start + columns.lowerBound..<start + columns.upperBound {
            let cell = wanted.cells[index]
            if cell == shown.cells[index] {
                last = nil
                continue
            }
            if last == nil { bytes += moveBytes }
            if last?.style != cell.style { bytes += styleBytes }
            bytes += cell.character.utf8.count
            last = cell
        }
        return bytes
    }
}
