// How far a reconstruction is from its original.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Peak signal-to-noise ratio.
public enum PSNR {
    /// 10·log10(peak²/mse) in dB; infinite for equal pictures.
    public static func decibels(meanSquaredError: Double, peak: Double) -> Double {
        meanSquaredError > 0 ? 10 * log10(peak * peak / meanSquaredError) : .infinity
    }

    /// Between two pictures of one size, over all channels, peak 255.
    ///
    /// - Parameter where: which pixels count; all when nil.
    public static func between(
        _ a: RGBImage, _ b: RGBImage, where counted: ((Int) -> Bool)? = nil
    ) -> Double {
        precondition(a.width == b.width && a.height == b.height, "PSNR of pictures of two sizes")
        var sum = 0.0
        var count = 0
        for pixel in 0..<(a.width * a.height) where counted?(pixel) ?? true {
            for channel in 0..<3 {
                let d =
                    Double(a.pixels[3 * pixel + channel]) - Double(b.pixels[3 * pixel + channel])
                sum += d * d
                count += 1
            }
        }
        return count == 0 ? .infinity : decibels(meanSquaredError: sum / Double(count), peak: 255)
    }
}

/// Structural similarity.
///
/// Source: Wang et al., "Image quality assessment: from error visibility to structural similarity",
/// IEEE TIP 13(4), 2004: 11×11 Gaussian window with σ = 1.5, K1 = 0.01, K2 = 0.03.
public enum SSIM {
    /// Mean over all full windows of the luma, 0.299 R + 0.587 G + 0.114 B; −1…1.
    public static func between(_ a: RGBImage, _ b: RGBImage) -> Double {
        precondition(a.width == b.width && a.height == b.height, "SSIM of pictures of two sizes")
        let radius = min(5, (min(a.width, a.height) - 1) / 2)
        let weights = (-radius...radius).map { exp(-Double($0 * $0) / 4.5) }
        let total = weights.reduce(0, +)
        let window = weights.map { $0 / total }
        let (x, y) = (luma(a), luma(b))
        let (c1, c2) = (2.55 * 2.55, 7.65 * 7.65)
        var sum = 0.0
        var count = 0
        for row in radius..<(a.height - radius) {
            for column in radius..<(a.width - radius) {
                var (mx, my, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
                for dy in -radius...radius {
                    for dx in -radius...radius {
                        let w = window[dy + radius] * window[dx + radius]
                        let i = (row + dy) * a.width + column + dx
                        mx += w * x[i]
                        my += w * y[i]
                        xx += w * x[i] * x[i]
                        yy += w * y[i] * y[i]
                        xy += w * x[i] * y[i]
                    }
                }
                let (vx, vy, cxy) = (xx - mx * mx, yy - my * my, xy - mx * my)
                let similarity = (2 * mx * my + c1) * (2 * cxy + c2)
                let spread = (mx * mx + my * my + c1) * (vx + vy + c2)
                sum += similarity / spread
                count += 1
            }
        }
        return count == 0 ? 1 : sum / Double(count)
    }

    private static func luma(_ image: RGBImage) -> [Double] {
        (0..<(image.width * image.height)).map {
            let red = 0.299 * Double(image.pixels[3 * $0])
            let green = 0.587 * Double(image.pixels[3 * $0 + 1])
            let blue = 0.114 * Double(image.pixels[3 * $0 + 2])
            return red + green + blue
        }
    }
}
