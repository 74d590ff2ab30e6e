// Pictures as text, for terminals without sixel: half-blocks in colour, or an ASCII ramp.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated public enum HalfBlockRenderer {
    /// From dark to bright.
    static let ramp: [Character] = Array(" .:-=+*#%@")

    /// Draws a picture with `▀`: the upper pixel in the text colour, the lower behind it.
    ///
    /// - Parameter depth: with 256 colours or fewer, pixels take the nearest of xterm's palette,
    ///   so that neighbours form runs.
    public static func drawHalfBlocks(
        _ content: PictureContent, into surface: inout Surface, rect: Rect,
        depth: Capabilities.ColorDepth
    ) {
        guard !rect.isEmpty else { return }
        let target = PixelSize(width: rect.width, height: 2 * rect.height)
        let pixels = content.rendered(in: target, part: PixelRect(size: target), hatch: false)
        let fit = content.geometry(in: target).fit
        func color(_ x: Int, _ y: Int) -> Color? {
            guard x >= fit.x, x < fit.maxX, y >= fit.y, y < fit.maxY else { return nil }
            return quantized(pixels[x, y], depth: depth)
        }
        for row in 0..<rect.height {
            for column in 0..<rect.width {
                let upper = color(column, 2 * row)
                let lower = color(column, 2 * row + 1)
                let (character, style): (Character, Style) =
                    switch (upper, lower) {
                    case (nil, nil): (" ", .plain)
                    case (let upper?, nil): ("▀", Style(foreground: upper))
                    case (nil, let lower?): ("▄", Style(foreground: lower))
                    case (let upper?, let lower?):
                        upper == lower
                            ? (" ", Style(background: upper))
                            : ("▀", Style(foreground: upper, background: lower))
                    }
                surface.put(character, x: rect.x + column, y: rect.y + row, style: style)
            }
        }
    }

    /// Draws a picture's brightness with ASCII characters.
    ///
    /// - Parameter isLightBackground: dark pixels then take the dense characters.
    public static func drawASCII(
        _ content: PictureContent, into surface: inout Surface, rect: Rect,
        isLightBackground: Bool = false, style: Style = .plain
    ) {
        guard !rect.isEmpty else { return }
        let target = PixelSize(width: rect.width, height: 2 * rect.height)
        let pixels = content.rendered(in: target, part: PixelRect(size: target), hatch: false)
        let fit = content.geometry(in: target).fit
        for row in 0..<rect.height {
            for column in 0..<rect.width {
                var character: Character = " "
                if column >= fit.x, column < fit.maxX, 2 * row + 1 >= fit.y, 2 * row < fit.maxY {
                    let mean =
                        (luma(pixels[column, 2 * row]) + luma(pixels[column, 2 * row + 1])) / 2
                    let level = isLightBackground ? 255 - mean : mean
                    character = ramp[min(ramp.count - 1, level * ramp.count / 256)]
                }
                surface.put(character, x: rect.x + column, y: rect.y + row, style: style)
            }
        }
    }

    static func luma(_ pixel: (red: UInt8, green: UInt8, blue: UInt8)) -> Int {
        (299 * Int(pixel.red) + 587 * Int(pixel.green) + 114 * Int(pixel.blue)) / 1000
    }

    static func quantized(
        _ pixel: (red: UInt8, green: UInt8, blue: UInt8), depth: Capabilities.ColorDepth
    ) -> Color {
        switch depth {
        case .direct: return .rgb(pixel.red, pixel.green, pixel.blue)
        case .xterm256:
            return .ansi(
                XtermPalette.nearest(red: pixel.red, green: pixel.green, blue: pixel.blue))
        case .none, .ansi8, .ansi16:
            let count: UInt8 = depth == .ansi16 ? 16 : 8
            func distance(_ index: UInt8) -> Int {
                let color = XtermPalette.color(index)
                let r = Int(color.red) - Int(pixel.red)
                let g = Int(color.green) - Int(pixel.green)
                let b = Int(color.blue) - Int(pixel.blue)
                return 2 * r * r + 4 * g * g + b * b
            }
            return .ansi((0..<count).min { distance($0) < distance($1) } ?? 0)
        }
    }
}
