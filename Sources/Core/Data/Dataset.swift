// Labelled pictures for training and evaluation.
// SPDX-License-Identifier: Apache-2.0

/// A finite set of labelled pictures, read from any thread.
public protocol Dataset: Sendable {
    /// What it is, "MNIST, training part".
    var name: String { get }
    /// Class names in label order.
    var classes: [String] { get }
    /// Number of pictures.
    var count: Int { get }
    /// The class of a picture.
    func label(at index: Int) -> Int
    /// A picture.
    ///
    /// - Throws: ``FileFormatError`` for sets that read their files late.
    func image(at index: Int) throws -> RGBImage
}

/// Pictures and labels of some entries of a data set.
public struct DatasetBatch: Sendable {
    /// [B, 3, H, W], float32 in [−1, 1]: `2·u/255 − 1`.
    public let images: Tensor
    /// [B], int32.
    public let labels: Tensor
    /// Indices into the data set.
    public let indices: [Int]
}

extension Dataset {
    /// The indices of one epoch in random order, cut into batches.
    ///
    /// The same seed and epoch give the same batches, whatever was drawn before: training can be
    /// resumed at any step.
    /// - Parameter dropsLast: leaves out the last batch when it is not full.
    /// - Precondition: `size ≥ 1`.
    public func batches(
        ofSize size: Int, seed: UInt64, epoch: Int, dropsLast: Bool = true
    ) -> [[Int]] {
        precondition(size >= 1, "batches of \(size)")
        var generator = RandomGenerator(seed: seed, stream: 0x6461_7461).split(UInt64(epoch))
        return Self.cut(generator.permutation(count), size: size, dropsLast: dropsLast)
    }

    /// All indices in order, cut into batches; the last may be short.
    public func batchesInOrder(ofSize size: Int) -> [[Int]] {
        precondition(size >= 1, "batches of \(size)")
        return Self.cut(Array(0..<count), size: size, dropsLast: false)
    }

    /// Some entries as tensors.
    ///
    /// - Throws: ``DatasetError/sizeMismatch(name:index:expected:found:)``, ``FileFormatError``.
    /// - Precondition: at least one index, all in range.
    public func batch(
        _ indices: [Int], device: any Device = currentDevice
    ) throws -> DatasetBatch {
        precondition(!indices.isEmpty, "an empty batch of \(name)")
        let first = try image(at: indices[0])
        let (width, height) = (first.width, first.height)
        let plane = width * height
        var values = [Float](repeating: 0, count: 3 * plane * indices.count)
        for (position, index) in indices.enumerated() {
            let image = position == 0 ? first : try image(at: index)
            guard image.width == width, image.height == height else {
                throw DatasetError.sizeMismatch(
                    name: name, index: index, expected: "\(width)×\(height)",
                    found: "\(image.width)×\(image.height)")
            }
            values.withUnsafeMutableBufferPointer { values in
                image.pixels.withUnsafeBufferPointer { pixels in
                    for channel in 0..<3 {
                        let start = (3 * position + channel) * plane
                        for i in 0..<plane {
                            values[start + i] = Float(pixels[3 * i + channel]) * (2 / 255) - 1
                        }
                    }
                }
            }
        }
        return DatasetBatch(
            images: Tensor(values, shape: [indices.count, 3, height, width], device: device),
            labels: Tensor(
                int32: indices.map { Int32(label(at: $0)) }, shape: [indices.count],
                device: device),
            indices: indices)
    }

    private static func cut(_ order: [Int], size: Int, dropsLast: Bool) -> [[Int]] {
        stride(from: 0, to: order.count, by: size).compactMap { start in
            let end = min(start + size, order.count)
            return dropsLast && end - start < size ? nil : Array(order[start..<end])
        }
    }
}
