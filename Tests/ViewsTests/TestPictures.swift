// Pictures and measures for the picture tests. SPDX-License-Identifier: Apache-2.0

import Core
import Foundation

/// A picture like a photograph: soft light from one side, a shaded ball with a highlight, a
/// horizon, fine waves, and grain of ±3 levels (a fixed linear congruential sequence).
func photoLike(width: Int, height: Int, seed: UInt64 = 1) -> RGBImage {
    var image = RGBImage(width: width, height: height)
    var state = seed
    func grain() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 33 & 0xFF) / 255 * 6 - 3
    }
    for y in 0..<height {
        for x in 0..<width {
            let u = Double(x) / Double(width)
            let v = Double(y) / Double(height)
            var r: Double
            var g: Double
            var b: Double
            if v < 0.55 {
                r = 110 + 90 * v + 40 * u
                g = 150 + 50 * v + 20 * u
                b = 215 - 40 * v
            } else {
                let wave = 12 * sin(60 * v * v + 9 * u) * (v - 0.5)
                r = 70 + 60 * (1 - v) + wave + 25 * u
                g = 95 + 40 * (1 - v) + wave
                b = 60 + 35 * u + wave
            }
            let dx = (u - 0.58) / 0.22
            let dy = (v - 0.52) / 0.22
            let d = dx * dx + dy * dy
            if d < 1 {
                let z = sqrt(1 - d)
                let light = max(0.08, 0.55 * z - 0.5 * dx - 0.45 * dy)
                let shine = pow(max(0, 0.75 * z - 0.45 * dx - 0.45 * dy), 18)
                r = 205 * light + 200 * shine
                g = 80 * light + 200 * shine
                b = 60 * light + 190 * shine
            }
            let noise = grain()
            func byte(_ value: Double) -> UInt8 { UInt8(max(0, min(255, value + noise))) }
            image[x, y] = (red: byte(r), green: byte(g), blue: byte(b))
        }
    }
    return image
}

/// Peak signal-to-noise ratio in decibels of the means of 4×4 blocks: what the eye sees of a dither.
func blockPSNR(_ a: RGBImage, _ b: RGBImage) -> Double {
    precondition(a.width == b.width && a.height == b.height)
    var sum = 0.0
    var count = 0
    for by in stride(from: 0, to: a.height - 3, by: 4) {
        for bx in stride(from: 0, to: a.width - 3, by: 4) {
            for channel in 0..<3 {
                var difference = 0
                for y in by..<(by + 4) {
                    for x in bx..<(bx + 4) {
                        let i = 3 * (y * a.width + x) + channel
                        difference += Int(a.pixels[i]) - Int(b.pixels[i])
                    }
                }
                let mean = Double(difference) / 16
                sum += mean * mean
                count += 1
            }
        }
    }
    return sum == 0 ? .infinity : 10 * log10(255 * 255 / (sum / Double(count)))
}

/// A region of a picture.
func cropped(_ image: RGBImage, x: Int, y: Int, width: Int, height: Int) -> RGBImage {
    var part = RGBImage(width: width, height: height)
    for row in 0..<height {
        for column in 0..<width { part[column, row] = image[x + column, y + row] }
    }
    return part
}
