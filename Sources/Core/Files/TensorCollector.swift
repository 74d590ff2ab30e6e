// From the dictionaries of a PyTorch checkpoint to tensor records.
// SPDX-License-Identifier: Apache-2.0

/// Flattens the dictionaries of a pickle to records; nested names are joined with dots.
struct TensorCollector {
    /// Elements of a tensor that repeats storage by a stride of zero.
    static let repeatedLimit = 1 << 24
    /// Nesting of dictionaries.
    static let depthLimit = 32
    /// Dictionary entries looked at; a dictionary inside itself would have no end.
    static let entryLimit = 2_000_000
    /// Most tensors accepted.
    static let tensorLimit = 200_000

    private let file: MappedFile
    private let locate: (PickleStorage, DType, String) throws -> Range<Int>
    private(set) var records: [TensorRecord] = []
    private var names: Set<String> = []
    private var entries = 0
    private var path: String { file.path }

    /// - Parameter locate: the bytes of a storage, checked to be all there; also gets the element
    ///   type and, for sentences, the tensor's name.
    init(
        file: MappedFile, locate: @escaping (PickleStorage, DType, String) throws -> Range<Int>
    ) {
        self.file = file
        self.locate = locate
    }

    mutating func collect(_ node: PickleNode, prefix: String, depth: Int) throws {
        guard depth < Self.depthLimit else {
            throw FileFormatError.malformed(
                path: path, offset: nil,
                reason: "dictionaries are nested more than \(Self.depthLimit) deep")
        }
        for (key, value) in zip(node.keys, node.items) {
            entries += 1
            guard entries <= Self.entryLimit else {
                throw FileFormatError.tooLarge(
                    path: path, what: "the number of dictionary entries", found: entries,
                    limit: Self.entryLimit)
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
        guard records.count < Self.tensorLimit else {
            throw FileFormatError.tooLarge(
                path: path, what: "the number of tensors", found: records.count + 1,
                limit: Self.tensorLimit)
        }
        guard let dtype = tensor.storage.type.dtype else {
            throw FileFormatError.unsupported(
                path: path, what: "\(tensor.storage.type.name) (tensor \(name))",
                hint: "convert the tensor to float32 or int64")
        }
        let storage = try locate(tensor.storage, dtype, name)
        let span = try self.span(of: tensor, name: name)
        let start = storage.lowerBound + tensor.offset * dtype.byteCount
        records.append(
            TensorRecord(
                name: name, dtype: dtype, shape: tensor.shape, strides: tensor.strides,
                file: file, byteRange: start..<(start + span * dtype.byteCount)))
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
        guard count <= max(tensor.storage.count, Self.repeatedLimit) else {
            throw FileFormatError.tooLarge(
                path: path, what: "tensor \(name) (repeated elements)", found: count,
                limit: Self.repeatedLimit)
        }
        return span
    }
}
