// PNG pictures through libpng.
// SPDX-License-Identifier: Apache-2.0
import CCodecs
import Foundation

/// Reads every kind of PNG as 8-bit RGB and writes RGB and grey ones.
///
/// 16-bit samples are scaled to 8 bits, palettes expanded, transparent pixels composited on white.
/// Pictures of more than 64 Mi pixels are refused. Gamma and colour profiles are not applied.
public enum PNG {
    /// A text stored in a PNG file.
    public struct Text: Sendable, Equatable {
        /// 1 to 79 Latin-1 characters.
        public var key: String
        public var value: String

        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Decodes a picture; `path` is for messages only.
    ///
    /// - Throws: ``FileFormatError``.
    public static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws -> RGBImage {
        var picture = try decode(bytes, path: path, channels: 3, texts: nil)
        defer { cc_picture_free(&picture) }
        return RGBImage(
            width: Int(picture.width), height: Int(picture.height), pixels: pixels(picture))
    }

    /// Reads a file.
    ///
    /// - Throws: ``FileFormatError``.
    public static func read(path: String) throws -> RGBImage {
        let file = try MappedFile(path: path)
        return try withExtendedLifetime(file) { try decode(file.bytes, path: path) }
    }

    /// Decodes a picture to one byte per pixel (Rec. 601 luma of the composited colours).
    ///
    /// - Throws: ``FileFormatError``.
    public static func decodeGrey(
        _ bytes: UnsafeRawBufferPointer, path: String
    ) throws -> (width: Int, height: Int, pixels: [UInt8]) {
        var picture = try decode(bytes, path: path, channels: 1, texts: nil)
        defer { cc_picture_free(&picture) }
        return (Int(picture.width), Int(picture.height), pixels(picture))
    }

    /// The texts stored in a file, in their order; the picture is decoded and so checked too.
    ///
    /// - Throws: ``FileFormatError``.
    public static func readTexts(path: String) throws -> [Text] {
        let file = try MappedFile(path: path)
        var texts = cc_texts()
        var picture = try withExtendedLifetime(file) {
            try decode(file.bytes, path: path, channels: 3, texts: &texts)
        }
        defer {
            cc_picture_free(&picture)
            cc_texts_free(&texts)
        }
        return UnsafeBufferPointer(start: texts.items, count: texts.count).map {
            Text(key: String(cString: $0.key), value: String(cString: $0.value))
        }
    }

    /// Encodes a picture. The same picture and texts give the same bytes with the same libpng.
    ///
    /// - Throws: ``FileFormatError/unsupported(path:what:hint:)`` for an impossible key.
    public static func encode(_ image: RGBImage, texts: [Text] = []) throws -> [UInt8] {
        try encode(
            image.pixels, width: image.width, height: image.height, channels: 3, texts: texts)
    }

    /// Encodes one byte per pixel as a grey picture.
    ///
    /// - Precondition: `pixels` has `width · height` entries.
    public static func encodeGrey(_ pixels: [UInt8], width: Int, height: Int) throws -> [UInt8] {
        precondition(pixels.count == width * height, "\(pixels.count) bytes, \(width)×\(height)")
        return try encode(pixels, width: width, height: height, channels: 1, texts: [])
    }

    /// Writes a file atomically.
    ///
    /// - Throws: ``FileFormatError``.
    public static func write(_ image: RGBImage, to path: String, texts: [Text] = []) throws {
        try AtomicWrite.write(encode(image, texts: texts), to: path)
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, channels: UInt32,
        texts: UnsafeMutablePointer<cc_texts>?
    ) throws -> cc_picture {
        guard bytes.starts(with: signature) else {
            throw FileFormatError.notRecognised(path: path, expected: "a PNG picture")
        }
        var picture = cc_picture()
        let failure = codecFailure {
            cc_png_decode(bytes.octets, bytes.count, channels, pictureLimit, &picture, texts, $0)
        }
        if let failure {
            throw FileFormatError.malformed(path: path, offset: nil, reason: "PNG: \(failure)")
        }
        return picture
    }

    private static func pixels(_ picture: cc_picture) -> [UInt8] {
        let count = Int(picture.width) * Int(picture.height) * Int(picture.channels)
        return Array(UnsafeBufferPointer(start: picture.pixels, count: count))
    }

    private static func encode(
        _ pixels: [UInt8], width: Int, height: Int, channels: UInt32, texts: [Text]
    ) throws -> [UInt8] {
        var items: [cc_text] = []
        defer {
            for item in items {
                free(item.key)
                free(item.value)
            }
        }
        for text in texts {
            // A zero byte would end the C string early and lose the rest silently.
            guard 1...79 ~= text.key.utf8.count, text.key.allSatisfy({ $0.isASCII }),
                !text.key.utf8.contains(0), !text.value.utf8.contains(0)
            else {
                throw FileFormatError.unsupported(
                    path: "PNG", what: "a text with the key \"\(text.key)\"",
                    hint: "use 1 to 79 ASCII characters and no zero characters")
            }
            items.append(cc_text(key: strdup(text.key), value: strdup(text.value)))
        }
        var out = cc_buffer()
        let failure = codecFailure {
            cc_png_encode(
                pixels, UInt32(width), UInt32(height), channels, items, items.count, &out, $0)
        }
        if let failure { throw FileFormatError.notWritable(path: "PNG", reason: failure) }
        defer { cc_buffer_free(&out) }
        return Array(UnsafeBufferPointer(start: out.bytes, count: out.count))
    }
}
