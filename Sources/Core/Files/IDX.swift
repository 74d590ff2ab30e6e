// The file format of MNIST.
// SPDX-License-Identifier: Apache-2.0

/// An array of bytes in an IDX file, plain or gzipped.
///
/// Big-endian: two zero bytes, the element type (8 = unsigned byte, the only one read), the number
/// of dimensions, their sizes in 32 bits each, the elements.
public struct IDX: Sendable, Equatable {
    /// Sizes of the dimensions, 1 to 4 of them.
    public let shape: [Int]
    /// The elements, row-major.
    public let bytes: [UInt8]

    /// Reads a file.
    ///
    /// - Throws: ``FileFormatError``.
    public init(path: String) throws {
        try self.init(contents: try Gzip.readFile(path: path), path: path)
    }

    /// Reads unpacked contents; `path` is for messages only.
    ///
    /// - Throws: ``FileFormatError``.
    public init(contents: [UInt8], path: String) throws {
        (shape, bytes) = try contents.withUnsafeBytes { contents in
            var reader = ByteReader(contents, path: path, subject: "the IDX header")
            guard try reader.little(UInt16.self) == 0 else {
                throw FileFormatError.notRecognised(path: path, expected: "an IDX file")
            }
            let type = try reader.byte()
            let rank = try reader.byte()
            guard type == 0x08 else {
                throw FileFormatError.unsupported(
                    path: path, what: "IDX element type 0x\(String(type, radix: 16))",
                    hint: "only unsigned bytes (0x8) are read")
            }
            guard 1...4 ~= rank else {
                throw reader.malformed("an IDX array of \(rank) dimensions")
            }
            var shape: [Int] = []
            var count = 1
            for _ in 0..<rank {
                let size = Int(try reader.big(UInt32.self))
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow else { throw reader.malformed("impossible IDX sizes") }
                shape.append(size)
                count = product
            }
            guard count == reader.remaining else {
                if count < reader.remaining {
                    throw reader.malformed(
                        "\(reader.remaining - count) bytes after the IDX array of \(shape)")
                }
                throw FileFormatError.truncated(
                    path: path, what: "the IDX array of \(shape)", needed: count,
                    found: reader.remaining)
            }
            return (shape, [UInt8](try reader.take(count)))
        }
    }

    /// The array as the bytes of an IDX file.
    ///
    /// - Precondition: 1 to 4 dimensions whose product is the number of bytes.
    public static func encode(shape: [Int], bytes: [UInt8]) -> [UInt8] {
        precondition(
            1...4 ~= shape.count && shape.reduce(1, *) == bytes.count,
            "\(bytes.count) bytes for \(shape)")
        var out: [UInt8] = [0, 0, 8, UInt8(shape.count)]
        for size in shape {
            out += withUnsafeBytes(of: UInt32(size).bigEndian) { Array($0) }
        }
        return out + bytes
    }
}
