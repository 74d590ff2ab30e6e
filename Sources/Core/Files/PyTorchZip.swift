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
    /// Elements of a tensor that repeats storage by a stride of zero.
    static let repeatedLimit = 1 << 24
    /// Nesting of dictionaries.
    static let depthLimit = 32
    /// Dictionary entries looked at; a dictionary inside itself would have no end.
    static let entryLimit = 2_000_000
    /// Most tensors accepted.
    static let tensorLimit = 200_000

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
                var collector = Collector(storages: storages, path: file.path)
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

    /// Whether the bytes begin a bare pickle, as PyTorch wrote before its zip container.
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

    /// Flattens dictionaries to records.
    private struct Collector {
        let storages: StorageLocator
        let path: String
        var records: [TensorRecord] = []
        var names: Set<String> = []
        private var entries = 0

        init(storages: StorageLocator, path: String) {
            self.storages = storages
            self.path = path
        }

        mutating func collect(_ node: PickleNode, prefix: String, depth: Int) throws {
            guard depth < depthLimit else {
                throw FileFormatError.malformed(
                    path: path, offset: nil,
                    reason: "dictionaries are nested more than \(depthLimit) deep")
            }
            for (key, value) in zip(node.keys, node.items) {
                entries += 1
                guard entries <= entryLimit else {
                    throw FileFormatError.tooLarge(
                        path: path, what: "the number of dictionary entries", found: entries,
                        limit: entryLimit)
                }
                let name: String
                switch key {
                case .string(let text): name = prefix + text
                case .int(let number): name = prefix + String(number)
                default: continue
                }
                switch value {
                case .tensor(let tensor): try add(tensor, name: name)
                case .dictionary(let inner):
                    try collect(inner, prefix: name + ".", depth: depth + 1)
                default: continue
                }
            }
        }

        private mutating func add(_ tensor: PickleTensor, name: String) throws {
            guard names.insert(name).inserted else {
                throw FileFormatError.malformed(
                    path: path, offset: nil, reason: "the tensor \(name) is there twice")
            }
            guard records.count < tensorLimit else {
                throw FileFormatError.tooLarge(
                    path: path, what: "the number of tensors", found: records.count + 1,
                    limit: tensorLimit)
            }
            guard let dtype = tensor.storage.type.dtype else {
                throw FileFormatError.unsupported(
                    path: path, what: "\(tensor.storage.type.name) (tensor \(name))",
                    hint: "convert the tensor to float32 or int64")
            }
            let storage = try storages.range(of: tensor.storage, dtype: dtype, tensor: name)
            let span = try self.span(of: tensor, name: name)
            let start = storage.lowerBound + tensor.offset * dtype.byteCount
            records.append(
                TensorRecord(
                    name: name, dtype: dtype, shape: tensor.shape, strides: tensor.strides,
                    file: storages.file, byteRange: start..<(start + span * dtype.byteCount)))
        }

        /// Elements from the first to the last one addressed; checked to lie in the storage.
        private func span(of tensor: PickleTensor, name: String) throws -> Int {
            func bad(_ reason: String) -> FileFormatError {
                .malformed(path: path, offset: nil, reason: "tensor \(name): \(reason)")
            }
            guard tensor.shape.count == tensor.strides.count,
                tensor.shape.allSatisfy({ $0 >= 0 }), tensor.strides.allSatisfy({ $0 >= 0 }),
                tensor.offset >= 0
            else { throw bad("size \(tensor.shape), stride \(tensor.strides) are impossible") }
            var count = 1
            var last = 0
            for (size, stride) in zip(tensor.shape, tensor.strides) {
                let (product, tooMany) = count.multipliedReportingOverflow(by: size)
                let (step, tooFar) = max(0, size - 1).multipliedReportingOverflow(by: stride)
                let (sum, tooLong) = last.addingReportingOverflow(step)
                guard !tooMany, !tooFar, !tooLong else { throw bad("size \(tensor.shape)") }
                count = product
                last = sum
            }
            let span = count == 0 ? 0 : last + 1
            guard tensor.offset <= tensor.storage.count,
                span <= tensor.storage.count - tensor.offset
            else {
                throw bad(
                    "size \(tensor.shape), stride \(tensor.strides), offset \(tensor.offset) leave "
                        + "its storage of \(tensor.storage.count) elements")
            }
            guard count <= max(tensor.storage.count, repeatedLimit) else {
                throw FileFormatError.tooLarge(
                    path: path, what: "tensor \(name) (repeated elements)", found: count,
                    limit: repeatedLimit)
            }
            return span
        }
    }
}
