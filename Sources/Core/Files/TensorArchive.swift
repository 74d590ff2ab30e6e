// One view of a checkpoint, whatever its container.
// SPDX-License-Identifier: Apache-2.0

/// A named tensor lying in a mapped file.
///
/// Readers guarantee that every element lies in `byteRange`, that `byteRange` lies in the file and
/// that sizes do not overflow.
public struct TensorRecord: Sendable {
    /// The name in the checkpoint, nested dictionaries joined by dots.
    public let name: String
    public let dtype: DType
    /// Sizes of the dimensions; empty for a scalar.
    public let shape: [Int]
    /// Elements (not bytes) between neighbours of every dimension, never negative.
    public let strides: [Int]
    /// The file that holds it.
    public let file: MappedFile
    /// Bytes from the first element to the end of the last; little-endian.
    public let byteRange: Range<Int>

    package init(
        name: String, dtype: DType, shape: [Int], strides: [Int], file: MappedFile,
        byteRange: Range<Int>
    ) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.file = file
        self.byteRange = byteRange
    }

    /// Elements in all.
    public var count: Int { shape.reduce(1, *) }
    /// Whether the elements lie row-major without gaps.
    public var isContiguous: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            if stride != expected { return false }
            expected *= size
        }
        return true
    }
    /// Whether the first element lies at a multiple of its size, so that it can be used in place.
    public var isAligned: Bool {
        byteRange.isEmpty || byteRange.lowerBound % dtype.byteCount == 0
    }
    /// The bytes from the first element to the end of the last; keep `file` alive while used.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[byteRange])
    }
}

/// A named array of doubles in a mapped file: input of checks, never a tensor of a model.
public struct Float64Record: Sendable {
    public let name: String
    public let shape: [Int]
    public let file: MappedFile
    /// Bytes of the elements, row-major.
    public let byteRange: Range<Int>

    /// The values, row-major.
    public var values: [Double] {
        withExtendedLifetime(file) {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[byteRange])
            return (0..<bytes.count / 8).map {
                Double(
                    bitPattern: UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
            }
        }
    }
}

/// The tensors of a checkpoint in the order of the file, with its metadata.
public struct TensorArchive: Sendable {
    /// The container a checkpoint came in.
    public enum Format: String, Sendable, CaseIterable {
        case safetensors
        /// Pickles and raw storages: in a zip, as PyTorch writes since 1.6, or one after the other.
        case pytorch
    }

    public let path: String
    public let format: Format
    /// Strings stored beside the tensors (`__metadata__` of safetensors).
    public let metadata: [String: String]
    /// In the order of the file.
    public let records: [TensorRecord]
    /// Arrays of doubles, which are no tensors here.
    public let float64Records: [Float64Record]
    private let positions: [String: Int]

    /// Assembles an archive; names must be unique.
    package init(
        path: String, format: Format, metadata: [String: String] = [:], records: [TensorRecord],
        float64Records: [Float64Record] = []
    ) {
        self.path = path
        self.format = format
        self.metadata = metadata
        self.records = records
        self.float64Records = float64Records
        positions = Dictionary(
            records.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { a, _ in a })
    }

    /// Opens a checkpoint of either container, told apart by its first bytes.
    ///
    /// Only headers are read; the tensors stay in the mapping.
    /// - Throws: ``FileFormatError``.
    public static func open(path: String) throws -> TensorArchive {
        let file = try MappedFile(filledPath: path)
        if PyTorchZip.recognises(file) { return try PyTorchZip.open(file) }
        if Safetensors.recognises(file) { return try Safetensors.open(file) }
        if PyTorchLegacy.recognises(file) { return try PyTorchLegacy.open(file) }
        if PyTorchZip.isLegacyPickle(file) {
            throw FileFormatError.unsupported(
                path: path,
                what: "a bare pickle that torch.save of before version 1.6 did not write",
                hint: "save the dictionary of tensors (state_dict) with torch.save")
        }
        throw FileFormatError.notRecognised(
            path: path, expected: "a checkpoint (safetensors, or a PyTorch .pth)")
    }

    /// Names in the order of the file.
    public var names: [String] { records.map(\.name) }
    /// Elements of all tensors.
    public var elementCount: Int { records.reduce(0) { $0 + $1.count } }

    /// The tensor with a name.
    public subscript(name: String) -> TensorRecord? { positions[name].map { records[$0] } }

    /// The tensors whose names start with `prefix`, with it removed.
    ///
    /// Training checkpoints nest models: `trainer.vae_local.` holds a tokenizer.
    public func scoped(to prefix: String) -> TensorArchive {
        let inside = records.filter { $0.name.hasPrefix(prefix) && $0.name.count > prefix.count }
        return TensorArchive(
            path: path, format: format, metadata: metadata,
            records: inside.map {
                TensorRecord(
                    name: String($0.name.dropFirst(prefix.count)), dtype: $0.dtype, shape: $0.shape,
                    strides: $0.strides, file: $0.file, byteRange: $0.byteRange)
            })
    }
}
