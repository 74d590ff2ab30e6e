// What the published classifiers of rotated digits were trained on, made from MNIST.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Digits turned by any angle, in the layout of the "MNIST variations" rotation file.
///
/// That file holds its pictures TRANSPOSED: a digit is rotated, then rows and columns are exchanged,
/// then the mean is taken off and the deviation divided by. Without the exchange the published
/// networks answer like a coin.
public enum RotatedDigits {
    /// Mean of the pixels in 0…1.
    public static let mean: Float = 0.13177
    /// Their standard deviation.
    public static let deviation: Float = 0.29148

    /// Network inputs of upright pictures.
    ///
    /// - Parameters:
    ///   - images: [B, 1, 28, 28] in 0…1.
    ///   - degrees: counter-clockwise, one for each.
    ///   - transposes: false shows what the layout is worth.
    public static func inputs(
        _ images: Tensor, degrees: [Float], transposes: Bool = true
    ) -> Tensor {
        let turned = rotated(images, degrees: degrees)
        let laid = transposes ? turned.transposed(2, 3).contiguous() : turned
        return (laid - mean) / deviation
    }
}

/// How a classifier does on rotated digits.
public struct RotatedDigitReport: Sendable, Equatable {
    public var pictures: Int
    /// Share of right answers.
    public var accuracy: Double
    /// Largest difference of logits between a picture and its quarter turns, relative to the largest
    /// logit; 0 to rounding for networks on p4.
    public var quarterTurnError: Double

    /// Classifies rotated digits computed on the spot.
    ///
    /// - Parameters:
    ///   - angles: in degrees, one for each picture.
    ///   - batch: pictures at a time; the full attention takes much memory.
    /// - Throws: `CancellationError`.
    public init(
        _ network: RotatedDigitNetwork, images: GreyImages, angles: [Float],
        transposes: Bool = true, batch: Int, cancellation: Cancellation = Cancellation(),
        progress: (Int) -> Void = { _ in }
    ) throws {
        var right = 0
        var (worst, largest) = (Float(0), Float(0))
        for start in stride(from: 0, to: images.count, by: batch) {
            try cancellation.check()
            let range = start..<min(start + batch, images.count)
            let inputs = withoutGradients {
                RotatedDigits.inputs(
                    images.tensor(range), degrees: Array(angles[range]), transposes: transposes)
            }
            let logits = withoutGradients { network.logits(inputs) }
            let answers = logits.argmax(axis: -1).int32s()
            right += zip(range, answers).reduce(0) {
                $0 + (images.labels[$1.0] == Int($1.1) ? 1 : 0)
            }
            // The first pictures tell whether turning changes anything.
            if start == 0 {
                let few = inputs.narrowed(axis: 0, start: 0, length: min(16, range.count))
                    .contiguous()
                let upright = withoutGradients { network.logits(few) }.floats()
                largest = upright.map(abs).max() ?? 0
                for turns in 1...3 {
                    let quarter = [Float](repeating: 90 * Float(turns), count: few.shape[0])
                    // Zero padding is black only before normalisation.
                    let black = -RotatedDigits.mean / RotatedDigits.deviation
                    let turned = rotated(few - black, degrees: quarter) + black
                    let found = withoutGradients { network.logits(turned) }.floats()
                    for (a, b) in zip(found, upright) { worst = max(worst, abs(a - b)) }
                }
            }
            progress(range.upperBound)
        }
        pictures = images.count
        accuracy = images.count == 0 ? 0 : Double(right) / Double(images.count)
        quarterTurnError = largest > 0 ? Double(worst / largest) : 0
    }
}
