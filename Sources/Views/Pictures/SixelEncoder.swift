// Writes sixel pictures: bands of six rows, colours packed into few passes, runs shortened.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Our own sixel encoder; keeps its buffers between pictures. One thread at a time.
///
/// All pixels of the rectangle are set explicitly and only used colours are defined, so a picture
/// replaces another in place without a flicker, and tiles fit without seams.
nonisolated public final class SixelEncoder {
    /// How pixels become palette indices.
    public enum Quality: Sendable, Hashable {
        /// Fixed cube and ordered dither: fastest, stable from frame to frame.
        case ordered
        /// The same with a quarter of the pixels.
        case orderedHalf
        /// A palette of its own without diffusion.
        case adaptive
        /// A palette of its own with Floyd–Steinberg.
        case diffused
    }

    /// Six bits per colour and column of the band; all zero between bands.
    private var bits: [UInt8] = []
    private var output: [UInt8] = []

    public init() {}

    /// Encodes a picture, or a part of one whose top left pixel stands at `x`, `y` of the whole.
    ///
    /// Only the ordered qualities make parts that fit their neighbours.
    public func encode(
        _ image: RGBImage, x: Int = 0, y: Int = 0, quality: Quality = .ordered, registers: Int = 256
    ) -> [UInt8] {
        switch quality {
        case .ordered, .orderedHalf:
            return encode(
                OrderedDither.dither(registers: registers)
                    .indexed(image, x: x, y: y, half: quality == .orderedHalf))
        case .adaptive, .diffused:
            return encode(
                ErrorDiffusion.indexed(
                    image, colors: min(256, registers), diffuse: quality == .diffused))
        }
    }

    /// Writes indices as a sixel sequence; with `part` only that region of them.
    func encode(_ picture: IndexedPicture, part: PixelRect? = nil) -> [UInt8] {
        let all = PixelRect(x: 0, y: 0, width: picture.width, height: picture.height)
        let region = (part ?? all).intersection(all)
        guard !region.isEmpty else { return [] }
        if bits.count < 256 * region.width {
            bits = [UInt8](repeating: 0, count: 256 * region.width)
        }
        output.removeAll(keepingCapacity: true)

        picture.indices.withUnsafeBufferPointer { indices in
            writeHeader(picture, region: region, indices: indices)
            var writer = BandWriter(width: region.width)
            let bands = (region.height + 5) / 6
            for band in 0..<bands {
                let rows = min(6, region.height - band * 6)
                let first = (region.y + band * 6) * picture.width + region.x
                // A pixel column of a band has at most 6 colours, so a band has at most
                // 6·width set columns, each after a gap of at most 6 bytes, plus the selector,
                // first gap and return of at most 256 colours.
                let capacity = 42 * region.width + 256 * 12 + 1
                let written = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
                    bits.withUnsafeMutableBufferPointer { bits in
                        count = writer.write(
                            indices: indices, first: first, stride: picture.width, rows: rows,
                            bits: bits, to: target)
                    }
                }
                output.append(contentsOf: written)
                if band + 1 < bands { output.append(UInt8(ascii: "-")) }
            }
        }
        output.append(contentsOf: [0x1B, UInt8(ascii: "\\")])
        return output
    }

    private func writeHeader(
        _ picture: IndexedPicture, region: PixelRect, indices: UnsafeBufferPointer<UInt8>
    ) {
        output.append(contentsOf: "\u{1B}P0;1;0q\"1;1;\(region.width);\(region.height)".utf8)
        var isUsed = [Bool](repeating: false, count: 256)
        for y in region.y..<region.maxY {
            for i in (y * picture.width + region.x)..<(y * picture.width + region.maxX) {
                isUsed[Int(indices[i])] = true
            }
        }
        for (i, color) in picture.palette.colors.enumerated() where isUsed[i] {
            let r = Palette.percent(Int(color.red))
            let g = Palette.percent(Int(color.green))
            let b = Palette.percent(Int(color.blue))
            output.append(contentsOf: "#\(i);2;\(r);\(g);\(b)".utf8)
        }
    }
}

