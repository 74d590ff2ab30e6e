// Fits a picture into a rectangle of pixels: box filter down, whole factors up for tiny ones.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Where a part of a picture stands inside of a rectangle of pixels.
nonisolated public struct PictureGeometry: Sendable, Hashable {
    /// Pictures up to this many pixels on their longer side are enlarged by whole factors only,
    /// so that every pixel stays a square.
    public static let tinySide = 64

    /// The part of the picture that is shown, in its own pixels.
    public let source: PixelRect
    /// The size of the rectangle that is filled.
    public let target: PixelSize
    /// Where the part stands inside of the rectangle; centred, aspect ratio kept.
    public let fit: PixelRect
    /// Whether pixels are repeated instead of mixed.
    let usesNearest: Bool

    public init(source: PixelRect, target: PixelSize) {
        self.source = source
        self.target = target
        let w = max(1, source.width)
        let h = max(1, source.height)
        let factor = min(target.width / w, target.height / h)
        var width: Int
        var height: Int
        if factor >= 1, max(w, h) <= PictureGeometry.tinySide {
            width = w * factor
            height = h * factor
            usesNearest = true
        } else if target.width * h <= target.height * w {
            width = target.width
            height = max(1, (target.width * h + w / 2) / w)
            usesNearest = false
        } else {
            height = target.height
            width = max(1, (target.height * w + h / 2) / h)
            usesNearest = false
        }
        width = min(width, max(0, target.width))
        height = min(height, max(0, target.height))
        fit = PixelRect(
            x: (target.width - width) / 2, y: (target.height - height) / 2, width: width,
            height: height)
    }

    /// The picture's pixel under a pixel of the rectangle; nil beside the picture.
    public func sourcePixel(at point: PixelPoint) -> PixelPoint? {
        guard point.x >= fit.x, point.x < fit.maxX, point.y >= fit.y, point.y < fit.maxY else {
            return nil
        }
        return nearestSourcePixel(to: point)
    }

    /// The picture's pixel nearest to a pixel of the rectangle, also from beside the picture.
    public func nearestSourcePixel(to point: PixelPoint) -> PixelPoint {
        let x = max(0, min(fit.width - 1, point.x - fit.x))
        let y = max(0, min(fit.height - 1, point.y - fit.y))
        return PixelPoint(
            x: source.x + x * source.width / max(1, fit.width),
            y: source.y + y * source.height / max(1, fit.height))
    }

    /// The smallest rectangle of the target that shows all of a rectangle of source pixels.
    public func targetRect(of part: PixelRect) -> PixelRect {
        let seen = part.intersection(source)
        guard !seen.isEmpty else { return PixelRect(x: 0, y: 0, width: 0, height: 0) }
        let left = fit.x + (seen.x - source.x) * fit.width / source.width
        let top = fit.y + (seen.y - source.y) * fit.height / source.height
        let w = source.width
        let h = source.height
        let right = fit.x + ((seen.maxX - source.x) * fit.width + w - 1) / w
        let bottom = fit.y + ((seen.maxY - source.y) * fit.height + h - 1) / h
        return PixelRect(x: left, y: top, width: right - left, height: bottom - top)
    }
}

nonisolated extension PictureContent {
    /// The pixels of a part of the rectangle that the picture is fitted into.
    ///
    /// A part is, byte for byte, the same region of the whole: nothing depends on where it begins.
    ///
    /// - Parameter hatch: whether the mask is hatched (off for cells, where it would only alias).
    func rendered(in target: PixelSize, part: PixelRect, hatch: Bool = true) -> RGBImage {
        let geometry = geometry(in: target)
        let ground = background.components ?? (red: 0, green: 0, blue: 0)
        var result = RGBImage(
            width: max(1, part.width), height: max(1, part.height), red: ground.red,
            green: ground.green, blue: ground.blue)
        let seen = part.intersection(geometry.fit)
        guard !seen.isEmpty else { return result }
        resample(image, geometry: geometry, seen: seen, into: &result, part: part)
        if let overlay, overlay.mask.width == image.width, overlay.mask.height == image.height {
            overlay.blend(
                into: &result, part: part, seen: seen, geometry: geometry, hatch: hatch)
        }
        for outline in outlines {
            outline.draw(into: &result, part: part, seen: seen, geometry: geometry)
        }
        return result
    }
}

