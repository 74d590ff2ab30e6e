// Cropping and resizing pictures.
// SPDX-License-Identifier: Apache-2.0

extension RGBImage {
    /// A rectangle of the picture.
    ///
    /// - Precondition: the rectangle lies in the picture and has pixels.
    public func cropped(x: Int, y: Int, width: Int, height: Int) -> RGBImage {
        precondition(
            x >= 0 && y >= 0 && x + width <= self.width && y + height <= self.height,
            "crop \(width)×\(height) at \(x), \(y) of \(self.width)×\(self.height)")
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * width * height)
        for row in y..<(y + height) {
            let start = 3 * (row * self.width + x)
            pixels += self.pixels[start..<(start + 3 * width)]
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// The picture in another size, by bicubic interpolation (a = −0.5) that widens with the
    /// reduction, so that fine patterns average out instead of aliasing.
    ///
    /// A separable filter: output sample i weighs the inputs j by `w((j + ½ − (i + ½)s) / max(s, 1))`
    /// with s = input / output, normalised; edges are cut, not padded. The same rule as Pillow's
    /// `BICUBIC`; values may differ by 1 as intermediate rows are not rounded here.
    public func resized(width: Int, height: Int) -> RGBImage {
        precondition(width > 0 && height > 0, "resize to \(width)×\(height)")
        let columns = ResizeWeights(from: self.width, to: width)
        let rows = ResizeWeights(from: self.height, to: height)
        var wide = [Float](repeating: 0, count: 3 * width * self.height)
        var result = [UInt8](repeating: 0, count: 3 * width * height)
        pixels.withUnsafeBufferPointer { source in
            wide.withUnsafeMutableBufferPointer { wide in
                for y in 0..<self.height {
                    for x in 0..<width {
                        columns.withWeights(of: x) { start, weights in
                            for c in 0..<3 {
                                var sum: Float = 0
                                var index = 3 * (y * self.width + start) + c
                                for weight in weights {
                                    sum += weight * Float(source[index])
                                    index += 3
                                }
                                wide[3 * (y * width + x) + c] = sum
                            }
                        }
                    }
                }
            }
        }
        wide.withUnsafeBufferPointer { wide in
            result.withUnsafeMutableBufferPointer { result in
                for y in 0..<height {
                    rows.withWeights(of: y) { start, weights in
                        for x in 0..<(3 * width) {
                            var sum: Float = 0
                            var index = start * 3 * width + x
                            for weight in weights {
                                sum += weight * wide[index]
                                index += 3 * width
                            }
                            result[y * 3 * width + x] = UInt8(max(0, min(255, sum.rounded())))
                        }
                    }
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: result)
    }
}

/// The weights of one dimension of a resize.
private struct ResizeWeights {
    private var starts: [Int] = []
    private var ends: [Int] = [0]
    private var weights: [Float] = []

    init(from: Int, to: Int) {
        let scale = Double(from) / Double(to)
        let widening = max(scale, 1)
        for i in 0..<to {
            let center = (Double(i) + 0.5) * scale
            let first = max(0, Int((center - 2 * widening + 0.5).rounded(.down)))
            let last = min(from, Int((center + 2 * widening + 0.5).rounded(.down)))
            let row = (first..<max(last, first + 1)).map {
                Self.cubic((Double($0) + 0.5 - center) / widening)
            }
            let sum = row.reduce(0, +)
            starts.append(first)
            weights += row.map { Float($0 / sum) }
            ends.append(weights.count)
        }
    }

    func withWeights(of i: Int, _ body: (Int, UnsafeBufferPointer<Float>) -> Void) {
        weights.withUnsafeBufferPointer {
            body(starts[i], UnsafeBufferPointer(rebasing: $0[ends[i]..<ends[i + 1]]))
        }
    }

    /// Keys' cubic with a = −0.5.
    private static func cubic(_ x: Double) -> Double {
        let a = -0.5
        let x = abs(x)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
