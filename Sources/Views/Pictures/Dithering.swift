// From pixels to palette indices: ordered dither for live pictures, error diffusion for still ones.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Ordered dither with an 8×8 Bayer matrix onto a fixed colour cube.
///
/// The threshold depends on the absolute position only, so frames don't shimmer and a tile fits its
/// neighbours exactly. After Bayer, "An optimum method for two-level rendition of continuous-tone
/// pictures" (1973).
nonisolated struct OrderedDither: Sendable {
    let palette: Palette
    /// For each channel: 64 thresholds × 256 values to the channel's share of the index.
    private let red: [UInt8]
    private let green: [UInt8]
    private let blue: [UInt8]

    /// The cube of 6×7×6 = 252 colours; the eye sees green best.
    static let live = OrderedDither(registers: 256)

    /// The finest cube that fits in so many registers (at least 2×2×2).
    init(registers: Int) {
        let steps = OrderedDither.steps(fitting: max(8, min(256, registers)))
        func levels(_ count: Int) -> [Int] {
            (0..<count).map { Int(Palette.representable($0 * 255 / (count - 1))) }
        }
        let (r, g, b) = (levels(steps.0), levels(steps.1), levels(steps.2))
        var colors: [(Int, Int, Int)] = []
        for i in r { for j in g { for k in b { colors.append((i, j, k)) } } }
        palette = Palette(colors)
        red = OrderedDither.table(r, share: steps.1 * steps.2)
        green = OrderedDither.table(g, share: steps.2)
        blue = OrderedDither.table(b, share: 1)
    }

    static func dither(registers: Int) -> OrderedDither {
        registers >= 252 ? live : OrderedDither(registers: registers)
    }

    /// Levels of red, green and blue: most colours in all, then green finest, then most even.
    private static func steps(fitting registers: Int) -> (Int, Int, Int) {
        if registers >= 252 { return (6, 7, 6) }
        var best = (2, 2, 2)
        for side in 2...6 {
            for g in side...(side + 1) {
                for r in side...g
                where r * g * side <= registers
                    && r * g * side > best.0 * best.1 * best.2
                {
                    best = (r, g, side)
                }
            }
        }
        return best
    }

    private static let bayer: [Int] = {
        var matrix = [0]
        var side = 1
        while side < 8 {
            var next = [Int](repeating: 0, count: 4 * side * side)
            for y in 0..<side {
                for x in 0..<side {
                    let value = 4 * matrix[y * side + x]
                    next[y * 2 * side + x] = value
                    next[y * 2 * side + x + side] = value + 2
                    next[(y + side) * 2 * side + x] = value + 3
                    next[(y + side) * 2 * side + x + side] = value + 1
                }
            }
            matrix = next
            side *= 2
        }
        return matrix
    }()

    /// The position whose threshold lies halfway between two levels.
    private static let middle = bayer.firstIndex(of: 32) ?? 0

    private static func table(_ levels: [Int], share: Int) -> [UInt8] {
        var table = [UInt8](repeating: 0, count: 64 * 256)
        for position in 0..<64 {
            let threshold = 2 * bayer[position] + 1  // of 128
            for value in 0..<256 {
                var level = levels.count - 2
                while level > 0, levels[level] > value { level -= 1 }
                let span = levels[level + 1] - levels[level]
                let above = (value - levels[level]) * 128 > threshold * span
                table[position * 256 + value] = UInt8((level + (above ? 1 : 0)) * share)
            }
        }
        return table
    }

    /// Indices of a part whose top left pixel stands at `x`, `y` of the whole picture.
    ///
    /// - Parameter half: gives every 2×2 block the index of its first pixel (a quarter of the data).
    ///   Nothing is dithered then: it would double the bytes, and of every second pixel the matrix
    ///   holds the low thresholds only, so that the picture would come out too bright.
    func indexed(_ image: RGBImage, x: Int, y: Int, half: Bool = false) -> IndexedPicture {
        let width = image.width
        let height = image.height
        let mask = half ? 0 : 7
        let start = half ? Self.middle : 0
        let indices = [UInt8](unsafeUninitializedCapacity: width * height) { output, count in
            // Bounds: positions are below 64 and values below 256, the tables hold 64·256;
            // every pixel of the image has three bytes and one output.
            image.pixels.withUnsafeBufferPointer { pixels in
                red.withUnsafeBufferPointer { red in
                    green.withUnsafeBufferPointer { green in
                        blue.withUnsafeBufferPointer { blue in
                            var p = 0
                            for row in 0..<height {
                                let line = start | ((y + row) & mask) << 3
                                let to = row * width
                                for column in 0..<width {
                                    let base = (line | ((x + column) & mask)) << 8
                                    output[to + column] =
                                        red[base + Int(pixels[p])]
                                        &+ green[base + Int(pixels[p + 1])]
                                        &+ blue[base + Int(pixels[p + 2])]
                                    p += 3
                                }
                            }
                        }
                    }
                }
            }
            if half { OrderedDither.halve(output, width: width, height: height, x: x, y: y) }
            count = width * height
        }
        return IndexedPicture(width: width, height: height, indices: indices, palette: palette)
    }

    /// Copies the first pixel of every 2×2 block (by absolute position) over the block.
    ///
    /// A part that begins inside of a block uses the first pixel it has.
    private static func halve(
        _ output: UnsafeMutableBufferPointer<UInt8>, width: Int, height: Int, x: Int, y: Int
    ) {
        for row in 0..<height {
            let from = max(0, row - (y + row) % 2) * width
            for column in 0..<width {
                output[row * width + column] =
                    output[from + max(0, column - (x + column) % 2)]
            }
        }
    }
}

