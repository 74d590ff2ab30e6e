// Reads PyTorch checkpoints (.pth, .pt): a zip of one pickle and raw storages.
// SPDX-License-Identifier: Apache-2.0

/// PyTorch's zip container of version 1.6 and later.
///
/// The pickle is interpreted by ``PickleReader``, which can run nothing; storages stay in the
/// mapping, so a file of 10 GB costs the memory of its directory. Nested dictionaries are flattened
/// with dots (`trainer.vae_local.quantize…`); numbers and strings beside the tensors are passed over.
public enum PyTorchZip {
    /// The longest pickle accepted; that of a 2.5 billion parameter model is 0.1 MB.
    static let pickleLimit = 64 << 20

    /// Opens a file; tensors stay in the mapping.
    ///
    /// - Throws: ``FileFormatError``.
    public static func open(path: String) throws -> TensorArchive {
        try open(MappedFile(path: path))
    }

    /// Reads the directory and the pickle of a mapped file.
    public static func open(_ file: MappedFile) throws -> TensorArchive {
        let directory = try ZipDirectory(file)
        let pickle = try self.pickle(in: directory, path: file.path)
        let root = String(pickle.name.dropLast("data.pkl".count))
        var members: [String: ZipDirectory.Member] = [:]
        for member in directory.members { members[member.name] = member }
        try checkByteOrder(members[root + "byteorder"], directory, file)
        let storages = StorageLocator(
            file: file, directory: directory, members: members, prefix: root + "data/")
        let bytes = UnsafeRawBufferPointer(
            rebasing: file.bytes[try directory.dataRange(of: pickle)])
        let records = try withExtendedLifetime(file) {
            try PickleReader.read(bytes, path: file.path) { value in
                guard case .dictionary(let node) = value else {
                    throw FileFormatError.unsupported(
                        path: file.path, what: "a checkpoint that is not a dictionary",
                        hint: "save the dictionary of tensors (state_dict)")
                }
                var collector = TensorCollector(file: file, locate: storages.range)
                try collector.collect(node, prefix: "", depth: 0)
                return collector.records
            }
        }
        return TensorArchive(path: file.path, format: .pytorch, records: records)
    }

    /// Whether the bytes begin a zip file.
    static func recognises(_ file: MappedFile) -> Bool {
        file.byteCount >= 4 && Array(file.bytes[0..<4]) == [0x50, 0x4b, 3, 4]
    }

    /// Whether the bytes begin a bare pickle.
    static func isLegacyPickle(_ file: MappedFile) -> Bool {
        file.byteCount >= 2 && file.bytes[0] == 0x80 && 2...5 ~= file.bytes[1]
    }

    private static func pickle(
        in directory: ZipDirectory, path: String
    ) throws -> ZipDirectory.Member {
        let found = directory.members.filter {
            $0.name.hasSuffix("/data.pkl") && $0.name.count(where: { $0 == "/" }) == 1
        }
        guard let pickle = found.first, found.count == 1 else {
            throw FileFormatError.notRecognised(
                path: path, expected: "a PyTorch checkpoint (a zip file with one data.pkl)")
        }
        if directory.members.contains(where: { $0.name.hasSuffix("/constants.pkl") }) {
            throw FileFormatError.unsupported(
                path: path, what: "a TorchScript program",
                hint: "save the dictionary of tensors (state_dict) with torch.save")
        }
        guard pickle.method == 0, pickle.size == pickle.storedSize else {
            throw FileFormatError.unsupported(
                path: path, what: "a compressed data.pkl", hint: "save it again with torch.save")
        }
        guard pickle.size <= pickleLimit else {
            throw FileFormatError.tooLarge(
                path: path, what: "data.pkl", found: pickle.size, limit: pickleLimit)
        }
        return pickle
    }

    private static func checkByteOrder(
        _ member: ZipDirectory.Member?, _ directory: ZipDirectory, _ file: MappedFile
    ) throws {
        guard let member else { return }
        let text = file.bytes[try directory.dataRange(of: member)].prefix(8)
        guard Array(text) == Array("little".utf8) else {
            throw FileFormatError.unsupported(
                path: file.path, what: "a checkpoint in another byte order than little-endian",
                hint: "save it again on a little-endian machine")
        }
    }

    /// Finds the bytes of storages.
    private struct StorageLocator {
        let file: MappedFile
        let directory: ZipDirectory
        let members: [String: ZipDirectory.Member]
        let prefix: String

        func range(of storage: PickleStorage, dtype: DType, tensor: String) throws -> Range<Int> {
            func bad(_ reason: String) -> FileFormatError {
                .malformed(path: file.path, offset: nil, reason: "tensor \(tensor): \(reason)")
            }
            guard let member = members[prefix + storage.key] else {
                throw bad("its storage \(storage.key) is not in the file")
            }
            guard member.method == 0, member.size == member.storedSize else {
                throw FileFormatError.unsupported(
                    path: file.path, what: "a compressed storage (tensor \(tensor))",
                    hint: "save it again with torch.save")
            }
            let (size, overflow) = storage.count.multipliedReportingOverflow(by: dtype.byteCount)
            guard !overflow, member.size == size else {
                throw bad(
                    "its storage claims \(storage.count) elements of \(dtype.byteCount) bytes, "
                        + "but \(member.size) bytes are there")
            }
            return try directory.dataRange(of: member)
        }
    }
}
