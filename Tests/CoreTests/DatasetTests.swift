// IDX, gzip, tar and the data sets on top of them. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct DatasetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func packed(_ name: String) throws -> [UInt8] {
        let file = try MappedFile(path: Fixture.path("data/\(name)"))
        return file.copy(0..<file.byteCount)
    }

    // MARK: IDX and gzip

    @Test func gzippedAndPlainIDXAreTheSame() throws {
        let path = Fixture.path("data/train-labels-idx1-ubyte.gz")
        let idx = try IDX(path: path)
        #expect(idx.shape == [5] && idx.bytes == [5, 0, 4, 1, 9])
        let plain = try folder.write(IDX.encode(shape: [5], bytes: idx.bytes), "plain")
        #expect(try IDX(path: plain) == idx)
    }

    @Test func severalGzipMembersAreJoined() throws {
        let labels = try packed("train-labels-idx1-ubyte.gz")
        let path = try folder.write(labels + labels, "two.gz")
        let one = try Gzip.readFile(path: Fixture.path("data/train-labels-idx1-ubyte.gz"))
        #expect(try Gzip.readFile(path: path) == one + one)
    }

    @Test func brokenIDXFilesAreRefused() throws {
        func refuse(_ bytes: [UInt8], _ words: String) throws {
            let path = try folder.write(bytes, "bad.idx")
            expectSentence("bad.idx", words) { _ = try IDX(path: path) }
        }
        try refuse([1, 0, 8, 1, 0, 0, 0, 0], "IDX file")
        try refuse([0, 0, 0x0D, 1, 0, 0, 0, 1, 0, 0, 0, 0], "element type 0xd")
        try refuse([0, 0, 8, 9], "9 dimensions")
        try refuse([0, 0, 8, 1, 0, 0, 0, 4, 1, 2], "needs 4 bytes")
        try refuse([0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "after the IDX array")
        try refuse([0, 0, 8, 4] + [UInt8](repeating: 0xFF, count: 16), "impossible")
        try refuse([0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0], "needs 281474976710656")
        try refuse([0, 0], "cut off")
    }

    @Test func brokenGzipFilesAreRefused() throws {
        let whole = try packed("train-images-idx3-ubyte.gz")
        for length in stride(from: 2, to: whole.count, by: 13) {
            let cut = try folder.write(Array(whole[..<length]), "cut.gz")
            expectSentence("cut.gz", "end early") { _ = try Gzip.readFile(path: cut) }
        }
        var damaged = whole
        damaged[whole.count / 2] ^= 0x55
        let path = try folder.write(damaged, "damaged.gz")
        expectSentence("damaged.gz") { _ = try Gzip.readFile(path: path) }
        let bomb = try folder.write(whole, "bomb.gz")
        expectSentence("bomb.gz", "too large") { _ = try Gzip.readFile(path: bomb, limit: 3_935) }
        #expect(try Gzip.readFile(path: bomb, limit: 3_936).count == 3_936)
    }

    // MARK: Tar

    @Test func tarFilesAsTheyAreMet() throws {
        let long = String(repeating: "folder/", count: 30) + "name.jpg"
        let pax = "\(long.utf8.count + 10) path=\(long)\n"
        var archive = TarBuilder.entry("a.txt", Array("one".utf8), padding: 0x7F)
        archive += TarBuilder.entry("folder/", [], type: "5")
        archive += TarBuilder.entry("././@LongLink", Array(long.utf8) + [0], type: "L")
        archive += TarBuilder.entry("cut", Array("two".utf8))
        archive += TarBuilder.entry("pax", Array(pax.utf8), type: "x")
        archive += TarBuilder.entry("cut", [UInt8](repeating: 7, count: 600))
        // No closing blocks, and the last padding is missing too.
        let tar = try Tar(contents: Array(archive.dropLast(424)), path: "x.tar")
        #expect(tar.entries.map(\.name) == ["a.txt", long, long])
        #expect(Array(tar.bytes(of: tar.entries[0])) == Array("one".utf8))
        #expect(tar.bytes(of: tar.entries[2]).count == 600)
        var closed = TarBuilder.entry("a", [1])
        closed += [UInt8](repeating: 0, count: 1024)
        closed += [1, 2, 3] as [UInt8]
        #expect(try Tar(contents: closed, path: "x.tar").entries.count == 1)
    }

    @Test func brokenTarFilesAreRefused() {
        let entry = TarBuilder.entry("a.txt", [UInt8](repeating: 1, count: 700))
        expectSentence("x.tar", "cut off") {
            _ = try Tar(contents: Array(entry[..<1000]), path: "x.tar")
        }
        expectSentence("x.tar", "cut off") {
            _ = try Tar(contents: Array(entry[..<100]), path: "x.tar")
        }
        var damaged = entry
        damaged[3] ^= 1
        expectSentence("x.tar", "checksum") { _ = try Tar(contents: damaged, path: "x.tar") }
    }

    // MARK: MNIST

    private func mnistFolder(labels: [UInt8]? = nil) throws -> String {
        try folder.write(packed("train-images-idx3-ubyte.gz"), "m/train-images-idx3-ubyte.gz")
        if let labels {
            try folder.write(
                IDX.encode(shape: [labels.count], bytes: labels), "m/train-labels-idx1-ubyte")
        } else {
            try folder.write(packed("train-labels-idx1-ubyte.gz"), "m/train-labels-idx1-ubyte.gz")
        }
        return folder.file("m")
    }

    @Test func mnistGivesPicturesAndLabels() throws {
        let data = try MNIST(folder: mnistFolder(), part: .training)
        #expect(data.count == 5 && data.classes.count == 10)
        #expect((0..<5).map(data.label) == [5, 0, 4, 1, 9])
        let value: UInt8 = 92  // 7 · 3 + 3 · 20 + 11
        #expect(data.image(at: 3)[11, 20] == (value, value, value))
        let batch = try data.batch([3, 0])
        #expect(batch.images.shape == [2, 3, 28, 28] && batch.labels.int32s() == [1, 5])
        let expected = 2 * Float(value) / 255 - 1
        #expect(Swift.abs(batch.images.floats()[784 + 20 * 28 + 11] - expected) < 1e-6)
    }

    @Test func mnistSaysWhereItLooked() throws {
        let other = try folder.folder("other")
        expectSentence("t10k-images-idx3-ubyte", "/nowhere", other, ".gz") {
            _ = try MNIST.locate(in: ["/nowhere", other])
        }
        expectSentence("train-images") { _ = try MNIST(folder: other, part: .training) }
    }

    @Test func mnistFilesMustAgree() throws {
        expectSentence("5 entries", "has 4") {
            _ = try MNIST(folder: try mnistFolder(labels: [1, 2, 3, 4]), part: .training)
        }
        expectSentence("label 10", "entry 2") {
            _ = try MNIST(folder: try mnistFolder(labels: [1, 2, 10, 4, 5]), part: .training)
        }
        try folder.write(
            IDX.encode(shape: [5], bytes: [1, 2, 3, 4, 5]), "m/train-images-idx3-ubyte")
        expectSentence("28×28", "[5]") {
            _ = try MNIST(folder: try mnistFolder(labels: [1, 2, 3, 4, 5]), part: .training)
        }
    }

    // MARK: Folders and batches

    @Test func classFoldersAreTakenInOrder() throws {
        for (name, red) in [("b/2.png", 20), ("b/1.PNG", 10), ("a/x.png", 30)] {
            let image = RGBImage(width: 4, height: 6, red: UInt8(red))
            try folder.write(PNG.encode(image), "set/\(name)")
        }
        try folder.write([1], "set/a/readme.txt")
        try folder.folder("set/empty")
        let data = try ImageFolder(folder: folder.file("set"), side: 4)
        #expect(data.classes == ["a", "b"] && data.count == 3)
        #expect((0..<3).map(data.label) == [0, 1, 1])
        #expect(try (0..<3).map { try data.image(at: $0)[0, 0].red } == [30, 10, 20])
        #expect(try data.batch([0, 2]).images.shape == [2, 3, 4, 4])
        expectSentence("no pictures") {
            _ = try ImageFolder(folder: folder.file("set/empty"), side: 4)
        }
        expectSentence("no such file") {
            _ = try ImageFolder(folder: folder.file("nothing"), side: 4)
        }
    }

    @Test func batchesDependOnSeedAndEpochOnly() throws {
        let data = try MNIST(folder: mnistFolder(), part: .training)
        let first = data.batches(ofSize: 2, seed: 1, epoch: 0, dropsLast: false)
        #expect(first == data.batches(ofSize: 2, seed: 1, epoch: 0, dropsLast: false))
        #expect(
            first.map(\.count) == [2, 2, 1] && first.flatMap { $0 }.sorted() == [0, 1, 2, 3, 4])
        #expect(data.batches(ofSize: 2, seed: 1, epoch: 0).map(\.count) == [2, 2])
        let others = (1..<8).map { data.batches(ofSize: 5, seed: 1, epoch: $0) }
        #expect(Set(others).count > 1)
        #expect(data.batchesInOrder(ofSize: 3) == [[0, 1, 2], [3, 4]])
    }
}