/// Writes one band after the other.
nonisolated private struct BandWriter {
    private let width: Int
    private var first = [Int32](repeating: -1, count: 256)
    private var last = [Int32](repeating: -1, count: 256)
    private var used: [UInt8] = []

    init(width: Int) {
        self.width = width
        used.reserveCapacity(256)
    }

    /// - Parameters:
    ///   - first: offset of the band's top left pixel in `indices`; rows are `stride` apart.
    ///   - bits: at least 256·width zeros; zero again on return.
    /// - Returns: the number of bytes written.
    mutating func write(
        indices: UnsafeBufferPointer<UInt8>, first start: Int, stride: Int, rows: Int,
        bits: UnsafeMutableBufferPointer<UInt8>, to target: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let pixels = indices.baseAddress, let bits = bits.baseAddress,
            let begin = target.baseAddress
        else { return 0 }
        collect(pixels + start, stride: stride, rows: rows, bits: bits)
        used.sort { first[Int($0)] < first[Int($1)] }

        // Colours whose column ranges don't overlap share a pass; each pass goes left to right.
        var o = begin
        var waiting = used[...].map { $0 }
        var isFirstPass = true
        while !waiting.isEmpty {
            if !isFirstPass {
                o.pointee = UInt8(ascii: "$")
                o += 1
            }
            isFirstPass = false
            var position: Int32 = 0
            var kept = 0
            for color in waiting {
                let c = Int(color)
                if first[c] < position {
                    waiting[kept] = color
                    kept += 1
                    continue
                }
                o.pointee = UInt8(ascii: "#")
                o += 1
                putNumber(c, &o)
                putRun(Int(first[c] - position), UInt8(ascii: "?"), &o)
                putColumns(bits + c * width, from: Int(first[c]), through: Int(last[c]), &o)
                position = last[c] + 1
                first[c] = -1
            }
            waiting.removeSubrange(kept...)
        }
        used.removeAll(keepingCapacity: true)
        return o - begin
    }

    /// Fills the column masks and the first and last column of every colour.
    private mutating func collect(
        _ pixels: UnsafePointer<UInt8>, stride: Int, rows: Int, bits: UnsafeMutablePointer<UInt8>
    ) {
        // Bounds: x < width and c < 256, so c·width + x < 256·width.
        first.withUnsafeMutableBufferPointer { first in
            last.withUnsafeMutableBufferPointer { last in
                for k in 0..<rows {
                    let row = pixels + k * stride
                    let bit = UInt8(1) << UInt8(k)
                    for x in 0..<width {
                        let c = Int(row[x])
                        let column = Int32(truncatingIfNeeded: x)
                        bits[c &* width &+ x] |= bit
                        if first[c] < 0 {
                            used.append(row[x])
                            first[c] = column
                            last[c] = column
                        } else {
                            if column < first[c] { first[c] = column }
                            if column > last[c] { last[c] = column }
                        }
                    }
                }
            }
        }
    }

    /// Writes the columns of one colour as runs and zeroes them.
    private func putColumns(
        _ columns: UnsafeMutablePointer<UInt8>, from: Int, through: Int,
        _ o: inout UnsafeMutablePointer<UInt8>
    ) {
        var x = from
        while x <= through {
            let value = columns[x]
            var end = x + 1
            if value == 0 {
                // Gaps are long: eight columns at a time. Ends at `through` at the latest, whose
                // column is never empty.
                while end + 8 <= through,
                    UnsafeRawPointer(columns + end).loadUnaligned(as: UInt64.self) == 0
                {
                    end += 8
                }
            }
            while end <= through, columns[end] == value { end += 1 }
            putRun(end - x, value &+ 63, &o)
            x = end
        }
        (columns + from).update(repeating: 0, count: through - from + 1)
    }

    @inline(__always)
    private func putRun(_ count: Int, _ byte: UInt8, _ o: inout UnsafeMutablePointer<UInt8>) {
        var rest = count
        while rest > 3 {
            let run = min(rest, 9999)
            o.pointee = UInt8(ascii: "!")
            o += 1
            putNumber(run, &o)
            o.pointee = byte
            o += 1
            rest -= run
        }
        while rest > 0 {
            o.pointee = byte
            o += 1
            rest -= 1
        }
    }

    /// Writes 0…9999 in decimal.
    @inline(__always)
    private func putNumber(_ value: Int, _ o: inout UnsafeMutablePointer<UInt8>) {
        var divisor = value >= 1000 ? 1000 : value >= 100 ? 100 : value >= 10 ? 10 : 1
        while divisor > 0 {
            o.pointee = 48 &+ UInt8(truncatingIfNeeded: value / divisor % 10)
            o += 1
            divisor /= 10
        }
    }
}
