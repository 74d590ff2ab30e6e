// What an edit keeps and what it repaints, on the token grids.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The source's tokens and the cells that may change.
///
/// Source: ours, after hmar's zero-shot editing: kept cells hold the source's codes at every scale.
struct EditPlan {
    /// Per scale, B·p_k² codes of the source.
    var source: [[Int32]]
    /// The source's feature f, [B, Z, P, P]; for the residual anchor.
    var feature: Tensor?
    /// Per scale, p_k² flags.
    var editable: [[Bool]]
    /// Mask steps per scale.
    var maskSteps: [Int]
    var anchor: EditAnchor
    /// Rows for maps whose every cell may change, in place of the rule; nil = always the rule.
    var wholeRows: [[Int]]?

    /// S_k over the editable cells: the cosine rule with n = |U|.
    func row(scale: Int, editableCount: Int) -> [Int] {
        guard editableCount > 0 else { return [editable[scale].count] }
        if let wholeRows, editableCount == editable[scale].count { return wholeRows[scale] }
        return ScheduleFamily.cosine.row(
            tokenCount: editableCount, maskSteps: maskSteps[scale])
    }

    /// The codes that kept cells hold at a scale, B·p_k².
    func anchorTokens(scale: Int, fhat: Tensor, quantizer: Quantizer) -> [Int32] {
        guard anchor == .residual, let feature else { return source[scale] }
        // What is still missing of the source, given what was really drawn so far.
        return quantizer.nearest(feature - fhat, scale: scale).int32s()
    }

    /// Which cells may change.
    ///
    /// A cell is editable where more than half of its area is to be repainted; the 1×1 map and every
    /// map below `keepScales` are kept wholly.
    /// - Parameters:
    ///   - mask: [S, S] values in [0, 1], 1 = repaint.
    ///   - dilate: cells by which every grid's set is grown, in the 8-neighbourhood.
    static func editableCells(
        mask: Tensor, patchNums: [Int], keepScales: Int, dilate: Int
    ) -> [[Bool]] {
        let map = mask.reshaped([1, 1, mask.shape[0], mask.shape[1]])
        return patchNums.enumerated().map { scale, side in
            guard scale > 0, scale >= keepScales else {
                return [Bool](repeating: false, count: side * side)
            }
            let cells = resized(map, to: (side, side), method: .area).floats().map { $0 > 0.5 }
            return (0..<max(0, dilate)).reduce(cells) { grown, _ in dilated(grown, side: side) }
        }
    }

    private static func dilated(_ cells: [Bool], side: Int) -> [Bool] {
        cells.indices.map { i in
            let (row, column) = (i / side, i % side)
            for y in max(0, row - 1)...min(side - 1, row + 1) {
                for x in max(0, column - 1)...min(side - 1, column + 1)
                where cells[y * side + x] {
                    return true
                }
            }
            return false
        }
    }
}
