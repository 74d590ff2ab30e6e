// Palettes for sixel pictures: a fixed cube for live ones, a median cut for still ones.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Up to 256 colours that the terminal reproduces exactly (sixel colours are whole percents).
nonisolated public struct Palette: Sendable, Equatable {
    public struct Entry: Sendable, Hashable {
        public var red: UInt8
        public var green: UInt8
        public var blue: UInt8
    }

    public let colors: [Entry]

    /// Rounds the colours to what whole percents can say.
    init(_ colors: [(Int, Int, Int)]) {
        precondition(colors.count <= 256, "Palette: \(colors.count) colours do not fit in a byte")
        self.colors = colors.map { color in
            Entry(
                red: Palette.representable(color.0), green: Palette.representable(color.1),
                blue: Palette.representable(color.2))
        }
    }

    /// 0…255 as a whole percent.
    static func percent(_ value: Int) -> Int { (value * 100 + 127) / 255 }

    /// The nearest value that a whole percent stands for.
    static func representable(_ value: Int) -> UInt8 {
        UInt8((percent(max(0, min(255, value))) * 255 + 50) / 100)
    }
}

/// Pixels as indices into a palette.
nonisolated struct IndexedPicture: Sendable, Equatable {
    var width: Int
    var height: Int
    /// `width · height` indices, row by row.
    var indices: [UInt8]
    var palette: Palette

    /// Memory taken, for the cache.
    var byteCount: Int { indices.count + 3 * palette.colors.count }
}

nonisolated extension PictureContent {
    /// Gives what lies around the picture its own colour: a dithered ground would stand out from the
    /// pane's. Leaves the indices alone where the palette has no room for one colour more.
    ///
    /// - Parameters:
    ///   - pixels: size of the whole on the screen.
    ///   - part: the region that `indexed` is.
    ///   - registers: colours that the terminal has.
    func withExactGround(
        _ indexed: IndexedPicture, pixels: PixelSize, part: PixelRect, registers: Int
    ) -> IndexedPicture {
        let fit = geometry(in: pixels).fit
        let seen = part.intersection(fit)
        let count = indexed.palette.colors.count
        guard seen.width < part.width || seen.height < part.height, count < min(256, registers),
            indexed.width == part.width, indexed.height == part.height
        else { return indexed }
        let ground = background.components ?? (red: 0, green: 0, blue: 0)
        var result = indexed
        result.palette = Palette(
            indexed.palette.colors.map { (Int($0.red), Int($0.green), Int($0.blue)) }
                + [(Int(ground.red), Int(ground.green), Int(ground.blue))])
        for y in 0..<part.height {
            let isBeside = part.y + y < fit.y || part.y + y >= fit.maxY
            let row = y * part.width
            for x in 0..<part.width
            where isBeside || part.x + x < fit.x || part.x + x >= fit.maxX {
                result.indices[row + x] = UInt8(count)
            }
        }
        return result
    }
}

