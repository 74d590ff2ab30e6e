// Zip files by hand, as PyTorch writes them. SPDX-License-Identifier: Apache-2.0

/// A zip file of stored members whose data begin at multiples of 64 bytes by an extra field of the
/// local header; optionally with ZIP64 fields throughout.
public struct ZipBuilder {
    /// A member and how it is written.
    public struct Member {
        public var name: String
        public var data: [UInt8]
        /// What the directory says; 0 = stored.
        public var method: UInt16 = 0
        /// The size in the directory, where it is to lie.
        public var claimedSize: Int?
        /// The name in the local header, where it is to differ.
        public var localName: String?

        public init(_ name: String, _ data: [UInt8]) {
            self.name = name
            self.data = data
        }
    }

    public var members: [Member] = []
    public var usesZIP64 = false

    public init(usesZIP64: Bool = false) { self.usesZIP64 = usesZIP64 }

    public mutating func add(_ name: String, _ data: [UInt8]) {
        members.append(Member(name, data))
    }

    /// The file.
    public func build() -> [UInt8] {
        var file = ByteBuilder()
        var directory = ByteBuilder()
        for member in members {
            let offset = file.bytes.count
            file.add(Self.localHeader(member, offset: offset))
            file.add(member.data)
            directory.add(
                Self.entry(
                    name: member.name, size: member.claimedSize ?? member.data.count,
                    offset: offset, method: member.method, usesZIP64: usesZIP64))
        }
        let start = file.bytes.count
        file.add(directory.bytes)
        file.add(
            Self.end(
                count: members.count, size: directory.bytes.count, start: start,
                usesZIP64: usesZIP64))
        return file.bytes
    }

    /// A local header, padded so that the data after it are aligned.
    public static func localHeader(_ member: Member, offset: Int) -> [UInt8] {
        let name = member.localName ?? member.name
        var header = ByteBuilder()
        header.little(UInt32(0x0403_4b50))
        header.little(UInt16(20))
        header.little(UInt16(0x0808))
        header.little(member.method)
        // Time, date, checksum and sizes stay zero, as when they follow the data.
        header.add([UInt8](repeating: 0, count: 16))
        header.little(UInt16(name.utf8.count))
        let unpadded = offset + 30 + name.utf8.count + 4
        let padding = (64 - unpadded % 64) % 64
        header.little(UInt16(4 + padding))
        header.add(name)
        header.add("FB")
        header.little(UInt16(padding))
        header.add([UInt8](repeating: UInt8(ascii: "Z"), count: padding))
        return header.bytes
    }

    /// An entry of the central directory.
    public static func entry(
        name: String, size: Int, offset: Int, method: UInt16 = 0, usesZIP64: Bool
    ) -> [UInt8] {
        var entry = ByteBuilder()
        entry.little(UInt32(0x0201_4b50))
        entry.little(UInt16(20))
        entry.little(UInt16(20))
        entry.little(UInt16(0x0808))
        entry.little(method)
        entry.add([UInt8](repeating: 0, count: 8))
        let size32 = usesZIP64 ? UInt32.max : UInt32(size)
        entry.little(size32)
        entry.little(size32)
        entry.little(UInt16(name.utf8.count))
        entry.little(UInt16(usesZIP64 ? 28 : 0))
        entry.add([UInt8](repeating: 0, count: 10))
        entry.little(usesZIP64 ? UInt32.max : UInt32(offset))
        entry.add(name)
        if usesZIP64 {
            entry.little(UInt16(1))
            entry.little(UInt16(24))
            entry.little(UInt64(size))
            entry.little(UInt64(size))
            entry.little(UInt64(offset))
        }
        return entry.bytes
    }

    /// The end records.
    public static func end(count: Int, size: Int, start: Int, usesZIP64: Bool) -> [UInt8] {
        var end = ByteBuilder()
        if usesZIP64 {
            end.little(UInt32(0x0606_4b50))
            end.little(UInt64(44))
            end.little(UInt16(45))
            end.little(UInt16(45))
            end.little(UInt32(0))
            end.little(UInt32(0))
            end.little(UInt64(count))
            end.little(UInt64(count))
            end.little(UInt64(size))
            end.little(UInt64(start))
            end.little(UInt32(0x0706_4b50))
            end.little(UInt32(0))
            end.little(UInt64(start + size))
            end.little(UInt32(1))
        }
        end.little(UInt32(0x0605_4b50))
        end.little(UInt16(0))
        end.little(UInt16(0))
        end.little(usesZIP64 ? UInt16.max : UInt16(count))
        end.little(usesZIP64 ? UInt16.max : UInt16(count))
        end.little(usesZIP64 ? UInt32.max : UInt32(size))
        end.little(usesZIP64 ? UInt32.max : UInt32(start))
        end.little(UInt16(0))
        return end.bytes
    }
}
