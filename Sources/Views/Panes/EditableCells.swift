// Which token cells an edit may change, for showing before it is run.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A cell may change if more than half of its pixels are masked; the 1×1 scale and the scales kept
/// never change. The growth by cells comes after.
nonisolated enum EditableCells {
    /// Cells that change, for every scale.
    static func counts(_ state: MaskState, patchNums: [Int]) -> [Int] {
        guard let mask = state.mask else { return patchNums.map { _ in 0 } }
        return patchNums.enumerated().map { scale, side in
            if scale < state.settings.keepScales { return 0 }
            if state.settings.mode == .vary { return side * side }
            if side == 1 { return 0 }
            if state.settings.mode == .repaint {
                let share = Double(state.settings.share) / 100
                return share > 0 ? max(1, Int((share * Double(side * side)).rounded())) : 0
            }
            return cells(mask, side: side, grownBy: state.settings.dilate).filter { $0 }.count
        }
    }

    /// The cells of one scale that an edit may change; nil where only the run will tell (`repaint`).
    static func flags(_ state: MaskState, scale: Int, side: Int) -> [Bool]? {
        guard let mask = state.mask else { return nil }
        let none = [Bool](repeating: false, count: side * side)
        if scale < state.settings.keepScales { return none }
        switch state.settings.mode {
        case .vary: return none.map { _ in true }
        case .repaint: return nil
        case .inpaint, .outpaint, .classEdit:
            return side == 1 ? none : cells(mask, side: side, grownBy: state.settings.dilate)
        }
    }

    static func cells(_ mask: PixelMask, side: Int, grownBy dilate: Int) -> [Bool] {
        var cells = [Bool](repeating: false, count: side * side)
        for row in 0..<side {
            for column in 0..<side {
                cells[row * side + column] = share(mask, row, column, side: side) > 0.5
            }
        }
        for _ in 0..<dilate {
            let old = cells
            for row in 0..<side {
                for column in 0..<side where !old[row * side + column] {
                    let rows = max(0, row - 1)...min(side - 1, row + 1)
                    let columns = max(0, column - 1)...min(side - 1, column + 1)
                    cells[row * side + column] = rows.contains { y in
                        columns.contains { old[y * side + $0] }
                    }
                }
            }
        }
        return cells
    }

    /// The masked share of a cell's area, pixels on its edge counted by the part inside.
    private static func share(_ mask: PixelMask, _ row: Int, _ column: Int, side: Int) -> Double {
        let width = Double(mask.width) / Double(side)
        let height = Double(mask.height) / Double(side)
        let left = Double(column) * width
        let top = Double(row) * height
        var sum = 0.0
        for y in Int(top)..<min(mask.height, Int((top + height).rounded(.up))) {
            let rowShare = min(top + height, Double(y + 1)) - max(top, Double(y))
            for x in Int(left)..<min(mask.width, Int((left + width).rounded(.up)))
            where mask[x, y] {
                sum += (min(left + width, Double(x + 1)) - max(left, Double(x))) * rowShare
            }
        }
        return sum / (width * height)
    }
}