/// For every output position along one axis: where its source pixels begin and their weights.
nonisolated struct AxisTaps {
    static let one: Int32 = 1 << 14

    var first: [Int] = []
    var weights: [[Int32]] = []

    /// - Parameters:
    ///   - source: first source pixel and number of source pixels.
    ///   - outputs: size of the whole output axis.
    ///   - wanted: the outputs that are computed.
    init(sourceStart: Int, sourceCount: Int, outputs: Int, wanted: Range<Int>, nearest: Bool) {
        first.reserveCapacity(wanted.count)
        weights.reserveCapacity(wanted.count)
        let scale = Double(sourceCount) / Double(outputs)
        for output in wanted {
            if nearest || sourceCount == outputs {
                first.append(sourceStart + output * sourceCount / outputs)
                weights.append([AxisTaps.one])
            } else if scale > 1 {
                // Box: every source pixel by the share of it that the output covers.
                let from = Double(output) * scale
                let to = min(Double(sourceCount), from + scale)
                let start = min(sourceCount - 1, Int(from))
                let end = min(sourceCount, max(start + 1, Int(to.rounded(.up))))
                let shares = (start..<end).map { i in
                    max(0, min(to, Double(i + 1)) - max(from, Double(i)))
                }
                append(sourceStart + start, shares)
            } else {
                // Between the two nearest source pixels.
                let center = (Double(output) + 0.5) * scale - 0.5
                let left = Int(center.rounded(.down))
                let share = center - Double(left)
                if left < 0 || left + 1 >= sourceCount {
                    append(sourceStart + max(0, min(sourceCount - 1, left)), [1])
                } else {
                    append(sourceStart + left, [1 - share, share])
                }
            }
        }
    }

    /// Appends weights that add up to exactly one.
    private mutating func append(_ start: Int, _ shares: [Double]) {
        let total = shares.reduce(0, +)
        var fixed = shares.map { Int32(($0 / total * Double(AxisTaps.one)).rounded()) }
        let rest = AxisTaps.one - fixed.reduce(0, +)
        if let largest = fixed.indices.max(by: { fixed[$0] < fixed[$1] }) { fixed[largest] += rest }
        first.append(start)
        weights.append(fixed)
    }
}

/// Fills the part `seen` (in coordinates of the target) of `result`, whose origin is `part`.
nonisolated private func resample(
    _ image: RGBImage, geometry: PictureGeometry, seen: PixelRect, into result: inout RGBImage,
    part: PixelRect
) {
    let columns = AxisTaps(
        sourceStart: geometry.source.x, sourceCount: geometry.source.width,
        outputs: geometry.fit.width,
        wanted: (seen.x - geometry.fit.x)..<(seen.maxX - geometry.fit.x),
        nearest: geometry.usesNearest)
    let rows = AxisTaps(
        sourceStart: geometry.source.y, sourceCount: geometry.source.height,
        outputs: geometry.fit.height,
        wanted: (seen.y - geometry.fit.y)..<(seen.maxY - geometry.fit.y),
        nearest: geometry.usesNearest)
    let columnFirst = columns.first.map { Int32($0 * 3) }
    let columnCount = columns.weights.map { Int32($0.count) }
    let columnWeights = columns.weights.flatMap { $0 }
    let lineLength = seen.width * 3
    let imageStride = image.width * 3
    let resultStride = result.width * 3
    let onlyCopies = columnWeights.count == columnCount.count

    // Horizontally filtered source rows, 8 extra bits; two are kept since neighbours share one.
    var lines = [Int32](repeating: 0, count: 2 * lineLength)
    var lineRow = [-1, -1]
    var sums = [Int32](repeating: 0, count: lineLength)

    // Bounds: taps lie inside of `geometry.source`, which lies inside of the image; `seen` lies
    // inside of `part`, which has the size of `result`.
    image.pixels.withUnsafeBufferPointer { pixels in
        result.pixels.withUnsafeMutableBufferPointer { output in
            lines.withUnsafeMutableBufferPointer { lines in
                sums.withUnsafeMutableBufferPointer { sums in
                    func filter(row: Int, into slot: Int) {
                        let line = slot * lineLength
                        let from = row * imageStride
                        var tap = 0
                        for x in 0..<seen.width {
                            var p = from + Int(columnFirst[x])
                            var r: Int32 = 0
                            var g: Int32 = 0
                            var b: Int32 = 0
                            for _ in 0..<columnCount[x] {
                                let weight = columnWeights[tap]
                                r &+= weight &* Int32(pixels[p])
                                g &+= weight &* Int32(pixels[p + 1])
                                b &+= weight &* Int32(pixels[p + 2])
                                tap &+= 1
                                p &+= 3
                            }
                            lines[line + 3 * x] = r >> 6
                            lines[line + 3 * x + 1] = g >> 6
                            lines[line + 3 * x + 2] = b >> 6
                        }
                        lineRow[slot] = row
                    }
                    for y in 0..<seen.height {
                        let to = (seen.y - part.y + y) * resultStride + (seen.x - part.x) * 3
                        let weights = rows.weights[y]
                        let firstRow = rows.first[y]
                        if onlyCopies, weights.count == 1 {
                            let from = firstRow * imageStride
                            for x in 0..<seen.width {
                                let p = from + Int(columnFirst[x])
                                output[to + 3 * x] = pixels[p]
                                output[to + 3 * x + 1] = pixels[p + 1]
                                output[to + 3 * x + 2] = pixels[p + 2]
                            }
                            continue
                        }
                        for i in 0..<lineLength { sums[i] = 1 << 21 }
                        for (i, weight) in weights.enumerated() {
                            let row = firstRow + i
                            let slot = row & 1
                            if lineRow[slot] != row { filter(row: row, into: slot) }
                            let line = slot * lineLength
                            for i in 0..<lineLength { sums[i] &+= weight &* lines[line + i] }
                        }
                        // 14 bits of weight and 8 extra bits; at most 255 after the shift, since
                        // the weights add up to one.
                        for i in 0..<lineLength {
                            output[to + i] = UInt8(truncatingIfNeeded: sums[i] >> 22)
                        }
                    }
                }
            }
        }
    }
}
