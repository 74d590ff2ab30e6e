// Checkpoints of published size that take almost no disk: their weights are holes.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

/// A checkpoint whose tensors read as zeros, but for the bookkeeping tensors of transformers.
///
/// `lvl_1L` and `attn_bias_for_masking` are written for real, because loading checks them.
struct SparseCheckpoint {
    /// The element type of everything but `lvl_1L`.
    enum Element: String, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"

        var byteCount: Int { self == .float32 ? 4 : 2 }
        /// −∞, little-endian.
        var hidden: [UInt8] {
            switch self {
            case .float32: [0, 0, 0x80, 0xFF]
            case .float16: [0, 0xFC]
            case .bfloat16: [0x80, 0xFF]
            }
        }
    }

    var tensors: [PublishedTensor]
    var patchNums = PublishedTensors.patchNums
    /// Whether a token sees coarser maps too, as in VAR.
    var isCausal = false
    var element = Element.float32

    init(_ tensors: [PublishedTensor]) { self.tensors = tensors }

    private func size(_ tensor: PublishedTensor) -> Int {
        tensor.count * (tensor.isInteger ? 8 : element.byteCount)
    }

    /// The bytes of a tensor that is no hole.
    private func content(_ tensor: PublishedTensor) -> [UInt8] {
        let counts = patchNums.map { $0 * $0 }
        switch tensor.name {
        case "lvl_1L":
            return counts.enumerated().flatMap { scale, count in
                [UInt8(scale), 0, 0, 0, 0, 0, 0, 0].cycled(count)
            }
        case "attn_bias_for_masking":
            let length = counts.reduce(0, +)
            let (hidden, seen) = (element.hidden, [UInt8](repeating: 0, count: element.byteCount))
            var (start, bytes) = (0, [UInt8]())
            for count in counts {
                let row =
                    (isCausal ? seen : hidden).cycled(start) + seen.cycled(count)
                    + hidden.cycled(length - start - count)
                bytes += row.cycled(count)
                start += count
            }
            return bytes
        default: return []
        }
    }

    // MARK: Containers

    /// Writes the zip that PyTorch writes; returns its size.
    @discardableResult
    func writePyTorch(_ path: String, usesZIP64: Bool) throws -> Int {
        let pickle = PickleBuilder.stateDictionary(
            tensors.enumerated().map { key, tensor in
                let strides = Shape.contiguousStrides(tensor.shape)
                let type = tensor.isInteger ? "LongStorage" : element.storageName
                return (
                    tensor.name,
                    .tensor(
                        .init(
                            storageType: type, key: "\(key)", storageCount: tensor.count,
                            shape: tensor.shape, strides: strides))
                )
            })
        let file = try SparseFile(path)
        var directory: [UInt8] = []
        func add(_ name: String, size: Int, _ data: [UInt8]) throws {
            let offset = file.end
            try file.append(ZipBuilder.localHeader(.init(name, []), offset: offset))
            try file.append(data, padded: size)
            directory += ZipBuilder.entry(
                name: name, size: size, offset: offset, usesZIP64: usesZIP64)
        }
        try add("archive/data.pkl", size: pickle.count, pickle)
        try add("archive/byteorder", size: 6, Array("little".utf8))
        for (key, tensor) in tensors.enumerated() {
            try add("archive/data/\(key)", size: size(tensor), content(tensor))
        }
        try add("archive/version", size: 2, Array("3\n".utf8))
        let start = file.end
        try file.append(
            directory
                + ZipBuilder.end(
                    count: tensors.count + 3, size: directory.count, start: start,
                    usesZIP64: usesZIP64))
        return file.end
    }

    /// Writes safetensors; returns its size.
    @discardableResult
    func writeSafetensors(_ path: String) throws -> Int {
        // Wider elements first, so that all are aligned.
        let order = tensors.filter(\.isInteger) + tensors.filter { !$0.isInteger }
        var offset = 0
        let entries = order.map { tensor in
            let type = tensor.isInteger ? "I64" : element.rawValue
            defer { offset += size(tensor) }
            return #""\#(tensor.name)":{"dtype":"\#(type)","shape":\#(tensor.shape),"#
                + #""data_offsets":[\#(offset),\#(offset + size(tensor))]}"#
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: 0x20, count: (64 - (8 + header.count) % 64) % 64)
        let file = try SparseFile(path)
        var length = ByteBuilder()
        length.little(UInt64(header.count))
        try file.append(length.bytes + header)
        for tensor in order { try file.append(content(tensor), padded: size(tensor)) }
        return file.end
    }
}

extension SparseCheckpoint.Element {
    fileprivate var storageName: String {
        switch self {
        case .float32: "FloatStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        }
    }
}

/// A file written front to back in which unwritten bytes are holes.
private final class SparseFile {
    private let handle: FileHandle
    private(set) var end = 0

    init(_ path: String) throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    deinit { try? handle.close() }

    /// Appends bytes and a hole up to `padded` bytes.
    func append(_ bytes: [UInt8], padded: Int = 0) throws {
        if !bytes.isEmpty {
            try handle.seek(toOffset: UInt64(end))
            try handle.write(contentsOf: bytes)
        }
        end += max(bytes.count, padded)
        try handle.truncate(atOffset: UInt64(end))
    }
}

extension Array {
    /// The array `count` times in a row.
    fileprivate func cycled(_ count: Int) -> [Element] {
        // Doubling copies blocks; joining element by element is slow without optimisation.
        guard count > 0 else { return [] }
        var result = self
        while result.count < self.count * count {
            result += result.prefix(self.count * count - result.count)
        }
        return result
    }
}

/// What a file costs.
enum FileCost {
    /// Bytes of disk behind a file.
    static func diskBytes(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : -1
    }

    /// Bytes of a mapped file that this process has touched, by the system's own account; nil where
    /// it is not mapped.
    static func residentBytes(_ path: String) throws -> Int? {
        // Files of the system have no size beforehand, so they are read to their end.
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps"))
        let maps = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
        var isInside = false
        var kilobytes: Int?
        for line in maps.split(separator: "\n") {
            if line.contains(" /") || line.contains(" 00:00 ") { isInside = line.hasSuffix(path) }
            if isInside, line.hasPrefix("Rss:") {
                kilobytes = (kilobytes ?? 0) + (Int(line.split(separator: " ")[1]) ?? 0)
            }
        }
        return kilobytes.map { $0 << 10 }
    }
}
