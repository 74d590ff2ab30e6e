// Brush, box, ellipse and fill on a mask, and the differences that undo keeps.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension PixelMask {
    /// Sets every pixel whose middle lies within half of `size` of a place; a size of 1 is one pixel.
    mutating func dab(_ point: MaskPoint, size: Int, value: Bool) {
        // Even sizes are centred between pixels: the disc spans exactly `size` of them.
        let radius = Double(size) / 2
        let shift = size % 2 == 0 ? 0.5 : 0.0
        let reach = size / 2 + 1
        for y in Self.span(point.y - reach, point.y + reach, below: height) {
            for x in Self.span(point.x - reach, point.x + reach, below: width) {
                let dx = Double(x - point.x) + shift
                let dy = Double(y - point.y) + shift
                if dx * dx + dy * dy <= radius * radius { self[x, y] = value }
            }
        }
    }

    /// Draws a line of dabs, one for every pixel step, both ends included.
    mutating func line(from a: MaskPoint, to b: MaskPoint, size: Int, value: Bool) {
        let steps = max(abs(b.x - a.x), abs(b.y - a.y))
        for i in 0...max(steps, 0) {
            let t = steps == 0 ? 0 : Double(i) / Double(steps)
            let x = (Double(a.x) + t * Double(b.x - a.x)).rounded()
            let y = (Double(a.y) + t * Double(b.y - a.y)).rounded()
            dab(MaskPoint(x: Int(x), y: Int(y)), size: size, value: value)
        }
    }

    /// Sets the rectangle between two corners, both included.
    mutating func box(_ a: MaskPoint, _ b: MaskPoint, value: Bool) {
        let columns = Self.span(a.x, b.x, below: width)
        for y in Self.span(a.y, b.y, below: height) {
            for x in columns { self[x, y] = value }
        }
    }

    /// Sets the ellipse that fills the rectangle between two corners.
    mutating func ellipse(_ a: MaskPoint, _ b: MaskPoint, value: Bool) {
        let centerX = Double(a.x + b.x) / 2
        let centerY = Double(a.y + b.y) / 2
        let radiusX = Double(abs(a.x - b.x) + 1) / 2
        let radiusY = Double(abs(a.y - b.y) + 1) / 2
        let columns = Self.span(a.x, b.x, below: width)
        for y in Self.span(a.y, b.y, below: height) {
            for x in columns {
                let dx = (Double(x) - centerX) / radiusX
                let dy = (Double(y) - centerY) / radiusY
                if dx * dx + dy * dy <= 1 { self[x, y] = value }
            }
        }
    }

    /// The whole numbers between two, both included, that lie in 0..<limit.
    private static func span(_ a: Int, _ b: Int, below limit: Int) -> Range<Int> {
        let first = max(0, min(a, b))
        let end = min(limit, max(a, b) + 1)
        return first..<max(first, end)
    }

    /// Turns over the connected area of equal pixels around a place.
    mutating func fill(_ point: MaskPoint) {
        guard point.x >= 0, point.y >= 0, point.x < width, point.y < height else { return }
        let old = self[point.x, point.y]
        var waiting = [point]
        while let next = waiting.popLast() {
            guard next.x >= 0, next.y >= 0, next.x < width, next.y < height,
                self[next.x, next.y] == old
            else { continue }
            self[next.x, next.y] = !old
            waiting.append(MaskPoint(x: next.x + 1, y: next.y))
            waiting.append(MaskPoint(x: next.x - 1, y: next.y))
            waiting.append(MaskPoint(x: next.x, y: next.y + 1))
            waiting.append(MaskPoint(x: next.x, y: next.y - 1))
        }
    }

    /// The rows in which two masks of one size differ.
    func differences(from old: PixelMask) -> [MaskRowDifference] {
        guard old.width == width, old.height == height else { return [] }
        var result: [MaskRowDifference] = []
        for y in 0..<height {
            var bits = [UInt64](repeating: 0, count: (width + 63) / 64)
            var differs = false
            for x in 0..<width where self[x, y] != old[x, y] {
                bits[x / 64] |= 1 << UInt64(x % 64)
                differs = true
            }
            if differs { result.append(MaskRowDifference(y: y, toggled: bits)) }
        }
        return result
    }

    /// Turns over the pixels of the differences that lie in the mask.
    mutating func apply(_ differences: [MaskRowDifference]) {
        for row in differences where row.y >= 0 && row.y < height {
            for x in 0..<min(width, row.toggled.count * 64)
            where row.toggled[x / 64] >> UInt64(x % 64) & 1 == 1 {
                self[x, row.y].toggle()
            }
        }
    }
}
