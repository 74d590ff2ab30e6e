// Reads PyTorch checkpoints of before version 1.6: pickles and storages one after the other.
// SPDX-License-Identifier: Apache-2.0

/// PyTorch's container before its zip files.
///
/// Five pickles — a magic number, the protocol (1001), facts about the machine, the dictionary of
/// tensors, the storages' keys — then for each key its number of elements (64 bits, little-endian)
/// and its bytes. Pickles are interpreted by ``PickleReader``, which can run nothing; storages stay
/// in the mapping.
/// Source: `torch/serialization.py`, `_legacy_save`.
public enum PyTorchLegacy {
    /// The first pickle: protocol 2, the number 0x1950a86a20f9469cfc6c, stop.
    private static let magic: [UInt8] = [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
    ]
    private static let protocolVersion = 1001

    /// Opens a file; tensors stay in the mapping.
    ///
    /// - Throws: ``FileFormatError``.
    public static func open(path: String) throws -> TensorArchive {
        try open(MappedFile(path: path))
    }

    /// Whether the bytes begin such a file.
    static func recognises(_ file: MappedFile) -> Bool {
        file.byteCount >= magic.count && Array(file.bytes[0..<magic.count]) == magic
    }

    /// Reads the pickles of a mapped file and finds its storages.
    public static func open(_ file: MappedFile) throws -> TensorArchive {
        guard recognises(file) else {
            throw FileFormatError.notRecognised(
                path: file.path, expected: "a PyTorch checkpoint of before version 1.6")
        }
        let path = file.path
        let records = try withExtendedLifetime(file) { () throws -> [TensorRecord] in
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[0..<file.byteCount])
            var offset = magic.count
            offset = try PickleReader.read(
                bytes, from: offset, path: path, subject: "the protocol"
            ) { value, end in
                guard case .int(protocolVersion) = value else {
                    throw FileFormatError.unsupported(
                        path: path, what: "another protocol than \(protocolVersion)",
                        hint: "save it again with a current PyTorch")
                }
                return end
            }
            offset = try PickleReader.read(
                bytes, from: offset, path: path, subject: "the machine's facts"
            ) { value, end in
                try requireLittleEndian(value, path: path)
                return end
            }
            return try PickleReader.read(
                bytes, from: offset, path: path, subject: "the tensors"
            ) { value, end in
                guard case .dictionary(let node) = value else {
                    throw FileFormatError.unsupported(
                        path: path, what: "a checkpoint that is not a dictionary",
                        hint: "save the dictionary of tensors (state_dict)")
                }
                // A storage's length in bytes follows from its element type, which the tensors tell.
                var lengths: [String: Int] = [:]
                var survey = TensorCollector(file: file) { storage, dtype, tensor in
                    let (size, overflow) = storage.count.multipliedReportingOverflow(
                        by: dtype.byteCount)
                    guard !overflow, lengths[storage.key] ?? size == size else {
                        throw FileFormatError.malformed(
                            path: path, offset: nil,
                            reason: "tensor \(tensor): storage \(storage.key) has no one size")
                    }
                    lengths[storage.key] = size
                    return 0..<size
                }
                try survey.collect(node, prefix: "", depth: 0)
                let ranges = try storages(bytes, from: end, lengths: lengths, path: path)
                var collector = TensorCollector(file: file) { storage, _, tensor in
                    guard let range = ranges[storage.key] else {
                        throw FileFormatError.malformed(
                            path: path, offset: nil,
                            reason:
                                "tensor \(tensor): its storage \(storage.key) is not in the file")
                    }
                    return range
                }
                try collector.collect(node, prefix: "", depth: 0)
                return collector.records
            }
        }
        return TensorArchive(path: path, format: .pytorch, records: records)
    }

    private static func requireLittleEndian(_ value: PickleValue, path: String) throws {
        guard case .dictionary(let facts) = value else {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "the machine's facts are no dictionary")
        }
        for (key, fact) in zip(facts.keys, facts.items) {
            if case .string("little_endian") = key, case .bool(false) = fact {
                throw FileFormatError.unsupported(
                    path: path, what: "a checkpoint in another byte order than little-endian",
                    hint: "save it again on a little-endian machine")
            }
        }
    }

    /// Where the storages behind the pickles lie, by key.
    private static func storages(
        _ bytes: UnsafeRawBufferPointer, from offset: Int, lengths: [String: Int], path: String
    ) throws -> [String: Range<Int>] {
        let (keys, start) = try PickleReader.read(
            bytes, from: offset, path: path, subject: "the keys of the storages"
        ) { value, end in
            guard case .list(let list) = value else {
                throw FileFormatError.malformed(
                    path: path, offset: offset, reason: "the storages' keys are no list")
            }
            var keys: [String] = []
            for case .string(let key) in list.items { keys.append(key) }
            return (keys, end)
        }
        var reader = ByteReader(bytes, path: path, subject: "the storages", offset: start)
        var ranges: [String: Range<Int>] = [:]
        for key in keys {
            let count = try reader.littleSize()
            guard let length = lengths[key], ranges[key] == nil else {
                throw reader.malformed("storage \(key) belongs to no tensor or is there twice")
            }
            // Elements of one to eight bytes; the tensors' claim must be what is written here.
            guard length == 0 ? count == 0 : count > 0 && length % count == 0 && length / count <= 8
            else { throw reader.malformed("storage \(key) holds \(count) elements") }
            let begin = reader.offset
            try reader.skip(length)
            ranges[key] = begin..<reader.offset
        }
        return ranges
    }
}
