// The lasso's polygon and brushes with soft edges. SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension PixelMask {
    /// Sets the inside of a closed line through pixels, and the line itself.
    mutating func lasso(_ path: [MaskPoint], value: Bool) {
        guard let first = path.first else { return }
        for (a, b) in zip(path, path.dropFirst() + [first]) {
            line(from: a, to: b, size: 1, value: value)
        }
        guard path.count > 2 else { return }
        let top = max(0, path.map(\.y).min() ?? 0)
        let bottom = min(height - 1, path.map(\.y).max() ?? 0)
        guard top <= bottom else { return }
        for y in top...bottom {
            // Where the edges cross the middle of the row; between odd and even ones lies the inside.
            let middle = Double(y) + 0.5
            var crossings: [Double] = []
            for (a, b) in zip(path, path.dropFirst() + [first]) {
                let (ay, by) = (Double(a.y) + 0.5, Double(b.y) + 0.5)
                guard (ay <= middle) != (by <= middle) else { continue }
                let t = (middle - ay) / (by - ay)
                crossings.append(Double(a.x) + 0.5 + t * Double(b.x - a.x))
            }
            crossings.sort()
            for i in stride(from: 0, to: crossings.count - 1, by: 2) {
                let from = max(0, Int((crossings[i] - 0.5).rounded(.up)))
                let to = min(width - 1, Int((crossings[i + 1] - 0.5).rounded(.down)))
                guard from <= to else { continue }
                for x in from...to { self[x, y] = value }
            }
        }
    }

    /// Thresholds of a 4 × 4 ordered dither, 1/32 … 31/32.
    private static let thresholds: [Double] = [
        0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5,
    ]
    .map { (Double($0) + 0.5) / 16 }

    /// A dab whose edge thins out: full within `hardness` percent of the radius, then ever fewer pixels.
    ///
    /// A mask has no half values: the edge is dithered by absolute place, so strokes over one another
    /// don't fill it up.
    mutating func softDab(_ point: MaskPoint, size: Int, hardness: Int, value: Bool) {
        guard hardness < 100, size > 2 else { return dab(point, size: size, value: value) }
        let radius = Double(size) / 2
        let hard = radius * Double(max(0, hardness)) / 100
        let shift = size % 2 == 0 ? 0.5 : 0.0
        let reach = size / 2 + 1
        for y in max(0, point.y - reach)..<max(0, min(height, point.y + reach + 1)) {
            for x in max(0, point.x - reach)..<max(0, min(width, point.x + reach + 1)) {
                let dx = Double(x - point.x) + shift
                let dy = Double(y - point.y) + shift
                let distance = (dx * dx + dy * dy).squareRoot()
                guard distance <= radius else { continue }
                let share = distance <= hard ? 1 : (radius - distance) / (radius - hard)
                if share > Self.thresholds[(y & 3) * 4 + (x & 3)] { self[x, y] = value }
            }
        }
    }

    /// A line of soft dabs, one for every pixel step.
    mutating func softLine(
        from a: MaskPoint, to b: MaskPoint, size: Int, hardness: Int, value: Bool
    ) {
        guard hardness < 100 else { return line(from: a, to: b, size: size, value: value) }
        let steps = max(abs(b.x - a.x), abs(b.y - a.y))
        for i in 0...max(steps, 0) {
            let t = steps == 0 ? 0 : Double(i) / Double(steps)
            let x = (Double(a.x) + t * Double(b.x - a.x)).rounded()
            let y = (Double(a.y) + t * Double(b.y - a.y)).rounded()
            softDab(
                MaskPoint(x: Int(x), y: Int(y)), size: size, hardness: hardness, value: value)
        }
    }

    /// The pixels of cells of a side × side grid.
    init(cells: [Bool], side: Int, width: Int, height: Int) {
        self.init(width: width, height: height)
        guard cells.count == side * side else { return }
        for y in 0..<height {
            let row = y * side / height * side
            for x in 0..<width where cells[row + x * side / width] { self[x, y] = true }
        }
    }
}
