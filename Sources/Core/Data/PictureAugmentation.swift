// Small random changes of training pictures.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What may be changed of a picture without changing what it shows.
///
/// Every draw depends on the generator alone, so that a training can be resumed at any step.
public struct PictureAugmentation: Sendable, Equatable, Codable {
    /// Whether half of the pictures are mirrored left to right.
    public var flips: Bool
    /// Labels that are never mirrored: what has a writing or a sense of turning.
    public var unflippedLabels: Set<Int>
    /// Pictures are moved by up to this many pixels; what comes in repeats the edge.
    public var shift: Int
    /// Colours are turned about the grey axis by up to this angle, in degrees.
    public var hue: Float
    /// Levels are scaled by 1 ± this share.
    public var brightness: Float

    public init(
        flips: Bool = false, unflippedLabels: Set<Int> = [], shift: Int = 0, hue: Float = 0,
        brightness: Float = 0
    ) {
        self.flips = flips
        self.unflippedLabels = unflippedLabels
        self.shift = shift
        self.hue = hue
        self.brightness = brightness
    }

    /// Leaves every picture as it is.
    public static let none = PictureAugmentation()

    /// The change that one picture undergoes.
    struct Draw {
        var isFlipped = false
        var right = 0
        var down = 0
        /// Row-major 3×3 on RGB; nil for the identity.
        var colour: [Float]?
    }

    /// Draws a change; the number of draws depends on the settings only.
    func draw(label: Int, generator: inout RandomGenerator) -> Draw {
        var draw = Draw()
        if flips {
            let wanted = generator.nextFloat() < 0.5
            draw.isFlipped = wanted && !unflippedLabels.contains(label)
        }
        if shift > 0 {
            draw.down = generator.nextInt(below: 2 * shift + 1) - shift
            draw.right = generator.nextInt(below: 2 * shift + 1) - shift
        }
        if hue > 0 || brightness > 0 {
            let angle = (2 * generator.nextFloat() - 1) * hue * .pi / 180
            let gain = 1 + (2 * generator.nextFloat() - 1) * brightness
            draw.colour = Self.rotation(angle).map { $0 * gain }
        }
        return draw
    }

    /// The rotation of RGB about the grey axis (1, 1, 1)/√3, row-major (Rodrigues' formula).
    static func rotation(_ angle: Float) -> [Float] {
        let (c, s) = (cos(angle), sin(angle) / Float(3).squareRoot())
        let (a, b, d) = (c + (1 - c) / 3, (1 - c) / 3 - s, (1 - c) / 3 + s)
        return [a, b, d, d, a, b, b, d, a]
    }

    /// Writes a changed picture as three planes in [−1, 1]: `2·u/255 − 1`, levels held in 0…255.
    ///
    /// - Parameter planes: 3·width·height values.
    func write(_ image: RGBImage, _ draw: Draw, to planes: UnsafeMutableBufferPointer<Float>) {
        let (width, height) = (image.width, image.height)
        let plane = width * height
        let m = draw.colour ?? [1, 0, 0, 0, 1, 0, 0, 0, 1]
        image.pixels.withUnsafeBufferPointer { pixels in
            m.withUnsafeBufferPointer { m in
                for y in 0..<height {
                    let row = min(max(y - draw.down, 0), height - 1) * width
                    for x in 0..<width {
                        let column = min(max(x - draw.right, 0), width - 1)
                        let i = 3 * (row + (draw.isFlipped ? width - 1 - column : column))
                        let r = Float(pixels[i])
                        let g = Float(pixels[i + 1])
                        let b = Float(pixels[i + 2])
                        let to = y * width + x
                        if draw.colour == nil {
                            planes[to] = r * (2 / 255) - 1
                            planes[plane + to] = g * (2 / 255) - 1
                            planes[2 * plane + to] = b * (2 / 255) - 1
                        } else {
                            let red = m[0] * r + m[1] * g + m[2] * b
                            let green = m[3] * r + m[4] * g + m[5] * b
                            let blue = m[6] * r + m[7] * g + m[8] * b
                            planes[to] = min(max(red, 0), 255) * (2 / 255) - 1
                            planes[plane + to] = min(max(green, 0), 255) * (2 / 255) - 1
                            planes[2 * plane + to] = min(max(blue, 0), 255) * (2 / 255) - 1
                        }
                    }
                }
            }
        }
    }
}
