// Lines, areas and words on a picture. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A colour of a plot.
public struct PlotColor: Sendable, Equatable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    public static let white = PlotColor(255, 255, 255)
    public static let ink = PlotColor(32, 36, 44)
    public static let grid = PlotColor(216, 220, 226)
    public static let faint = PlotColor(120, 126, 136)
    /// Bars and curves that are told apart without colour vision (Okabe and Ito's set).
    public static let bar = PlotColor(86, 180, 233)
    public static let fit = PlotColor(213, 94, 0)
    public static let truth = PlotColor(0, 158, 115)
    public static let mark = PlotColor(204, 121, 167)
}

/// A picture to draw plots on. Edges are smoothed; nothing outside of the picture has an effect.
public struct PlotCanvas: Sendable {
    public let width: Int
    public let height: Int
    /// Linear blend of RGB, 0…255.
    private var pixels: [Float]

    /// - Precondition: both sides at least 1.
    public init(width: Int, height: Int, background: PlotColor = .white) {
        precondition(width > 0 && height > 0, "PlotCanvas: \(width)×\(height)")
        self.width = width
        self.height = height
        pixels = []
        pixels.reserveCapacity(3 * width * height)
        for _ in 0..<(width * height) {
            pixels.append(Float(background.red))
            pixels.append(Float(background.green))
            pixels.append(Float(background.blue))
        }
    }

    /// What was drawn.
    public var image: RGBImage {
        RGBImage(
            width: width, height: height,
            pixels: pixels.map { UInt8(max(0, min(255, $0.rounded()))) })
    }

    /// Mixes a colour into a pixel; `coverage` 0…1.
    public mutating func blend(_ x: Int, _ y: Int, _ color: PlotColor, _ coverage: Double = 1) {
        guard x >= 0, y >= 0, x < width, y < height, coverage > 0 else { return }
        let t = Float(min(1, coverage))
        let i = 3 * (y * width + x)
        pixels[i] += t * (Float(color.red) - pixels[i])
        pixels[i + 1] += t * (Float(color.green) - pixels[i + 1])
        pixels[i + 2] += t * (Float(color.blue) - pixels[i + 2])
    }

    /// Fills a rectangle given in pixels from the top left.
    public mutating func fill(
        x: Double, y: Double, width w: Double, height h: Double, _ color: PlotColor,
        opacity: Double = 1
    ) {
        guard w > 0, h > 0 else { return }
        let x1 = x + w
        let y1 = y + h
        for py in max(0, Int(y.rounded(.down)))..<max(0, min(height, Int(y1.rounded(.up)))) {
            let cy = min(y1, Double(py + 1)) - max(y, Double(py))
            for px in max(0, Int(x.rounded(.down)))..<max(0, min(width, Int(x1.rounded(.up)))) {
                let cx = min(x1, Double(px + 1)) - max(x, Double(px))
                blend(px, py, color, cx * cy * opacity)
            }
        }
    }

    /// Draws a line; `dash` is the length of strokes and gaps, 0 for none.
    public mutating func line(
        from a: SIMD2<Double>, to b: SIMD2<Double>, _ color: PlotColor, thickness: Double = 1,
        dash: Double = 0
    ) {
        let delta = b - a
        let length = (delta * delta).sum().squareRoot()
        guard length.isFinite else { return }
        let reach = thickness / 2 + 1
        let low = SIMD2(min(a.x, b.x) - reach, min(a.y, b.y) - reach)
        let high = SIMD2(max(a.x, b.x) + reach, max(a.y, b.y) + reach)
        let rows = max(0, Int(max(0, low.y)))..<max(0, min(height, Int(max(0, high.y)) + 1))
        let columns = max(0, Int(max(0, low.x)))..<max(0, min(width, Int(max(0, high.x)) + 1))
        for y in rows {
            for x in columns {
                let p = SIMD2(Double(x) + 0.5, Double(y) + 0.5) - a
                let along = length > 0 ? (p * delta).sum() / length : 0
                let clamped = max(0, min(length, along))
                let foot = length > 0 ? delta / length * clamped : .zero
                let offset = p - foot
                let distance = (offset * offset).sum().squareRoot()
                if dash > 0, Int(clamped / dash) % 2 == 1 { continue }
                blend(x, y, color, thickness / 2 + 0.5 - distance)
            }
        }
    }

