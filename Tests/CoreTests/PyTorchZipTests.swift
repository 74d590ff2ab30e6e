// The reader of PyTorch checkpoints. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct PyTorchZipTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func checkpoint(
        _ pickle: [UInt8], storages: [(String, [UInt8])] = [], zip64: Bool = false,
        change: (inout ZipBuilder) -> Void = { _ in }
    ) throws -> String {
        var zip = ZipBuilder(usesZIP64: zip64)
        zip.add("m/data.pkl", pickle)
        zip.add("m/byteorder", Array("little".utf8))
        for (key, bytes) in storages { zip.add("m/data/\(key)", bytes) }
        zip.add("m/version", Array("3\n".utf8))
        change(&zip)
        return try folder.write(zip.build(), "m.pth")
    }

    private func refuse(
        _ pickle: [UInt8], storages: [(String, [UInt8])] = [], _ words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectSentence("m.pth", words, sourceLocation: sourceLocation) {
            _ = try PyTorchZip.open(path: try checkpoint(pickle, storages: storages))
        }
    }

    @Test func theRealCheckpointEqualsItsSafetensors() throws {
        let pth = try TensorArchive.open(path: Fixture.path("hmar/tiny_hmar.pth"))
        let safe = try TensorArchive.open(path: Fixture.path("hmar/tiny_hmar.safetensors"))
        #expect(pth.format == .pytorch)
        #expect(Set(pth.names) == Set(safe.names))
        for record in pth.records {
            let other = try #require(safe[record.name])
            #expect(record.shape == other.shape && record.isAligned, "\(record.name)")
            #expect(record.dtype == other.dtype, "\(record.name)")
            #expect(
                Tensor(record: record).floats() == Tensor(record: other).floats(),
                "\(record.name)")
        }
    }

    @Test(arguments: [false, true]) func handMadeFilesWithAndWithoutZIP64(zip64: Bool) throws {
        var transposed = PickleBuilder.Tensor(
            key: "0", storageCount: 8, offset: 1, shape: [3, 2], strides: [1, 3])
        transposed.isParameter = true
        let pickle = PickleBuilder.stateDictionary([
            ("w", .tensor(transposed)),
            ("epoch", .int(7)),
            (
                "trainer",
                .dictionary([
                    (
                        "vae_local",
                        .dictionary([
                            (
                                "h",
                                .tensor(
                                    .init(
                                        storageType: "HalfStorage", key: "1", storageCount: 2,
                                        shape: [2], strides: [1]))
                            )
                        ])
                    ),
                    ("note", .string("x")),
                ])
            ),
            (
                "scalar",
                .tensor(.init(key: "0", storageCount: 8, offset: 7, shape: [], strides: []))
            ),
        ])
        let values: [Float] = [0, 1, 2, 3, 4, 5, 6, 7]
        let path = try checkpoint(
            pickle, storages: [("0", littleEndianBytes(values)), ("1", [0, 0x3C, 0, 0xC0])],
            zip64: zip64)
        let archive = try TensorArchive.open(path: path)
        #expect(archive.names == ["w", "trainer.vae_local.h", "scalar"])
        let w = try #require(archive["w"])
        #expect(w.strides == [1, 3] && !w.isContiguous && w.byteRange.count == 24)
        #expect(Tensor(record: w).floats() == [1, 4, 2, 5, 3, 6])
        let scoped = archive.scoped(to: "trainer.vae_local.")
        #expect(Tensor(record: try #require(scoped["h"])).floats() == [1, -2])
        #expect(Tensor(record: try #require(archive["scalar"])).floats() == [7])
    }

    /// Files of more than 4 GiB need ZIP64; a hole in the file costs no disk.
    @Test func storagesBeyondFourGibibytesAreMappedNotRead() throws {
        let count = (4 << 30) / 4 + 16
        let pickle = PickleBuilder.stateDictionary([
            ("big", .tensor(.init(key: "0", storageCount: count, shape: [count], strides: [1]))),
            ("end", .tensor(.init(key: "1", storageCount: 1, shape: [1], strides: [1]))),
        ])
        let path = folder.file("big.pth")
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        var offset = 0
        var entries: [UInt8] = []
        let last = littleEndianBytes([42])
        for (name, size, data) in [
            ("m/data.pkl", pickle.count, pickle), ("m/data/0", 4 * count, []),
            ("m/data/1", 4, last),
        ] {
            let header = ZipBuilder.localHeader(.init(name, []), offset: offset)
            try handle.seek(toOffset: UInt64(offset))
            handle.write(Data(header + data))
            entries += ZipBuilder.entry(name: name, size: size, offset: offset, usesZIP64: true)
            offset += header.count + size
        }
        try handle.seek(toOffset: UInt64(offset))
        handle.write(
            Data(
                entries
                    + ZipBuilder.end(count: 3, size: entries.count, start: offset, usesZIP64: true))
        )
        try handle.close()
        let archive = try TensorArchive.open(path: path)
        #expect(archive["big"]?.count == count)
        #expect(Tensor(record: try #require(archive["end"])).floats() == [42])
    }

    @Test func codeIsNeverRun() {
        refuse(PickleBuilder.raw(Array("cos\nsystem\n(X\u{4}\0\0\0truetR".utf8)), "os.system")
        refuse(PickleBuilder.raw(Array("cbuiltins\neval\n)R".utf8)), "builtins.eval")
        refuse(
            PickleBuilder.raw(
                [0x8c, 2] + Array("os".utf8) + [0x8c, 6] + Array("system".utf8) + [0x93]),
            "os.system")
        refuse(PickleBuilder.raw(Array("(iposix\nsystem\n".utf8)), "opcode 0x69")
        refuse(PickleBuilder.raw(Array("ctorch\nFloatStorage\n)R".utf8)), "storage type")
        refuse(PickleBuilder.raw(Array(")\u{81}".utf8)), "opcode")
    }

    @Test func brokenPicklesAreRefused() {
        refuse([], "cut off")
        refuse([0x80, 9, 0x2E], "protocol 9")
        refuse(PickleBuilder.raw([]), "takes more")
        refuse(PickleBuilder.raw(Array("t".utf8)), "without a beginning")
        refuse(PickleBuilder.raw(Array("N(NNu".utf8)), "without entries")
        refuse(PickleBuilder.raw(Array("h\u{1}".utf8)), "never remembered")
        refuse(PickleBuilder.raw(Array("X\u{7F}\u{7F}\u{7F}\u{7F}abc".utf8)), "cut off")
        refuse(PickleBuilder.raw(Array("N".utf8)), "not a dictionary")
        refuse(PickleBuilder.raw(Array("Na".utf8)), "not a list")
        refuse(PickleBuilder.raw([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "64 bits")
        refuse(PickleBuilder.raw(Array("ccollections".utf8)), "no end")
        refuse(PickleBuilder.raw(Array("NQ".utf8)), "storage reference")
    }

    @Test func endlessPicklesEnd() {
        // A dictionary inside itself, twice: 2³² entries if it were followed.
        refuse(
            PickleBuilder.raw(Array("}q\u{1}X\u{1}\0\0\0ah\u{1}sX\u{1}\0\0\0bh\u{1}s".utf8)),
            "nested more than")
        refuse(
            PickleBuilder.raw([UInt8](repeating: UInt8(ascii: "N"), count: 1_000_001)), "stack")
        refuse(
            PickleBuilder.raw(
                [UInt8](repeating: UInt8(ascii: ")"), count: 300_000)
                    + [UInt8](repeating: 0x86, count: 299_999)), "not a dictionary")
    }

    @Test func lyingTensorsAreRefused() {
        let four = littleEndianBytes([1, 2, 3, 4])
        func refuse(_ tensor: PickleBuilder.Tensor, _ words: String) {
            self.refuse(
                PickleBuilder.stateDictionary([("t", .tensor(tensor))]), storages: [("0", four)],
                words)
        }
        refuse(.init(key: "0", storageCount: 4, shape: [5], strides: [1]), "leave its storage")
        refuse(
            .init(key: "0", storageCount: 4, offset: 4, shape: [1], strides: [1]),
            "leave its storage")
        refuse(.init(key: "0", storageCount: 4, offset: -1, shape: [1], strides: [1]), "impossible")
        refuse(.init(key: "0", storageCount: 4, shape: [2], strides: [-1]), "impossible")
        refuse(.init(key: "0", storageCount: 4, shape: [-2], strides: [1]), "impossible")
        refuse(.init(key: "0", storageCount: 4, shape: [2, 2], strides: [1]), "impossible")
        refuse(.init(key: "0", storageCount: 4, shape: [.max, .max], strides: [1, 1]), "size")
        refuse(.init(key: "0", storageCount: 4, shape: [1 << 40], strides: [0]), "repeated")
        refuse(.init(key: "0", storageCount: 5, shape: [4], strides: [1]), "claims 5")
        refuse(.init(key: "0", storageCount: .max, shape: [4], strides: [1]), "claims")
        refuse(.init(key: "../0", storageCount: 4, shape: [4], strides: [1]), "not in the file")
        refuse(
            .init(
                storageType: "DoubleStorage", key: "0", storageCount: 2, shape: [2], strides: [1]),
            "DoubleStorage")
    }

    @Test func oneNameTwiceIsRefused() {
        let tensor = PickleBuilder.Tensor(key: "0", storageCount: 1, shape: [1], strides: [1])
        refuse(
            PickleBuilder.stateDictionary([
                ("a.b", .tensor(tensor)), ("a", .dictionary([("b", .tensor(tensor))])),
            ]), storages: [("0", littleEndianBytes([1]))], "a.b is there twice")
    }

    @Test func brokenZipsAreRefused() throws {
        let pickle = PickleBuilder.stateDictionary([
            ("t", .tensor(.init(key: "0", storageCount: 1, shape: [1], strides: [1])))
        ])
        let storages = [("0", littleEndianBytes([1]))]
        func refuse(_ words: String, _ change: (inout ZipBuilder) -> Void) {
            expectSentence("m.pth", words) {
                _ = try PyTorchZip.open(
                    path: try checkpoint(pickle, storages: storages, change: change))
            }
        }
        refuse("compressed storage") { $0.members[2].method = 8 }
        refuse("compressed data.pkl") { $0.members[0].method = 8 }
        refuse("another name") { $0.members[2].localName = "m/data/1" }
        refuse("cut off") { $0.members[1].claimedSize = 1 << 30 }
        refuse("but 8 bytes are there") { $0.members[2].claimedSize = 8 }
        refuse("twice") { $0.members[3].name = "m/data/0" }
        refuse("byte order") { $0.members[1].data = Array("big".utf8) }
        refuse("one data.pkl") { $0.members[3].name = "n/data.pkl" }
        refuse("one data.pkl") { $0.members[0].name = "m/other" }
        refuse("TorchScript") { $0.members[3].name = "m/constants.pkl" }
        expectSentence("before version 1.6") {
            _ = try TensorArchive.open(path: try folder.write([0x80, 2, 0x8a], "old.pth"))
        }
    }

    @Test(arguments: [false, true]) func everyCutOfAFileIsRefused(zip64: Bool) throws {
        let pickle = PickleBuilder.stateDictionary([
            ("t", .tensor(.init(key: "0", storageCount: 1, shape: [1], strides: [1])))
        ])
        let whole = try MappedFile(
            path: try checkpoint(
                pickle, storages: [("0", littleEndianBytes([1]))], zip64: zip64))
        let bytes = whole.copy(0..<whole.byteCount)
        for length in stride(from: 0, to: bytes.count, by: 3) {
            let cut = try folder.write(Array(bytes[..<length]), "cut.pth")
            #expect(throws: FileFormatError.self) { try TensorArchive.open(path: cut) }
        }
    }

    /// Any damage gives a checkpoint or a `FileFormatError`, and nothing else.
    @Test func randomDamageNeverCrashes() throws {
        let pickle = PickleBuilder.stateDictionary([
            ("t", .tensor(.init(key: "0", storageCount: 2, shape: [2], strides: [1]))),
            ("d", .dictionary([("x", .int(3))])),
        ])
        let path = try checkpoint(
            pickle, storages: [("0", littleEndianBytes([1, 2]))], zip64: true)
        let file = try MappedFile(path: path)
        let bytes = file.copy(0..<file.byteCount)
        var generator = RandomGenerator(seed: 5)
        for _ in 0..<400 {
            var damaged = bytes
            for _ in 0...generator.nextInt(below: 4) {
                damaged[generator.nextInt(below: bytes.count)] = UInt8(
                    generator.nextInt(below: 256))
            }
            let other = try folder.write(damaged, "damaged.pth")
            do {
                let archive = try TensorArchive.open(path: other)
                for record in archive.records { _ = Array(record.bytes) }
            } catch is FileFormatError {}
        }
    }
}
