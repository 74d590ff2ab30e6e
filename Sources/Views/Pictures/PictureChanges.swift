// Which cells of a picture differ between two snapshots. SPDX-License-Identifier: Apache-2.0
import Core

/// The difference of two snapshots of the same picture.
nonisolated struct PictureChanges {
    private let before: PictureContent
    private let after: PictureContent

    init(_ before: PictureContent, _ after: PictureContent) {
        self.before = before
        self.after = after
    }

    /// Rectangles of cells that hold every changed pixel; nil when most of the picture changed or
    /// the two can't be compared. Empty when nothing visible changed.
    func cells(_ cells: CellSize, cellSize: PixelSize) -> [Rect]? {
        guard before.image.width == after.image.width, before.image.height == after.image.height,
            before.source == after.source, before.background == after.background,
            before.kind == after.kind, cellSize.width > 0, cellSize.height > 0
        else { return nil }
        let target = PixelSize(
            width: cells.columns * cellSize.width, height: cells.rows * cellSize.height)
        let geometry = after.geometry(in: target)
        // First and last changed column of cells, for every row of cells.
        var spans = [ClosedRange<Int>?](repeating: nil, count: cells.rows)
        func mark(_ part: PixelRect) {
            // One source pixel of margin: the filter mixes neighbours and edges look at them.
            let wide = PixelRect(
                x: part.x - 1, y: part.y - 1, width: part.width + 2, height: part.height + 2)
            let rect = geometry.targetRect(of: wide)
            guard !rect.isEmpty else { return }
            let left = max(0, rect.x / cellSize.width)
            let right = min(cells.columns - 1, (rect.maxX - 1) / cellSize.width)
            let top = max(0, rect.y / cellSize.height)
            let bottom = min(cells.rows - 1, (rect.maxY - 1) / cellSize.height)
            guard left <= right, top <= bottom else { return }
            for row in top...bottom {
                if let old = spans[row] {
                    spans[row] = min(old.lowerBound, left)...max(old.upperBound, right)
                } else {
                    spans[row] = left...right
                }
            }
        }
        guard markMask(mark) else { return nil }
        markPixels(mark)
        for outline in Set(before.outlines).symmetricDifference(after.outlines) {
            mark(outline.bounds())
        }
        let area = spans.reduce(0) { $0 + ($1?.count ?? 0) }
        if 2 * area > cells.columns * cells.rows { return nil }
        return merged(spans)
    }

    /// Rows with the same span become one rectangle.
    private func merged(_ spans: [ClosedRange<Int>?]) -> [Rect] {
        var result: [Rect] = []
        for (row, span) in spans.enumerated() {
            guard let span else { continue }
            if let last = result.last, last.maxY == row, last.x == span.lowerBound,
                last.width == span.count
            {
                result[result.count - 1] = Rect(
                    x: last.x, y: last.y, width: last.width, height: last.height + 1)
            } else {
                result.append(Rect(x: span.lowerBound, y: row, width: span.count, height: 1))
            }
        }
        return result
    }

    private func markPixels(_ mark: (PixelRect) -> Void) {
        let width = after.image.width
        before.image.pixels.withUnsafeBufferPointer { old in
            after.image.pixels.withUnsafeBufferPointer { new in
                if old.baseAddress == new.baseAddress { return }
                // Bounds: both have 3·width·height bytes.
                for y in 0..<after.image.height {
                    let start = y * width * 3
                    markSpan(y: y, width: width, mark) { x in
                        let i = start + 3 * x
                        return old[i] != new[i] || old[i + 1] != new[i + 1]
                            || old[i + 2] != new[i + 2]
                    }
                }
            }
        }
    }

    /// False if the masks can't be compared.
    private func markMask(_ mark: (PixelRect) -> Void) -> Bool {
        guard let old = before.overlay, let new = after.overlay else {
            return before.overlay == nil && after.overlay == nil
        }
        guard old.tint == new.tint, old.edge == new.edge, old.mask.width == new.mask.width,
            old.mask.height == new.mask.height
        else { return false }
        let width = new.mask.width
        old.mask.repaint.withUnsafeBufferPointer { a in
            new.mask.repaint.withUnsafeBufferPointer { b in
                if a.baseAddress == b.baseAddress { return }
                // Bounds: both have width·height entries.
                for y in 0..<new.mask.height {
                    markSpan(y: y, width: width, mark) { a[y * width + $0] != b[y * width + $0] }
                }
            }
        }
        return true
    }

    /// Marks from the first to the last changed pixel of a row.
    @inline(__always)
    private func markSpan(
        y: Int, width: Int, _ mark: (PixelRect) -> Void, _ differs: (Int) -> Bool
    ) {
        var first = 0
        while first < width, !differs(first) { first += 1 }
        guard first < width else { return }
        var last = width - 1
        while !differs(last) { last -= 1 }
        mark(PixelRect(x: first, y: y, width: last - first + 1, height: 1))
    }
}
