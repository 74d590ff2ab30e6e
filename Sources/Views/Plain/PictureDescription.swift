// A picture in numbers, for people who do not see it.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum PictureDescription {
    /// Size, brightness, contrast, where it is bright, and its commonest colours.
    static func sentence(_ image: RGBImage) -> String {
        let count = image.width * image.height
        guard count > 0 else { return "empty." }
        var sum = 0.0
        var squares = 0.0
        var weightedX = 0.0
        var weightedY = 0.0
        var colors: [Int: Int] = [:]
        for y in 0..<image.height {
            for x in 0..<image.width {
                let pixel = image[x, y]
                // Rec. 709 weights on the coded values.
                let luma =
                    0.2126 * Double(pixel.red) + 0.7152 * Double(pixel.green)
                    + 0.0722 * Double(pixel.blue)
                sum += luma
                squares += luma * luma
                weightedX += luma * (Double(x) + 0.5)
                weightedY += luma * (Double(y) + 0.5)
                let key =
                    (Int(pixel.red) >> 5) << 6 | (Int(pixel.green) >> 5) << 3
                    | Int(pixel.blue) >> 5
                colors[key, default: 0] += 1
            }
        }
        let mean = sum / Double(count)
        let deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
        var text =
            "\(image.width) by \(image.height) pixels, mean brightness \(percent(mean / 255))"
        text += ", contrast \(percent(deviation / 255))"
        if sum > 0 {
            let x = weightedX / sum / Double(image.width)
            let y = weightedY / sum / Double(image.height)
            text +=
                ", brightness centred \(percent(x)) from the left and \(percent(y)) from the top"
        }
        let common = colors.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(3)
        let named = common.map { key, found in
            "\(colorName(key)) \(percent(Double(found) / Double(count)))"
        }
        return text + "; colours \(named.joined(separator: ", "))."
    }

    /// How much is masked and where.
    static func sentence(_ mask: PixelMask) -> String {
        var left = mask.width
        var right = -1
        var top = mask.height
        var bottom = -1
        for y in 0..<mask.height {
            for x in 0..<mask.width where mask[x, y] {
                left = min(left, x)
                right = max(right, x)
                top = min(top, y)
                bottom = max(bottom, y)
            }
        }
        guard right >= 0 else { return "Mask: nothing is masked." }
        return
            "Mask: \(percent(mask.coverage)) masked, from \(left), \(top) to \(right), \(bottom)."
    }

    private static func percent(_ share: Double) -> String {
        let value = share * 100
        return value > 0 && value < 1 ? "under 1 %" : "\(Int(value.rounded())) %"
    }

    /// A word for a colour of three bits a channel.
    private static func colorName(_ key: Int) -> String {
        let red = key >> 6 & 7
        let green = key >> 3 & 7
        let blue = key & 7
        let high = max(red, green, blue)
        let low = min(red, green, blue)
        if high - low <= 1 {
            switch high {
            case 0...1: return "black"
            case 2...3: return "dark grey"
            case 4...5: return "light grey"
            default: return "white"
            }
        }
        let depth = high <= 3 ? "dark " : ""
        let middle = low + (high - low) / 2
        switch (red > middle, green > middle, blue > middle) {
        case (true, false, false): return depth + (green > low + 1 ? "orange" : "red")
        case (true, true, false): return depth + "yellow"
        case (false, true, false): return depth + "green"
        case (false, true, true): return depth + "cyan"
        case (false, false, true): return depth + "blue"
        case (true, false, true): return depth + "magenta"
        default: return depth + "grey"
        }
    }
}
