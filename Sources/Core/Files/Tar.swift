// Reads tar archives.
// SPDX-License-Identifier: Apache-2.0

/// The regular files of a tar archive (USTAR, with GNU and pax long names), plain or gzipped.
///
/// An archive without its two closing blocks and padding that is not zero are accepted, as they are
/// met in practice; a damaged header or a cut file is not.
public struct Tar: Sendable {
    /// A file in the archive.
    public struct Entry: Sendable, Equatable {
        /// Path in the archive as written there; never used to write files.
        public let name: String
        /// Where its bytes lie.
        public let range: Range<Int>
    }

    /// Longest name accepted.
    static let nameLimit = 65_536
    /// In the order of the archive.
    public let entries: [Entry]
    private let contents: [UInt8]

    /// Reads a file, unpacked if it is gzipped.
    ///
    /// - Throws: ``FileFormatError``.
    public init(path: String) throws {
        try self.init(contents: try Gzip.readFile(path: path), path: path)
    }

    /// Reads unpacked contents; `path` is for messages only.
    ///
    /// - Throws: ``FileFormatError``.
    public init(contents: [UInt8], path: String) throws {
        self.contents = contents
        entries = try contents.withUnsafeBytes { try Self.entries($0, path: path) }
    }

    /// The bytes of an entry.
    public func bytes(of entry: Entry) -> ArraySlice<UInt8> { contents[entry.range] }

    private static func entries(
        _ bytes: UnsafeRawBufferPointer, path: String
    ) throws -> [Entry] {
        var entries: [Entry] = []
        var reader = ByteReader(bytes, path: path, subject: "the tar archive")
        var longName: String?
        while reader.remaining > 0 {
            let start = reader.offset
            let header = try reader.take(512)
            if header.allSatisfy({ $0 == 0 }) { break }
            guard checksumFits(header) else {
                throw FileFormatError.malformed(
                    path: path, offset: start, reason: "not a tar header (its checksum is wrong)")
            }
            let size = try number(header, 124, 12, path: path, offset: start)
            let dataStart = reader.offset
            reader.subject = "a file in the tar archive"
            let data = try reader.take(size)
            // The last file's padding may be missing altogether.
            try reader.skip(min((512 - size % 512) % 512, reader.remaining))
            reader.subject = "the tar archive"
            switch header[156] {
            case UInt8(ascii: "L"):
                longName = try text(data.prefix { $0 != 0 }, path: path, offset: dataStart)
            case UInt8(ascii: "x"):
                longName = try paxPath(data, path: path, offset: dataStart) ?? longName
            case UInt8(ascii: "0"), 0:
                let name = try longName ?? plainName(header, path: path, offset: start)
                entries.append(Entry(name: name, range: dataStart..<(dataStart + size)))
                longName = nil
            default: longName = nil
            }
        }
        return entries
    }

    private static func checksumFits(_ header: UnsafeRawBufferPointer) -> Bool {
        var sum = 0
        for (i, byte) in header.enumerated() { sum += 148..<156 ~= i ? 32 : Int(byte) }
        var stored = 0
        for byte in header[148..<156] where 0x30...0x37 ~= byte {
            stored = stored * 8 + Int(byte & 7)
        }
        return sum == stored
    }

    private static func number(
        _ header: UnsafeRawBufferPointer, _ start: Int, _ count: Int, path: String, offset: Int
    ) throws -> Int {
        let field = header[start..<(start + count)]
        var value = 0
        if let first = field.first, first & 0x80 != 0 {
            // GNU's binary form for sizes beyond 8 GiB.
            for byte in field.suffix(8) {
                guard value < 1 << 54 else {
                    throw FileFormatError.malformed(
                        path: path, offset: offset, reason: "an impossible tar size")
                }
                value = value << 8 | Int(byte)
            }
            return value
        }
        for byte in field {
            switch byte {
            case 0x30...0x37: value = value * 8 + Int(byte & 7)
            case 0, 0x20: continue
            default:
                throw FileFormatError.malformed(
                    path: path, offset: offset, reason: "a tar size that is not a number")
            }
        }
        return value
    }

    private static func plainName(
        _ header: UnsafeRawBufferPointer, path: String, offset: Int
    ) throws -> String {
        let name = try text(header[0..<100].prefix { $0 != 0 }, path: path, offset: offset)
        let isUSTAR = header[257..<262].elementsEqual(Array("ustar".utf8))
        let prefix = header[345..<500].prefix { $0 != 0 }
        // GNU's own variant uses the prefix field for other things.
        guard isUSTAR, header[262] == 0, !prefix.isEmpty else { return name }
        return try text(prefix, path: path, offset: offset) + "/" + name
    }

    private static func paxPath(
        _ data: UnsafeRawBufferPointer, path: String, offset: Int
    ) throws -> String? {
        for line in data.split(separator: 0x0A) {
            let parts = line.drop { $0 != 0x20 }.dropFirst()
            guard parts.starts(with: Array("path=".utf8)) else { continue }
            return try text(parts.dropFirst(5), path: path, offset: offset)
        }
        return nil
    }

    private static func text(
        _ bytes: some Collection<UInt8>, path: String, offset: Int
    ) throws -> String {
        guard bytes.count <= nameLimit, let text = String(validating: bytes, as: UTF8.self) else {
            throw FileFormatError.malformed(
                path: path, offset: offset, reason: "a file name that is not UTF-8")
        }
        return text
    }
}