/// A palette made for one picture, with a table from 15-bit colours to its entries.
///
/// Median cut after Heckbert, "Color image quantization for frame buffer display" (1982), with
/// the box of the largest population × range split first.
nonisolated struct AdaptivePalette {
    let palette: Palette
    /// 32,768 entries: 5 bits each of red, green, blue to an index.
    private(set) var table: [UInt8]
    /// Which entries of the table are known; the others are looked up when first met.
    private(set) var isKnown: [Bool]

    private struct Box {
        var range: Range<Int>
        var population: Int
        var axis: Int
        var extent: Int
    }

    init(_ image: RGBImage, colors count: Int) {
        var histogram = [Int32](repeating: 0, count: 32_768)
        // Colours of the bins are means of the pixels in them, not centres: flat areas stay exact.
        var sums = [Int64](repeating: 0, count: 3 * 32_768)
        // Bounds: three bytes for every pixel; 5-bit fields give bins below 32,768.
        image.pixels.withUnsafeBufferPointer { pixels in
            histogram.withUnsafeMutableBufferPointer { histogram in
                sums.withUnsafeMutableBufferPointer { sums in
                    var p = 0
                    while p < pixels.count {
                        let bin = AdaptivePalette.bin(
                            Int32(pixels[p]), Int32(pixels[p + 1]), Int32(pixels[p + 2]))
                        histogram[bin] &+= 1
                        sums[3 * bin] &+= Int64(pixels[p])
                        sums[3 * bin + 1] &+= Int64(pixels[p + 1])
                        sums[3 * bin + 2] &+= Int64(pixels[p + 2])
                        p += 3
                    }
                }
            }
        }
        var bins = histogram.indices.filter { histogram[$0] > 0 }

        func box(_ range: Range<Int>) -> Box {
            var low = (31, 31, 31)
            var high = (0, 0, 0)
            var population = 0
            for i in range {
                let bin = bins[i]
                population += Int(histogram[bin])
                let (r, g, b) = (bin >> 10, bin >> 5 & 31, bin & 31)
                low = (min(low.0, r), min(low.1, g), min(low.2, b))
                high = (max(high.0, r), max(high.1, g), max(high.2, b))
            }
            let extents = [high.0 - low.0, high.1 - low.1, high.2 - low.2]
            let axis =
                extents[1] >= extents[0]
                ? (extents[1] >= extents[2] ? 1 : 2)
                : (extents[0] >= extents[2] ? 0 : 2)
            return Box(
                range: range, population: population, axis: axis, extent: extents[axis])
        }

        var boxes = [box(0..<bins.count)]
        while boxes.count < max(1, min(256, count)) {
            let candidates = boxes.indices.filter { boxes[$0].extent > 0 }
            guard
                let chosen = candidates.max(by: {
                    boxes[$0].population * boxes[$0].extent
                        < boxes[$1].population * boxes[$1].extent
                })
            else { break }
            let old = boxes[chosen]
            let shift = 10 - 5 * old.axis
            bins[old.range].sort { ($0 >> shift & 31, $0) < ($1 >> shift & 31, $1) }
            var below = 0
            var cut = old.range.lowerBound + 1
            for i in old.range.dropLast() {
                below += Int(histogram[bins[i]])
                cut = i + 1
                if below * 2 >= old.population { break }
            }
            boxes[chosen] = box(old.range.lowerBound..<cut)
            boxes.append(box(cut..<old.range.upperBound))
        }

        table = [UInt8](repeating: 0, count: 32_768)
        isKnown = [Bool](repeating: false, count: 32_768)
        var colors: [(Int, Int, Int)] = []
        for (index, box) in boxes.enumerated() {
            var sum = (0, 0, 0)
            for bin in bins[box.range] {
                sum.0 += Int(sums[3 * bin])
                sum.1 += Int(sums[3 * bin + 1])
                sum.2 += Int(sums[3 * bin + 2])
                table[bin] = UInt8(index)
                isKnown[bin] = true
            }
            let n = max(1, box.population)
            colors.append(((sum.0 + n / 2) / n, (sum.1 + n / 2) / n, (sum.2 + n / 2) / n))
        }
        palette = Palette(colors)
    }

    @inline(__always)
    static func bin(_ red: Int32, _ green: Int32, _ blue: Int32) -> Int {
        Int((red >> 3) << 10 | (green >> 3) << 5 | blue >> 3)
    }

    /// The entry for a colour; colours met only through diffusion are searched once, by the
    /// distance 2:4:1 of red, green, blue.
    @inline(__always)
    mutating func index(_ red: Int32, _ green: Int32, _ blue: Int32) -> UInt8 {
        let bin = AdaptivePalette.bin(red, green, blue)
        if !isKnown[bin] {
            table[bin] = nearest(red, green, blue)
            isKnown[bin] = true
        }
        return table[bin]
    }

    private func nearest(_ red: Int32, _ green: Int32, _ blue: Int32) -> UInt8 {
        var best = Int32.max
        var found = 0
        for (i, color) in palette.colors.enumerated() {
            let r = Int32(color.red) - red
            let g = Int32(color.green) - green
            let b = Int32(color.blue) - blue
            let distance = 2 * r * r + 4 * g * g + b * b
            if distance < best {
                best = distance
                found = i
            }
        }
        return UInt8(found)
    }
}
