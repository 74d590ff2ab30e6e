// How alike two pictures are. SPDX-License-Identifier: Apache-2.0
import Foundation

extension RGBImage {
    /// Peak signal-to-noise ratio against another picture, 10·log₁₀(255² / mean squared error), in dB.
    ///
    /// Equal pictures give infinity.
    /// - Precondition: equal sizes.
    public func psnr(to other: RGBImage) -> Double {
        precondition(
            width == other.width && height == other.height,
            "psnr: \(width)×\(height) against \(other.width)×\(other.height)")
        var sum = 0.0
        for (a, b) in zip(pixels, other.pixels) {
            let difference = Double(a) - Double(b)
            sum += difference * difference
        }
        return 10 * log10(255 * 255 / (sum / Double(pixels.count)))
    }
}
