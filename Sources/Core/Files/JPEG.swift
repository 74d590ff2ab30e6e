// JPEG pictures through libjpeg-turbo.
// SPDX-License-Identifier: Apache-2.0
import CCodecs

/// Reads baseline and progressive JPEG as 8-bit RGB, turned as its EXIF orientation says.
///
/// Grey files are converted, CMYK files refused, files that end early refused.
public enum JPEG {
    static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

    /// Decodes a picture; `path` is for messages only.
    ///
    /// - Throws: ``FileFormatError``.
    public static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws -> RGBImage {
        guard bytes.starts(with: signature) else {
            throw FileFormatError.notRecognised(path: path, expected: "a JPEG picture")
        }
        var picture = cc_picture()
        let failure = codecFailure {
            cc_jpeg_decode(bytes.octets, bytes.count, pictureLimit, &picture, $0)
        }
        if let failure {
            throw FileFormatError.malformed(path: path, offset: nil, reason: "JPEG: \(failure)")
        }
        defer { cc_picture_free(&picture) }
        let width = Int(picture.width)
        let height = Int(picture.height)
        let pixels = Array(UnsafeBufferPointer(start: picture.pixels, count: 3 * width * height))
        return RGBImage(width: width, height: height, pixels: pixels)
            .oriented(EXIFOrientation.find(in: bytes))
    }

    /// Reads a file.
    ///
    /// - Throws: ``FileFormatError``.
    public static func read(path: String) throws -> RGBImage {
        let file = try MappedFile(path: path)
        return try withExtendedLifetime(file) { try decode(file.bytes, path: path) }
    }
}
