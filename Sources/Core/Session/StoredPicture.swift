// Pictures and masks inside JSON. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A picture as base64 of its bytes, for recipes and sessions.
public struct StoredImage: Sendable, Equatable, Codable {
    public var width: Int
    public var height: Int
    /// Interleaved RGB.
    public var pixels: Data

    public init(_ image: RGBImage) {
        width = image.width
        height = image.height
        pixels = Data(image.pixels)
    }

    /// The picture.
    ///
    /// - Throws: `DecodingError` when the bytes do not fit the size.
    public func image() throws -> RGBImage {
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, pixels.count % 3 == 0, pixels.count / 3 == area
        else { throw Self.corrupted("picture", width, height) }
        return RGBImage(width: width, height: height, pixels: [UInt8](pixels))
    }

    fileprivate static func corrupted(_ what: String, _ width: Int, _ height: Int) -> DecodingError
    {
        DecodingError.dataCorrupted(
            .init(
                codingPath: [],
                debugDescription: "the stored \(what) does not have \(width)×\(height) pixels"))
    }
}

/// A mask as the lengths of its runs, beginning with kept pixels, row by row.
public struct StoredMask: Sendable, Equatable, Codable {
    public var width: Int
    public var height: Int
    public var runs: [Int]

    public init(_ mask: PixelMask) {
        width = mask.width
        height = mask.height
        runs = []
        var value = false
        var length = 0
        for repaint in mask.repaint {
            if repaint != value {
                runs.append(length)
                value = repaint
                length = 0
            }
            length += 1
        }
        runs.append(length)
    }

    /// The mask.
    ///
    /// - Throws: `DecodingError` when the runs do not fit the size.
    public func mask() throws -> PixelMask {
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, area <= 1 << 28,
            runs.allSatisfy({ (0...area).contains($0) }), runs.count <= area + 1,
            runs.reduce(0, +) == area
        else { throw StoredImage.corrupted("mask", width, height) }
        var mask = PixelMask(width: width, height: height)
        var position = 0
        for (i, length) in runs.enumerated() {
            if i % 2 == 1 {
                for p in position..<(position + length) { mask.repaint[p] = true }
            }
            position += length
        }
        return mask
    }
}