    /// Draws lines through points.
    public mutating func polyline(
        _ points: [SIMD2<Double>], _ color: PlotColor, thickness: Double = 1, dash: Double = 0
    ) {
        for (a, b) in zip(points, points.dropFirst()) {
            line(from: a, to: b, color, thickness: thickness, dash: dash)
        }
    }

    /// Fills a convex or simple polygon, 4×4 samples a pixel.
    public mutating func fill(polygon: [SIMD2<Double>], _ color: PlotColor, opacity: Double = 1) {
        guard polygon.count >= 3 else { return }
        let ys = polygon.map(\.y)
        let xs = polygon.map(\.x)
        let rows = Self.cells(ys, limit: height)
        let columns = Self.cells(xs, limit: width)
        for y in rows {
            for x in columns {
                var inside = 0
                for s in 0..<16 {
                    let p = SIMD2(
                        Double(x) + (Double(s % 4) + 0.5) / 4, Double(y) + (Double(s / 4) + 0.5) / 4
                    )
                    if Self.contains(polygon, p) { inside += 1 }
                }
                blend(x, y, color, opacity * Double(inside) / 16)
            }
        }
    }

    private static func cells(_ values: [Double], limit: Int) -> Range<Int> {
        guard let low = values.min(), let high = values.max(), low.isFinite, high.isFinite,
            high >= 0, low < Double(limit)
        else { return 0..<0 }
        return max(0, Int(low))..<min(limit, Int(high) + 1)
    }

    private static func contains(_ polygon: [SIMD2<Double>], _ p: SIMD2<Double>) -> Bool {
        var isInside = false
        var j = polygon.count - 1
        for i in polygon.indices {
            let a = polygon[i]
            let b = polygon[j]
            if (a.y > p.y) != (b.y > p.y),
                p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x
            {
                isInside.toggle()
            }
            j = i
        }
        return isInside
    }

    /// Draws a circle's outline.
    public mutating func circle(
        center: SIMD2<Double>, radius: Double, _ color: PlotColor, thickness: Double = 1
    ) {
        let points = (0...96).map { i -> SIMD2<Double> in
            let a = 2 * Double.pi * Double(i) / 96
            return center + radius * SIMD2(cos(a), sin(a))
        }
        polyline(points, color, thickness: thickness)
    }

    /// Fills a disc.
    public mutating func disc(center: SIMD2<Double>, radius: Double, _ color: PlotColor) {
        line(from: center, to: center, color, thickness: 2 * radius)
    }

    // MARK: Words

    /// Where words stand to their point.
    public enum Anchor: Sendable {
        case leading, center, trailing
    }

    /// Pixels a text is wide.
    public static func textWidth(_ text: String, scale: Int = 1) -> Int {
        max(0, text.count * PlotFont.advance - 1) * scale
    }

    /// Pixels a line of text is high.
    public static func textHeight(scale: Int = 1) -> Int { PlotFont.height * scale }

    /// Draws words; (x, y) is the top of the text at its anchor.
    public mutating func text(
        _ text: String, x: Double, y: Double, _ color: PlotColor = .ink, anchor: Anchor = .leading,
        scale: Int = 1
    ) {
        let width = Double(Self.textWidth(text, scale: scale))
        let shift =
            switch anchor {
            case .leading: 0.0
            case .center: width / 2
            case .trailing: width
            }
        var left = Int((x - shift).rounded())
        let top = Int(y.rounded())
        for character in text {
            let below = PlotFont.descent(character) * scale
            for (row, bits) in PlotFont.rows(character).enumerated() {
                for column in 0..<PlotFont.width where bits >> (4 - column) & 1 == 1 {
                    for dy in 0..<scale {
                        for dx in 0..<scale {
                            blend(left + column * scale + dx, top + below + row * scale + dy, color)
                        }
                    }
                }
            }
            left += PlotFont.advance * scale
        }
    }
}
