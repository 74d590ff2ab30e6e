// Unpacks gzip files and deflated zip members through zlib.
// SPDX-License-Identifier: Apache-2.0
import CCodecs

/// Unpacking with limits.
public enum Gzip {
    /// Most bytes unpacked unless told otherwise; 1 GiB.
    public static let defaultLimit = 1 << 30

    /// Whether bytes begin a gzip file.
    public static func recognises(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }

    /// Unpacks gzip bytes; `path` is for messages only.
    ///
    /// - Throws: ``FileFormatError``.
    public static func unpack(
        _ bytes: UnsafeRawBufferPointer, path: String, limit: Int = defaultLimit
    ) throws -> [UInt8] {
        guard recognises(bytes) else {
            throw FileFormatError.notRecognised(path: path, expected: "a gzip file")
        }
        return try take(path: path, format: "gzip") {
            cc_gunzip(bytes.octets, bytes.count, limit, &$0, $1)
        }
    }

    /// Reads a file, unpacked if it is gzipped, as it is otherwise.
    ///
    /// - Throws: ``FileFormatError``.
    public static func readFile(path: String, limit: Int = defaultLimit) throws -> [UInt8] {
        let file = try MappedFile(path: path)
        return try withExtendedLifetime(file) {
            if recognises(file.bytes) {
                return try unpack(file.bytes, path: path, limit: limit)
            }
            guard file.byteCount <= limit else {
                throw FileFormatError.tooLarge(
                    path: path, what: "its size in bytes", found: file.byteCount, limit: limit)
            }
            return [UInt8](file.bytes)
        }
    }

    /// Unpacks a raw deflate stream whose unpacked size is known from a zip directory.
    ///
    /// - Throws: ``FileFormatError``.
    static func inflate(
        _ bytes: UnsafeRawBufferPointer, size: Int, path: String, limit: Int = defaultLimit
    ) throws -> [UInt8] {
        guard size <= limit else {
            throw FileFormatError.tooLarge(
                path: path, what: "an unpacked zip member", found: size, limit: limit)
        }
        return try take(path: path, format: "deflate") {
            cc_inflate(bytes.octets, bytes.count, size, &$0, $1)
        }
    }

    private static func take(
        path: String, format: String,
        _ call: (inout cc_buffer, UnsafeMutablePointer<CChar>) -> Int32
    ) throws -> [UInt8] {
        var buffer = cc_buffer()
        if let failure = codecFailure({ call(&buffer, $0) }) {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "\(format): \(failure)")
        }
        defer { cc_buffer_free(&buffer) }
        return Array(UnsafeBufferPointer(start: buffer.bytes, count: buffer.count))
    }
}
