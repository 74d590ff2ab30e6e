// Bounds-checked reading of little- and big-endian numbers.
// SPDX-License-Identifier: Apache-2.0

/// Reads numbers and slices from bytes; every read past the end throws.
///
/// The bytes must outlive the reader: it lives within one call of a file reader that holds the
/// mapping or the array.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    let path: String
    /// What is being read, for the sentence of an error.
    var subject: String
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, path: String, subject: String, offset: Int = 0) {
        self.bytes = bytes
        self.path = path
        self.subject = subject
        self.offset = offset
    }

    var remaining: Int { bytes.count - offset }

    mutating func seek(_ position: Int) throws(FileFormatError) {
        guard position >= 0, position <= bytes.count else {
            throw .truncated(path: path, what: subject, needed: position, found: bytes.count)
        }
        offset = position
    }

    mutating func take(_ count: Int) throws(FileFormatError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw .truncated(path: path, what: subject, needed: count, found: remaining)
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    mutating func skip(_ count: Int) throws(FileFormatError) { _ = try take(count) }

    mutating func byte() throws(FileFormatError) -> UInt8 { try take(1)[0] }

    mutating func little<T: FixedWidthInteger>(_: T.Type) throws(FileFormatError) -> T {
        T(littleEndian: try take(T.bitWidth / 8).loadUnaligned(as: T.self))
    }

    mutating func big<T: FixedWidthInteger>(_: T.Type) throws(FileFormatError) -> T {
        T(bigEndian: try take(T.bitWidth / 8).loadUnaligned(as: T.self))
    }

    /// A 64-bit size or offset that must fit the machine's integers.
    mutating func littleSize() throws(FileFormatError) -> Int {
        let value = try little(UInt64.self)
        guard let size = Int(exactly: value) else {
            throw malformed("\(subject) claims \(value) bytes")
        }
        return size
    }

    mutating func string(_ count: Int) throws(FileFormatError) -> String {
        let slice = try take(count)
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw malformed("a name in \(subject) is not UTF-8")
        }
        return text
    }

    func malformed(_ reason: String) -> FileFormatError {
        .malformed(path: path, offset: offset, reason: reason)
    }
}
