// From 8-bit pictures to the models' range and back.
// SPDX-License-Identifier: Apache-2.0
import Core

extension Tensor {
    /// Pictures as [B, 3, S, S] in [−1, 1]: x = 2·u/255 − 1.
    ///
    /// - Precondition: all pictures have one size.
    public static func images(_ pictures: [RGBImage]) -> Tensor {
        guard let first = pictures.first else { return .zeros([0, 3, 0, 0]) }
        let plane = first.width * first.height
        var values = [Float](repeating: 0, count: pictures.count * 3 * plane)
        values.withUnsafeMutableBufferPointer { target in
            for (index, picture) in pictures.enumerated() {
                precondition(picture.width == first.width && picture.height == first.height)
                picture.pixels.withUnsafeBufferPointer { source in
                    let base = index * 3 * plane
                    for i in 0..<plane {
                        for channel in 0..<3 {
                            target[base + channel * plane + i] =
                                Float(source[3 * i + channel]) * (2 / 255) - 1
                        }
                    }
                }
            }
        }
        return Tensor(values, shape: [pictures.count, 3, first.height, first.width])
    }

    /// A tensor [B, 3, S, S] in [−1, 1] as 8-bit pictures, rounded to nearest.
    public func pictures() -> [RGBImage] {
        let (height, width) = (shape[2], shape[3])
        let length = 3 * height * width
        let pixels = device.pixels(self)
        return (0..<shape[0]).map { index in
            RGBImage(
                width: width, height: height,
                pixels: Array(pixels[(index * length)..<((index + 1) * length)]))
        }
    }
}
