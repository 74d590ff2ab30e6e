// Pictures in braille characters: eight dots a cell, for sharp shapes without colours.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated public enum BrailleRenderer {
    /// Thresholds of an 8 × 8 ordered dither, 0 ..< 64.
    private static let thresholds: [Int] = {
        var table = [Int](repeating: 0, count: 64)
        for y in 0..<8 {
            for x in 0..<8 {
                var value = 0
                for bit in 0..<3 {
                    let a = (x >> bit) & 1
                    let b = (y >> bit) & 1
                    value |= ((a ^ b) << 1 | b) << (2 * (2 - bit))
                }
                table[y * 8 + x] = value
            }
        }
        return table
    }()

    /// Draws a picture's brightness with braille dots; where there are colours each cell has the mean
    /// colour of its pixels, at full strength.
    ///
    /// - Parameters:
    ///   - depth: colours of the terminal.
    ///   - isLightBackground: dots then stand for dark pixels.
    public static func draw(
        _ content: PictureContent, into surface: inout Surface, rect: Rect,
        depth: Capabilities.ColorDepth, isLightBackground: Bool = false
    ) {
        guard !rect.isEmpty else { return }
        let target = PixelSize(width: 2 * rect.width, height: 4 * rect.height)
        let pixels = content.rendered(in: target, part: PixelRect(size: target), hatch: false)
        let fit = content.geometry(in: target).fit
        let bits: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
        for row in 0..<rect.height {
            for column in 0..<rect.width {
                var dots: UInt32 = 0
                var sums = (0, 0, 0)
                var count = 0
                for dy in 0..<4 {
                    for dx in 0..<2 {
                        let x = 2 * column + dx
                        let y = 4 * row + dy
                        guard x >= fit.x, x < fit.maxX, y >= fit.y, y < fit.maxY else { continue }
                        let pixel = pixels[x, y]
                        let luma = HalfBlockRenderer.luma(pixel)
                        let level = isLightBackground ? 255 - luma : luma
                        if level * 64 > (thresholds[(y & 7) * 8 + (x & 7)] * 255 + 127) {
                            dots |= bits[dy][dx]
                        }
                        sums.0 += Int(pixel.red)
                        sums.1 += Int(pixel.green)
                        sums.2 += Int(pixel.blue)
                        count += 1
                    }
                }
                var style = Style.plain
                if depth != .none, count > 0, dots != 0 {
                    style.foreground = HalfBlockRenderer.quantized(
                        strengthened(sums, count, isLightBackground), depth: depth)
                }
                let scalar = Unicode.Scalar(0x2800 + dots).map(Character.init) ?? " "
                surface.put(
                    dots == 0 ? " " : scalar, x: rect.x + column, y: rect.y + row, style: style)
            }
        }
    }

    /// The dots carry the brightness: the colour is the hue alone, as bright as it goes.
    private static func strengthened(
        _ sums: (Int, Int, Int), _ count: Int, _ isLightBackground: Bool
    ) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let mean = (sums.0 / count, sums.1 / count, sums.2 / count)
        if isLightBackground { return (UInt8(mean.0), UInt8(mean.1), UInt8(mean.2)) }
        let most = max(1, max(mean.0, max(mean.1, mean.2)))
        // Half way to the brightest, so that a dark corner does not shine.
        func scaled(_ value: Int) -> UInt8 { UInt8(min(255, (value + value * 255 / most) / 2)) }
        return (scaled(mean.0), scaled(mean.1), scaled(mean.2))
    }
}
