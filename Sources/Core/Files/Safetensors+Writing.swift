// Writes checkpoints in the safetensors format.
// SPDX-License-Identifier: Apache-2.0

extension Safetensors {
    /// A tensor to be written.
    public struct Item {
        public var name: String
        public var dtype: DType
        public var shape: [Int]
        fileprivate var source: Source

        fileprivate enum Source {
            case bytes([UInt8])
            case tensor(Tensor)
        }

        /// Raw little-endian elements, row-major.
        ///
        /// - Precondition: `bytes` has as many bytes as the shape needs.
        public init(name: String, dtype: DType, shape: [Int], bytes: [UInt8]) {
            precondition(
                bytes.count == shape.reduce(1, *) * dtype.byteCount,
                "\(bytes.count) bytes for \(name) \(shape) \(dtype)")
            self.name = name
            self.dtype = dtype
            self.shape = shape
            source = .bytes(bytes)
        }

        /// A tensor, in its own element type; read when it is written.
        public init(name: String, tensor: Tensor) {
            self.name = name
            dtype = tensor.dtype
            shape = tensor.shape
            source = .tensor(tensor)
        }

        fileprivate var byteCount: Int { shape.reduce(1, *) * dtype.byteCount }
    }

    /// Writes a file atomically; the header lists the tensors in the order given.
    ///
    /// The data begin at a multiple of 64 bytes and wider element types come first, so that every
    /// tensor can be used in the mapping. The same items give the same bytes.
    /// - Throws: ``FileFormatError/notWritable(path:reason:)``.
    /// - Precondition: names are unique and none is `__metadata__`.
    public static func write(
        _ items: [Item], metadata: [String: String] = [:], to path: String
    ) throws {
        let names = Set(items.map(\.name))
        precondition(names.count == items.count, "two tensors of one name")
        precondition(!names.contains("__metadata__"), "__metadata__ is no tensor name")
        let order = items.indices.sorted {
            (items[$1].dtype.byteCount, $0) < (items[$0].dtype.byteCount, $1)
        }
        let file = try AtomicFile(path: path)
        try file.write(header(items, order: order, metadata: metadata))
        for index in order { try write(items[index], to: file) }
        try file.commit()
    }

    private static func header(
        _ items: [Item], order: [Int], metadata: [String: String]
    ) -> [UInt8] {
        var offsets = [Int](repeating: 0, count: items.count)
        var end = 0
        for index in order {
            offsets[index] = end
            end += items[index].byteCount
        }
        var members: [JSONValue.Member] = []
        if !metadata.isEmpty {
            let entries = metadata.sorted { $0.key < $1.key }
            members.append(
                .init(
                    key: "__metadata__",
                    value: .object(entries.map { .init(key: $0.key, value: .string($0.value)) })))
        }
        for (item, start) in zip(items, offsets) {
            let value: [JSONValue.Member] = [
                .init(key: "dtype", value: .string(item.dtype.safetensorsName)),
                .init(key: "shape", value: .array(item.shape.map { .integer($0) })),
                .init(
                    key: "data_offsets",
                    value: .array([.integer(start), .integer(start + item.byteCount)])),
            ]
            members.append(.init(key: item.name, value: .object(value)))
        }
        var text = Array(JSONValue.object(members).text.utf8)
        while (8 + text.count) % 64 != 0 { text.append(0x20) }
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
        return length + text
    }

    private static func write(_ item: Item, to file: AtomicFile) throws {
        switch item.source {
        case .bytes(let bytes): try file.write(bytes)
        case .tensor(let tensor):
            let source = tensor.detached().contiguous()
            var bytes = [UInt8](repeating: 0, count: item.byteCount)
            bytes.withUnsafeMutableBytes { source.device.download(source, into: $0) }
            try file.write(bytes)
        }
    }
}
