// Pictures rotated once by a law, made again from a seed whenever they are needed.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Square grey pictures in 0…1 with labels, on the host.
public struct GreyImages: Sendable {
    /// Side S in pixels.
    public let side: Int
    /// [N, S, S], row-major.
    public let pixels: [Float]
    /// Class of every picture; −1 where it is not known.
    public let labels: [Int]

    /// - Precondition: `pixels` holds `labels.count` pictures.
    public init(side: Int, pixels: [Float], labels: [Int]) {
        precondition(
            pixels.count == labels.count * side * side,
            "\(labels.count) pictures of side \(side) from \(pixels.count) pixels")
        self.side = side
        self.pixels = pixels
        self.labels = labels
    }

    /// Some entries of MNIST or a set in its format, 255 ↦ 1.
    public init(_ mnist: MNIST, indices: [Int]) {
        var pixels: [Float] = []
        pixels.reserveCapacity(indices.count * MNIST.side * MNIST.side)
        for index in indices {
            for value in mnist.greyPixels(at: index) { pixels.append(Float(value) / 255) }
        }
        self.init(side: MNIST.side, pixels: pixels, labels: indices.map { mnist.label(at: $0) })
    }

    public var count: Int { labels.count }

    /// Some pictures in a given order as [B, 1, S, S] on a device.
    public func tensor(_ range: Range<Int>, device: any Device = currentDevice) -> Tensor {
        let plane = side * side
        return Tensor(
            Array(pixels[(range.lowerBound * plane)..<(range.upperBound * plane)]),
            shape: [range.count, 1, side, side], device: device)
    }

    /// Every picture turned counter-clockwise by its angle in degrees, bilinear.
    public func rotated(by degrees: [Float]) -> GreyImages {
        precondition(degrees.count == count, "\(degrees.count) angles for \(count) pictures")
        let turned = withoutGradients {
            stride(from: 0, to: count, by: 1024).flatMap { start -> [Float] in
                let range = start..<min(start + 1024, count)
                return Core.rotated(
                    tensor(range, device: CPUDevice.shared), degrees: Array(degrees[range])
                ).floats()
            }
        }
        return GreyImages(side: side, pixels: turned, labels: labels)
    }
}

/// Pictures of which each was rotated once by the law of its class.
///
/// Angles and labels are for reports: nothing that learns or infers reads them.
public struct RotatedImages: Sendable {
    public let images: GreyImages
    /// What each picture was turned by in degrees, offset included.
    public let angles: [Double]
    /// What it was turned by without the offset.
    public let centredAngles: [Double]
    public let law: RotationLaw

    /// Draws an angle for every picture and rotates it.
    ///
    /// - Parameters:
    ///   - images: upright pictures.
    ///   - identifiers: a number for every picture that its angle depends on beside the seed, so that
    ///     a picture keeps its angle in another selection; positions when nil.
    public init(
        _ images: GreyImages, law: RotationLaw, seed: UInt64, identifiers: [Int]? = nil
    ) {
        let source = RandomGenerator(seed: seed, stream: 0x726F_7461)
        centredAngles = images.labels.indices.map { position in
            var generator = source.split(UInt64(identifiers?[position] ?? position))
            return law.law(of: images.labels[position]).angle(&generator)
        }
        angles = zip(centredAngles, images.labels).map {
            SymmetryPose.wrap($0 + law.offset(of: $1))
        }
        self.law = law
        self.images = images.rotated(by: angles.map(Float.init))
    }

    public var count: Int { images.count }
}

extension RotatedImages {
    /// Which pictures of MNIST are used: training takes the first of a seeded permutation, the test
    /// set all in order.
    public static func indices(
        part: MNIST.Part, count: Int, limit: Int?, seed: UInt64
    ) -> [Int] {
        guard part == .training else { return Array(0..<min(limit ?? count, count)) }
        var generator = RandomGenerator(seed: seed, stream: 0x7375_6273)
        return Array(generator.permutation(count).prefix(limit ?? count))
    }

    /// Digits of a folder with the four files of MNIST, rotated by a law.
    ///
    /// - Parameters:
    ///   - limit: pictures at most; 12,000 in the published constructions of training sets.
    ///   - seed: of the selection and the angles.
    /// - Throws: `DatasetError`, `FileFormatError`.
    public static func digits(
        folder: String, part: MNIST.Part, law: RotationLaw, limit: Int? = nil, seed: UInt64
    ) throws -> RotatedImages {
        let mnist = try MNIST(folder: folder, part: part)
        let chosen = indices(part: part, count: mnist.count, limit: limit, seed: seed)
        return RotatedImages(
            GreyImages(mnist, indices: chosen), law: law, seed: seed, identifiers: chosen)
    }
}
