// Finds the members of a zip file, with and without ZIP64.
// SPDX-License-Identifier: Apache-2.0

/// The members of a zip file as its central directory lists them.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
package struct ZipDirectory {
    /// One member.
    package struct Member {
        package let name: String
        /// 0 stored, 8 deflated.
        package let method: Int
        /// Bytes in the file.
        package let storedSize: Int
        /// Bytes once unpacked.
        package let size: Int
        /// Where the member's local header begins.
        package let headerOffset: Int
    }

    /// Most members accepted.
    static let memberLimit = 1_000_000
    package let members: [Member]
    private let file: MappedFile

    /// Reads the central directory.
    ///
    /// - Throws: ``FileFormatError``.
    package init(_ file: MappedFile) throws(FileFormatError) {
        self.file = file
        let end = try Self.findEnd(file)
        var reader = ByteReader(file.bytes, path: file.path, subject: "the zip directory")
        let (count, size, start) = try Self.extent(file, endOffset: end)
        guard count <= Self.memberLimit else {
            throw .tooLarge(
                path: file.path, what: "the number of zip members", found: count,
                limit: Self.memberLimit)
        }
        guard start <= end, size <= end - start else {
            throw .malformed(
                path: file.path, offset: end, reason: "the zip directory lies outside the file")
        }
        try reader.seek(start)
        var members: [Member] = []
        var names: Set<String> = []
        for _ in 0..<count {
            let member = try Self.member(&reader)
            guard names.insert(member.name).inserted else {
                throw reader.malformed("the zip member \(member.name) is there twice")
            }
            members.append(member)
        }
        self.members = members
    }

    /// Where the bytes of a member lie; found from its local header.
    ///
    /// - Throws: ``FileFormatError`` when the local header contradicts the directory.
    package func dataRange(of member: Member) throws(FileFormatError) -> Range<Int> {
        var reader = ByteReader(
            file.bytes, path: file.path, subject: "the zip member \(member.name)")
        try reader.seek(member.headerOffset)
        guard try reader.little(UInt32.self) == 0x0403_4b50 else {
            throw .malformed(
                path: file.path, offset: member.headerOffset,
                reason: "no header of the zip member \(member.name)")
        }
        try reader.skip(22)
        let nameLength = Int(try reader.little(UInt16.self))
        // PyTorch aligns data by an extra field that only the local header has.
        let extraLength = Int(try reader.little(UInt16.self))
        guard try reader.string(nameLength) == member.name else {
            throw .malformed(
                path: file.path, offset: member.headerOffset,
                reason: "the header of the zip member \(member.name) has another name")
        }
        try reader.skip(extraLength)
        let start = reader.offset
        _ = try reader.take(member.storedSize)
        return start..<reader.offset
    }

    private static func findEnd(_ file: MappedFile) throws(FileFormatError) -> Int {
        // The end record is 22 bytes and a comment of at most 65,535.
        let last = file.byteCount - 22
        if last >= 0 {
            for offset in stride(from: last, through: max(0, last - 65_535), by: -1) {
                let signature = file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                guard UInt32(littleEndian: signature) == 0x0605_4b50 else { continue }
                let comment = UInt16(
                    littleEndian: file.bytes.loadUnaligned(
                        fromByteOffset: offset + 20, as: UInt16.self))
                if offset + 22 + Int(comment) == file.byteCount { return offset }
            }
        }
        throw .malformed(
            path: file.path, offset: nil,
            reason: "the zip directory at its end is missing, so the file is cut off")
    }

    private static func extent(
        _ file: MappedFile, endOffset: Int
    ) throws(FileFormatError) -> (count: Int, size: Int, start: Int) {
        var reader = ByteReader(
            file.bytes, path: file.path, subject: "the zip directory", offset: endOffset + 4)
        let disk = try reader.little(UInt16.self)
        try reader.skip(2)
        let countHere = try reader.little(UInt16.self)
        let count = try reader.little(UInt16.self)
        let size = try reader.little(UInt32.self)
        let start = try reader.little(UInt32.self)
        let needs64 =
            count == .max || size == .max || start == .max || disk == .max || countHere == .max
        if needs64, endOffset >= 20 {
            try reader.seek(endOffset - 20)
            if try reader.little(UInt32.self) == 0x0706_4b50 {
                try reader.skip(4)
                try reader.seek(try reader.littleSize())
                guard try reader.little(UInt32.self) == 0x0606_4b50 else {
                    throw reader.malformed("the ZIP64 directory is missing")
                }
                try reader.skip(8 + 2 + 2 + 4 + 4 + 8)
                return (
                    try reader.littleSize(), try reader.littleSize(), try reader.littleSize()
                )
            }
        }
        guard disk == 0, countHere == count else {
            throw .unsupported(
                path: file.path, what: "a zip file in several parts", hint: "join the parts first")
        }
        return (Int(count), Int(size), Int(start))
    }

    private static func member(_ reader: inout ByteReader) throws(FileFormatError) -> Member {
        guard try reader.little(UInt32.self) == 0x0201_4b50 else {
            throw reader.malformed("an entry of the zip directory is missing")
        }
        try reader.skip(4)
        let flags = try reader.little(UInt16.self)
        let method = try reader.little(UInt16.self)
        try reader.skip(8)
        var storedSize = Int(try reader.little(UInt32.self))
        var size = Int(try reader.little(UInt32.self))
        let nameLength = Int(try reader.little(UInt16.self))
        let extraLength = Int(try reader.little(UInt16.self))
        let commentLength = Int(try reader.little(UInt16.self))
        try reader.skip(8)
        var headerOffset = Int(try reader.little(UInt32.self))
        let name = try reader.string(nameLength)
        var extra = ByteReader(
            try reader.take(extraLength), path: reader.path, subject: "the zip directory")
        try reader.skip(commentLength)
        guard flags & 1 == 0 else {
            throw .unsupported(
                path: reader.path, what: "an encrypted zip member (\(name))",
                hint: "unpack it first")
        }
        let full = Int(UInt32.max)
        if size == full || storedSize == full || headerOffset == full {
            while extra.remaining >= 4 {
                let identifier = try extra.little(UInt16.self)
                let length = Int(try extra.little(UInt16.self))
                guard identifier == 1 else {
                    try extra.skip(length)
                    continue
                }
                // Only the fields that are all ones in the entry are present, in this order.
                if size == full { size = try extra.littleSize() }
                if storedSize == full { storedSize = try extra.littleSize() }
                if headerOffset == full { headerOffset = try extra.littleSize() }
                break
            }
        }
        return Member(
            name: name, method: Int(method), storedSize: storedSize, size: size,
            headerOffset: headerOffset)
    }
}
