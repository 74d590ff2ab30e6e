// A picture made smaller in the middle of its own canvas.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension RGBImage {
    /// The picture at `numerator / denominator` of its size in the middle of a canvas of the old
    /// size, and the mask of the rim. The rim has the mean colour of the picture's border.
    func shrunkOnCanvas(numerator: Int, denominator: Int) -> (RGBImage, PixelMask) {
        let newWidth = max(1, width * numerator / denominator)
        let newHeight = max(1, height * numerator / denominator)
        let left = (width - newWidth) / 2
        let top = (height - newHeight) / 2
        let rim = borderMean
        var canvas = RGBImage(
            width: width, height: height, red: rim.red, green: rim.green, blue: rim.blue)
        var mask = PixelMask(width: width, height: height, filledWith: true)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                canvas[left + x, top + y] = mean(
                    x: Double(x) * Double(width) / Double(newWidth),
                    y: Double(y) * Double(height) / Double(newHeight),
                    width: Double(width) / Double(newWidth),
                    height: Double(height) / Double(newHeight))
                mask[left + x, top + y] = false
            }
        }
        return (canvas, mask)
    }

    var borderMean: (red: UInt8, green: UInt8, blue: UInt8) {
        var sums = (0, 0, 0)
        var count = 0
        for y in 0..<height {
            for x in 0..<width where x == 0 || y == 0 || x == width - 1 || y == height - 1 {
                let pixel = self[x, y]
                sums.0 += Int(pixel.red)
                sums.1 += Int(pixel.green)
                sums.2 += Int(pixel.blue)
                count += 1
            }
        }
        return (UInt8(sums.0 / count), UInt8(sums.1 / count), UInt8(sums.2 / count))
    }

    /// The mean colour of a rectangle with fractional edges, every pixel weighted by its share.
    private func mean(
        x: Double, y: Double, width w: Double, height h: Double
    ) -> (red: UInt8, green: UInt8, blue: UInt8) {
        var sums = (0.0, 0.0, 0.0)
        var total = 0.0
        for row in Int(y)..<min(height, Int((y + h).rounded(.up))) {
            let rowShare = min(y + h, Double(row + 1)) - max(y, Double(row))
            for column in Int(x)..<min(width, Int((x + w).rounded(.up))) {
                let share = (min(x + w, Double(column + 1)) - max(x, Double(column))) * rowShare
                let pixel = self[column, row]
                sums.0 += share * Double(pixel.red)
                sums.1 += share * Double(pixel.green)
                sums.2 += share * Double(pixel.blue)
                total += share
            }
        }
        guard total > 0 else { return (0, 0, 0) }
        func byte(_ sum: Double) -> UInt8 { UInt8(max(0, min(255, (sum / total).rounded()))) }
        return (byte(sums.0), byte(sums.1), byte(sums.2))
    }
}
