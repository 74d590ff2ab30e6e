// Writes generated weights as PyTorch would. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// A `.pth` of published size, written tensor by tensor: it never lies in memory as a whole.
///
/// A zip of stored members whose data begin at multiples of 64 bytes, with ZIP64 fields. Checksums are
/// left zero, as the zip directory allows for nothing to be checked against and readers that map
/// weights don't look at them.
struct CheckpointFile {
    private struct Entry {
        var name: String
        var shape: [Int]
        var isInteger: Bool
        var make: () -> Tensor
    }

    private var entries: [Entry] = []
    private let weights: GeneratedWeights

    /// - Parameter build: makes the network whose tensors are written; its values are not used.
    init(weights: GeneratedWeights, _ build: (ParameterStore) throws -> Void) rethrows {
        self.weights = weights
        var found: [Entry] = []
        func placeholder(_ shape: [Int]) -> Tensor {
            Tensor.zeros([Int](repeating: 1, count: shape.count)).expanded(to: shape)
        }
        try build(
            ParameterStore(
                making: .init(
                    parameter: { name, shape, initializer in
                        let key = UInt64(found.count)
                        found.append(
                            Entry(name: name, shape: shape, isInteger: false) {
                                weights.tensor(shape, initializer, key: key)
                            })
                        return placeholder(shape)
                    },
                    buffer: { name, shape, make in
                        let value = make()
                        found.append(
                            Entry(name: name, shape: shape, isInteger: value.dtype == .int64) {
                                value
                            })
                        return value
                    })))
        entries = found
    }

    /// Writes the file; what is there already is replaced.
    ///
    /// - Returns: its size in bytes.
    /// - Throws: `CancellationError`, or what the system says.
    func write(to path: String, cancellation: Cancellation) throws -> Int {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw InputError("\(path) cannot be written; check the folder and the space left.")
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var zip = StoredZip()
        func add(_ name: String, _ data: UnsafeRawBufferPointer) throws {
            try file.write(contentsOf: zip.header(name, size: data.count))
            // The system writes at most 2 GB in one call, and Foundation copies what it is given.
            for start in stride(from: 0, to: data.count, by: 64 << 20) {
                let part = data[start..<min(data.count, start + 64 << 20)]
                try file.write(contentsOf: Data(part))
            }
        }
        try Self.withBytes(pickle) { try add("archive/data.pkl", $0) }
        try Self.withBytes(Array("little".utf8)) { try add("archive/byteorder", $0) }
        for (key, entry) in entries.enumerated() {
            try cancellation.check()
            let tensor = entry.make().contiguous()
            try withExtendedLifetime(tensor.storage) {
                try add(
                    "archive/data/\(key)",
                    UnsafeRawBufferPointer(
                        start: tensor.address, count: tensor.count * tensor.dtype.byteCount))
            }
        }
        try Self.withBytes(Array("3\n".utf8)) { try add("archive/version", $0) }
        try file.write(contentsOf: zip.directory())
        return Int(try file.offset())
    }

    private static func withBytes(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try bytes.withUnsafeBytes(body)
    }

    /// The state dictionary, protocol 2.
    private var pickle: [UInt8] {
        var out: [UInt8] = [0x80, 2] + Array("ccollections\nOrderedDict\n)R(".utf8)
        func string(_ text: String) {
            out += [UInt8(ascii: "X")] + little(UInt32(text.utf8.count)) + Array(text.utf8)
        }
        func integer(_ value: Int) { out += [0x8a, 8] + little(UInt64(value)) }
        func tuple(_ values: [Int]) {
            out.append(UInt8(ascii: "("))
            for value in values { integer(value) }
            out.append(UInt8(ascii: "t"))
        }
        for (key, entry) in entries.enumerated() {
            string(entry.name)
            out += Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
            string("storage")
            out += Array("ctorch\n\(entry.isInteger ? "LongStorage" : "FloatStorage")\n".utf8)
            string("\(key)")
            string("cpu")
            integer(entry.shape.reduce(1, *))
            out += Array("tQ".utf8)
            integer(0)
            tuple(entry.shape)
            tuple(
                entry.shape.indices.map { entry.shape[($0 + 1)...].reduce(1, *) })
            out += [0x89] + Array("ccollections\nOrderedDict\n)RtR".utf8)
        }
        return out + Array("u.".utf8)
    }
}

/// The records of a zip file whose members are stored as they are.
private struct StoredZip {
    private var members: [(name: String, size: Int, offset: Int)] = []
    private var end = 0

    /// The local header of the next member, padded so that its data are aligned.
    mutating func header(_ name: String, size: Int) -> Data {
        let unpadded = end + 30 + name.utf8.count + 20 + 4
        let padding = (64 - unpadded % 64) % 64
        var bytes = little(UInt32(0x0403_4b50)) + little(UInt16(45)) + [0, 0, 0, 0]
        bytes += [UInt8](repeating: 0, count: 8) + little(UInt32.max) + little(UInt32.max)
        bytes += little(UInt16(name.utf8.count)) + little(UInt16(20 + 4 + padding))
        bytes += Array(name.utf8)
        bytes += little(UInt16(1)) + little(UInt16(16)) + little(UInt64(size))
        bytes += little(UInt64(size))
        bytes +=
            Array("FB".utf8) + little(UInt16(padding)) + [UInt8](repeating: 0x5a, count: padding)
        members.append((name, size, end))
        end += bytes.count + size
        return Data(bytes)
    }

    /// The directory and the records after it.
    func directory() -> Data {
        var bytes: [UInt8] = []
        for member in members {
            bytes += little(UInt32(0x0201_4b50)) + little(UInt16(45)) + little(UInt16(45))
            bytes += [UInt8](repeating: 0, count: 12) + little(UInt32.max) + little(UInt32.max)
            bytes += little(UInt16(member.name.utf8.count)) + little(UInt16(28))
            bytes += [UInt8](repeating: 0, count: 10) + little(UInt32.max)
            bytes += Array(member.name.utf8) + little(UInt16(1)) + little(UInt16(24))
            bytes += little(UInt64(member.size)) + little(UInt64(member.size))
            bytes += little(UInt64(member.offset))
        }
        let size = bytes.count
        bytes += little(UInt32(0x0606_4b50)) + little(UInt64(44)) + little(UInt16(45))
        bytes += little(UInt16(45)) + [UInt8](repeating: 0, count: 8)
        bytes += little(UInt64(members.count)) + little(UInt64(members.count))
        bytes += little(UInt64(size)) + little(UInt64(end))
        bytes += little(UInt32(0x0706_4b50)) + little(UInt32(0)) + little(UInt64(end + size))
        bytes += little(UInt32(1))
        bytes += little(UInt32(0x0605_4b50)) + [0, 0, 0, 0] + little(UInt16.max)
        bytes += little(UInt16.max) + little(UInt32.max) + little(UInt32.max) + [0, 0]
        return Data(bytes)
    }
}

private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
