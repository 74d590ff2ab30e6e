// Where the composer puts text; curses in the program, a recorder in tests.
// SPDX-License-Identifier: Apache-2.0

/// Turns rows of cells into the bytes that change a terminal's text.
package protocol TextScreen: AnyObject {
    /// Sets a whole row.
    func put(row: Int, cells: ArraySlice<Cell>)
    /// Where the cursor stands after the next bytes; nil for anywhere, hidden.
    func setCursor(_ point: Point?, isVisible: Bool)
    /// The next bytes clear the screen and send every cell.
    func redraw()
    /// The screen has a new size; `redraw` follows.
    func resize(_ size: CellSize)
    /// What has to be sent since the last call; empty when nothing changed.
    ///
    /// - Parameter keepingLines: whether no line may be moved to another row: pictures would move
    ///   with it.
    func takeBytes(keepingLines: Bool) -> [UInt8]
}