/// Floyd–Steinberg error diffusion onto an adaptive palette.
///
/// Errors are kept in sixteenths as 32-bit integers. After Floyd and Steinberg, "An adaptive
/// algorithm for spatial greyscale" (1976).
nonisolated enum ErrorDiffusion {
    static func indexed(_ image: RGBImage, colors: Int, diffuse: Bool = true) -> IndexedPicture {
        var adaptive = AdaptivePalette(image, colors: colors)
        let width = image.width
        let height = image.height
        let palette = adaptive.palette.colors.map {
            (Int32($0.red), Int32($0.green), Int32($0.blue))
        }
        // One pixel of margin on both sides: neighbours outside of the row fall there.
        let margin = (width + 2) * 3
        var current = [Int32](repeating: 0, count: margin)
        var next = current
        var indices = [UInt8](repeating: 0, count: width * height)
        // Bounds: k runs from 3 to 3·width, so k−3…k+5 stay inside of 3·(width + 2).
        image.pixels.withUnsafeBufferPointer { pixels in
            indices.withUnsafeMutableBufferPointer { output in
                palette.withUnsafeBufferPointer { palette in
                    var p = 0
                    for y in 0..<height {
                        current.withUnsafeMutableBufferPointer { now in
                            next.withUnsafeMutableBufferPointer { below in
                                for x in 0..<width {
                                    let k = (x + 1) * 3
                                    let r = clamp(Int32(pixels[p]) + (now[k] + 8) >> 4)
                                    let g = clamp(Int32(pixels[p + 1]) + (now[k + 1] + 8) >> 4)
                                    let b = clamp(Int32(pixels[p + 2]) + (now[k + 2] + 8) >> 4)
                                    let index = adaptive.index(r, g, b)
                                    output[y * width + x] = index
                                    p += 3
                                    guard diffuse else { continue }
                                    let color = palette[Int(index)]
                                    let er = r - color.0
                                    let eg = g - color.1
                                    let eb = b - color.2
                                    now[k + 3] += 7 * er
                                    now[k + 4] += 7 * eg
                                    now[k + 5] += 7 * eb
                                    below[k - 3] += 3 * er
                                    below[k - 2] += 3 * eg
                                    below[k - 1] += 3 * eb
                                    below[k] += 5 * er
                                    below[k + 1] += 5 * eg
                                    below[k + 2] += 5 * eb
                                    below[k + 3] += er
                                    below[k + 4] += eg
                                    below[k + 5] += eb
                                }
                            }
                        }
                        swap(&current, &next)
                        for i in 0..<margin { next[i] = 0 }
                    }
                }
            }
        }
        return IndexedPicture(
            width: width, height: height, indices: indices, palette: adaptive.palette)
    }

    @inline(__always)
    private static func clamp(_ value: Int32) -> Int32 { max(0, min(255, value)) }
}
