// MNIST and the sets in its format.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Handwritten digits, 28×28 grey, ten classes; also Fashion-MNIST, which has the same four files.
///
/// The files are the published ones, plain or gzipped: `train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`.
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
public struct MNIST: Dataset {
    /// Which of the two parts.
    public enum Part: String, Sendable, CaseIterable, Codable {
        /// 60,000 pictures.
        case training = "train"
        /// 10,000 pictures.
        case test = "t10k"
    }

    /// Side of a picture in pixels.
    public static let side = 28
    public let name: String
    public let classes: [String]
    private let pixels: [UInt8]
    private let labels: [UInt8]

    /// Reads one part from a folder.
    ///
    /// - Throws: ``DatasetError``, ``FileFormatError``.
    public init(
        folder: String, part: Part, classes: [String] = (0..<10).map(String.init)
    ) throws {
        let imagesPath = try Self.path(part, "images-idx3-ubyte", folder: folder)
        let labelsPath = try Self.path(part, "labels-idx1-ubyte", folder: folder)
        let images = try IDX(path: imagesPath)
        let labels = try IDX(path: labelsPath)
        guard images.shape.count == 3, images.shape[1...] == [Self.side, Self.side] else {
            throw DatasetError.wrongShape(
                path: imagesPath, expected: "N×28×28 pixels", found: images.shape)
        }
        guard labels.shape.count == 1 else {
            throw DatasetError.wrongShape(
                path: labelsPath, expected: "N labels", found: labels.shape)
        }
        guard images.shape[0] == labels.shape[0] else {
            throw DatasetError.countMismatch(
                first: imagesPath, firstCount: images.shape[0], second: labelsPath,
                secondCount: labels.shape[0])
        }
        if let index = labels.bytes.firstIndex(where: { Int($0) >= classes.count }) {
            throw DatasetError.labelOutOfRange(
                path: labelsPath, index: index, label: Int(labels.bytes[index]),
                classCount: classes.count)
        }
        name = part == .training ? "MNIST, training part" : "MNIST, test part"
        self.classes = classes
        pixels = images.bytes
        self.labels = labels.bytes
    }

    /// The first of some folders that holds all four files.
    ///
    /// - Throws: ``DatasetError/notFound(name:files:places:)`` with the folders looked in.
    public static func locate(in folders: [String]) throws(DatasetError) -> String {
        let names = Part.allCases.flatMap {
            ["\($0.rawValue)-images-idx3-ubyte", "\($0.rawValue)-labels-idx1-ubyte"]
        }
        for folder in folders where names.allSatisfy({ existing($0, folder: folder) != nil }) {
            return folder
        }
        throw .notFound(name: "MNIST", files: names, places: folders)
    }

    public var count: Int { labels.count }
    public func label(at index: Int) -> Int { Int(labels[index]) }

    /// The 784 bytes of a picture, row-major, 0 = background.
    public func greyPixels(at index: Int) -> ArraySlice<UInt8> {
        let size = Self.side * Self.side
        return pixels[(index * size)..<((index + 1) * size)]
    }

    /// The picture with equal channels.
    public func image(at index: Int) -> RGBImage {
        var rgb: [UInt8] = []
        rgb.reserveCapacity(3 * Self.side * Self.side)
        for value in greyPixels(at: index) {
            rgb.append(value)
            rgb.append(value)
            rgb.append(value)
        }
        return RGBImage(width: Self.side, height: Self.side, pixels: rgb)
    }

    /// Mean over all pixels, 0…255; 33.3184 for the training part.
    public var meanPixel: Double {
        let sum = pixels.withUnsafeBufferPointer { $0.reduce(UInt64(0)) { $0 + UInt64($1) } }
        return pixels.isEmpty ? 0 : Double(sum) / Double(pixels.count)
    }

    private static func path(_ part: Part, _ kind: String, folder: String) throws -> String {
        let name = "\(part.rawValue)-\(kind)"
        guard let path = existing(name, folder: folder) else {
            throw DatasetError.notFound(name: "MNIST", files: [name], places: [folder])
        }
        return path
    }

    private static func existing(_ name: String, folder: String) -> String? {
        // Some mirrors write a dot where the originals have a dash.
        let dotted = name.replacing("-idx", with: ".idx")
        return [name, name + ".gz", dotted, dotted + ".gz"].map { folder + "/" + $0 }
            .first { FileManager.default.fileExists(atPath: $0) }
    }
}
