// PyTorch's container of before version 1.6. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct PyTorchLegacyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Two tensors, one a view into its storage, as `torch.save` wrote them.
    private static func file(
        magic: [UInt8] = [
            0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
        ], version: UInt16 = 1001, little: Bool = true, keys: [String] = ["10", "20"],
        counts: [Int64] = [4, 6]
    ) -> [UInt8] {
        var out = ByteBuilder()
        out.add(magic)
        out.add([0x80, 2, UInt8(ascii: "M")])
        out.little(version)
        out.add(".")
        out.add([0x80, 2])
        out.add("}X")
        out.little(UInt32(13))
        out.add("little_endian")
        out.add([little ? 0x88 : 0x89])
        out.add("s.")
        out.add(
            PickleBuilder.stateDictionary([
                (
                    "a.weight",
                    .tensor(.init(key: "20", storageCount: 6, shape: [2, 3], strides: [3, 1]))
                ),
                (
                    "b",
                    .tensor(
                        .init(key: "10", storageCount: 4, offset: 1, shape: [2], strides: [2]))
                ),
            ]))
        out.add([0x80, 2])
        out.add("](")
        for key in keys {
            out.add("X")
            out.little(UInt32(key.utf8.count))
            out.add(key)
        }
        out.add("e.")
        for (key, count) in zip(keys, counts) {
            out.little(count)
            let first: Float = key == "10" ? 100 : 200
            out.add(littleEndianBytes((0..<Int(max(0, min(count, 64)))).map { first + Float($0) }))
        }
        return out.bytes
    }

    @Test func tensorsAreReadWithTheirViews() throws {
        let archive = try TensorArchive.open(
            path: try folder.write(Self.file(), "old.pth"))
        #expect(archive.names == ["a.weight", "b"])
        let tensors = archive.tensors()
        #expect(tensors["a.weight"]?.shape == [2, 3])
        #expect(tensors["a.weight"]?.floats() == [200, 201, 202, 203, 204, 205])
        #expect(tensors["b"]?.floats() == [101, 103])
    }

    @Test func everyCutIsRefused() throws {
        let whole = Self.file()
        for length in stride(from: 16, to: whole.count, by: 1) {
            let path = try folder.write(Array(whole.prefix(length)), "cut.pth")
            #expect(throws: FileFormatError.self) { _ = try TensorArchive.open(path: path) }
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        func refuse(_ bytes: [UInt8], _ part: String) throws {
            let path = try folder.write(bytes, "bad.pth")
            expectSentence(part) { _ = try TensorArchive.open(path: path) }
        }
        try refuse(Self.file(version: 7), "protocol")
        try refuse(Self.file(little: false), "byte order")
        try refuse(Self.file(keys: ["10"], counts: [4]), "20 is not in the file")
        try refuse(Self.file(keys: ["10", "10"], counts: [4, 4]), "twice")
        try refuse(Self.file(counts: [4, 5]), "5 elements")
        try refuse(Self.file(counts: [4, -1]), "claims")
    }
}
