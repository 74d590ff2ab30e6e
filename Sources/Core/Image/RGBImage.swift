// An 8-bit RGB picture, the currency between models, files and panes.
// SPDX-License-Identifier: Apache-2.0

/// A picture of 8-bit RGB pixels, row by row from the top left corner.
///
/// Models convert to their own range at their boundary (`x = 2·u/255 − 1` for the image systems);
/// panes and file codecs only ever see this type.
public struct RGBImage: Sendable, Equatable {
    /// Width in pixels.
    public let width: Int
    /// Height in pixels.
    public let height: Int
    /// `3 · width · height` bytes, interleaved R, G, B.
    public var pixels: [UInt8]

    /// Creates a picture from interleaved RGB bytes.
    ///
    /// - Precondition: `pixels.count == 3 · width · height`, both sides at least 1.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "RGBImage: \(width)×\(height) has no pixels")
        precondition(
            pixels.count == 3 * width * height,
            "RGBImage: \(pixels.count) bytes given for \(width)×\(height)")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Creates a picture of one colour.
    public init(width: Int, height: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) {
        precondition(width > 0 && height > 0, "RGBImage: \(width)×\(height) has no pixels")
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        for i in 0..<(width * height) {
            pixels[3 * i] = red
            pixels[3 * i + 1] = green
            pixels[3 * i + 2] = blue
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The three channels of the pixel in column `x`, row `y`.
    public subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        get {
            let i = 3 * (y * width + x)
            return (pixels[i], pixels[i + 1], pixels[i + 2])
        }
        set {
            let i = 3 * (y * width + x)
            pixels[i] = newValue.red
            pixels[i + 1] = newValue.green
            pixels[i + 2] = newValue.blue
        }
    }
}
