// Reads checkpoints in the safetensors format.
// SPDX-License-Identifier: Apache-2.0

/// The safetensors format: 8 bytes of header length, a JSON header, raw little-endian data.
///
/// Every offset is checked against the file before a record is made: the data must be covered
/// exactly once, without holes or overlaps, as the format demands.
/// Source: the format description of huggingface/safetensors.
public enum Safetensors {
    /// The longest header accepted, the limit of the reference implementation.
    public static let headerLimit = 100_000_000

    /// Opens a file; tensors stay in the mapping.
    ///
    /// - Throws: ``FileFormatError``.
    public static func open(path: String) throws -> TensorArchive {
        try open(MappedFile(path: path))
    }

    /// Reads the header of a mapped file.
    public static func open(_ file: MappedFile) throws -> TensorArchive {
        let (header, start) = try header(of: file)
        guard case .object(let members) = header else {
            throw FileFormatError.malformed(
                path: file.path, offset: 8, reason: "the header is not a JSON object")
        }
        var metadata: [String: String] = [:]
        var records: [TensorRecord] = []
        var wide: [Float64Record] = []
        var ranges: [(range: Range<Int>, name: String)] = []
        for member in members {
            if member.key == "__metadata__" {
                metadata = try strings(member.value, path: file.path)
                continue
            }
            let entry = try Entry(member, path: file.path)
            let size = file.byteCount - start
            guard entry.range.upperBound <= size else {
                throw FileFormatError.truncated(
                    path: file.path, what: "tensor \(member.key)",
                    needed: entry.range.upperBound, found: size)
            }
            ranges.append((entry.range, member.key))
            let range = (start + entry.range.lowerBound)..<(start + entry.range.upperBound)
            if let dtype = entry.dtype {
                records.append(
                    TensorRecord(
                        name: member.key, dtype: dtype, shape: entry.shape,
                        strides: Shape.contiguousStrides(entry.shape), file: file,
                        byteRange: range))
            } else {
                wide.append(
                    Float64Record(
                        name: member.key, shape: entry.shape, file: file, byteRange: range))
            }
        }
        try checkCoverage(ranges, size: file.byteCount - start, path: file.path)
        return TensorArchive(
            path: file.path, format: .safetensors, metadata: metadata, records: records,
            float64Records: wide)
    }

    /// Whether the bytes can begin a safetensors file.
    static func recognises(_ file: MappedFile) -> Bool {
        guard file.byteCount >= 10 else { return false }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        return file.bytes[8] == UInt8(ascii: "{") && length <= UInt64(UInt32.max)
    }

    private static func header(of file: MappedFile) throws -> (JSONValue, Int) {
        var reader = ByteReader(file.bytes, path: file.path, subject: "the header")
        let length = try reader.littleSize()
        guard length <= headerLimit else {
            throw FileFormatError.tooLarge(
                path: file.path, what: "the header length", found: length, limit: headerLimit)
        }
        let text = try reader.take(length)
        do {
            return (try JSONValue(parsing: text), 8 + length)
        } catch {
            throw FileFormatError.malformed(
                path: file.path, offset: 8 + error.offset, reason: "header: \(error.reason)")
        }
    }

    private static func strings(_ value: JSONValue, path: String) throws -> [String: String] {
        guard case .object(let members) = value else {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "__metadata__ is not an object")
        }
        var result: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else {
                throw FileFormatError.malformed(
                    path: path, offset: nil,
                    reason: "__metadata__ entry \(member.key) is not a string")
            }
            result[member.key] = text
        }
        return result
    }

    private static func checkCoverage(
        _ ranges: [(range: Range<Int>, name: String)], size: Int, path: String
    ) throws {
        var end = 0
        var previous = ""
        let sorted = ranges.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for (range, name) in sorted {
            guard range.lowerBound >= end else {
                throw FileFormatError.malformed(
                    path: path, offset: nil,
                    reason: "tensors \(previous) and \(name) overlap")
            }
            guard range.lowerBound == end else {
                throw FileFormatError.malformed(
                    path: path, offset: nil,
                    reason: "\(range.lowerBound - end) unused bytes before tensor \(name)")
            }
            end = range.upperBound
            previous = name
        }
        guard end == size else {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "\(size - end) bytes after the last tensor")
        }
    }

    /// One checked header entry.
    private struct Entry {
        /// Nil for F64, which is no tensor type here.
        var dtype: DType?
        var shape: [Int]
        var range: Range<Int>

        init(_ member: JSONValue.Member, path: String) throws {
            func bad(_ reason: String) -> FileFormatError {
                .malformed(path: path, offset: nil, reason: "tensor \(member.key): \(reason)")
            }
            guard case .string(let typeName)? = member.value["dtype"] else {
                throw bad("dtype is missing")
            }
            dtype = DType(safetensorsName: typeName)
            guard dtype != nil || typeName == "F64" else {
                let known = DType.allCases.map(\.safetensorsName).joined(separator: ", ")
                throw FileFormatError.unsupported(
                    path: path, what: "element type \(typeName) of tensor \(member.key)",
                    hint: "convert it to one of \(known)")
            }
            shape = try Self.integers(member.value["shape"]).orThrow(bad("shape is missing"))
            let offsets = try Self.integers(member.value["data_offsets"])
                .orThrow(bad("data_offsets is missing"))
            guard shape.count <= 32, shape.allSatisfy({ $0 >= 0 }) else {
                throw bad("shape \(shape) is impossible")
            }
            guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
                throw bad("data_offsets \(offsets) are impossible")
            }
            var bytes = dtype?.byteCount ?? 8
            for size in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
                guard !overflow else { throw bad("shape \(shape) is impossible") }
                bytes = product
            }
            guard bytes == offsets[1] - offsets[0] else {
                throw bad(
                    "shape \(shape) of \(typeName) needs \(bytes) bytes, "
                        + "its data_offsets give \(offsets[1] - offsets[0])")
            }
            range = offsets[0]..<offsets[1]
        }

        private static func integers(_ value: JSONValue?) -> [Int]? {
            guard case .array(let values)? = value else { return nil }
            var result: [Int] = []
            for case .integer(let number) in values { result.append(number) }
            return result.count == values.count ? result : nil
        }
    }
}

extension Optional {
    fileprivate func orThrow(_ error: some Error) throws -> Wrapped {
        guard let self else { throw error }
        return self
    }
}
