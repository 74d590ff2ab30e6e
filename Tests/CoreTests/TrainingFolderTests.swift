// How a training and its watchers talk by the files of a run folder.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite("Training folders")
struct TrainingFolderTests {
    private let temporary: TemporaryFolder
    private let folder: TrainingFolder

    init() throws {
        temporary = try TemporaryFolder()
        folder = TrainingFolder(temporary.path)
    }

    private func append(_ text: String) throws {
        let old = FileManager.default.contents(atPath: folder.metricsPath) ?? Data()
        let handle = FileHandle(forWritingAtPath: folder.metricsPath)
        guard let handle else {
            try (old + Data(text.utf8)).write(to: URL(fileURLWithPath: folder.metricsPath))
            return
        }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test("A record's line reads back, without what is not finite")
    func records() throws {
        let record = TrainingRecord(
            kind: .training, step: 40, seconds: 12.25,
            values: [
                .init("loss", 0.125), .init("usage.0", 40), .init("bad", .nan),
                .init("psnr", .infinity), .init("learning_rate", 1e-5),
            ])
        #expect(
            record.line == "{\"step\":40,\"seconds\":12.2,\"kind\":\"training\",\"loss\":0.125,"
                + "\"usage.0\":40,\"learning_rate\":1e-05}\n")
        let read = try #require(TrainingRecord(line: Array(record.line.utf8)))
        #expect(read.values.map(\.name) == ["loss", "usage.0", "learning_rate"])
        #expect(read.values.map(\.value) == [0.125, 40, 1e-5])
        let sample = TrainingRecord(kind: .sample, step: 7, seconds: 1, file: "samples/7 \"a\".png")
        #expect(TrainingRecord(line: Array(sample.line.utf8)) == sample)
    }

    @Test(
        "What is no record is passed over",
        arguments: [
            "", "{", "[1]", "{\"step\":-1}", "{\"loss\":1}", "{\"step\":1,\"kind\":\"other\"}",
            "{\"step\":1,\"file\":\"../../etc/passwd\"}", "{\"step\":1,\"file\":\"/etc/passwd\"}",
            "{\"step\":1,\"step\":2}", "{\"step\":1.5}",
        ])
    func noRecords(text: String) {
        #expect(TrainingRecord(line: Array(text.utf8)) == nil)
    }

    @Test("A reader takes whole lines only, and begins again with another file")
    func reading() throws {
        var reader = TrainingFolderReader(folder: temporary.path)
        #expect(reader.read() == TrainingNews())
        try append("{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo")
        #expect(reader.read().records.map(\.step) == [1])
        #expect(reader.read().records.isEmpty)
        try append("ss\":3}\nnonsense\n{\"step\":3}\n")
        let news = reader.read()
        #expect(news.records.map(\.step) == [2, 3] && news.unreadableLines == 1)
        #expect(news.records[0].values == [.init("loss", 3)])
        #expect(!news.beginsAnew)
        try FileManager.default.removeItem(atPath: folder.metricsPath)
        try append("{\"step\":9}\n")
        let again = reader.read()
        #expect(again.beginsAnew && again.records.map(\.step) == [9])
    }

    @Test("A long file comes in parts, every line once")
    func longFiles() throws {
        let line = "{\"step\":7,\"note\":\"" + String(repeating: "x", count: 200) + "\"}\n"
        try append(String(repeating: line, count: 12_000))
        var reader = TrainingFolderReader(folder: temporary.path)
        var count = 0
        var looks = 0
        var hasMore = true
        while hasMore {
            let news = reader.read()
            count += news.records.count
            hasMore = news.hasMore
            looks += 1
        }
        #expect(count == 12_000 && looks == 3)
    }

    @Test("Commands are taken once, in order; other lines are no commands")
    func commands() throws {
        #expect(folder.takeCommands().isEmpty)
        try folder.post(.pause)
        try folder.post(.checkpoint)
        let handle = try #require(FileHandle(forWritingAtPath: folder.controlPath))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("dance\n  resume \n".utf8))
        try handle.close()
        #expect(folder.takeCommands() == [.pause, .checkpoint, .resume])
        #expect(folder.takeCommands().isEmpty)
        #expect(throws: TrainingFolderError.self) {
            try TrainingFolder("/no/such/folder").post(.stop)
        }
    }

    @Test("A folder is held by one process, and known to be left when it goes")
    func locking() throws {
        var status = TrainingStatus(name: "n", system: "vqvae", recipe: "/r.toml")
        status.phase = .running
        status.step = 5
        try folder.write(status)
        var reader = TrainingFolderReader(folder: temporary.path)
        do {
            let lock = try folder.take()
            #expect(folder.isHeld)
            #expect(throws: TrainingFolderError.held(folder: temporary.path)) {
                try folder.take()
            }
            #expect(reader.read().status?.phase == .running)
            withExtendedLifetime(lock) {}
        }
        #expect(!folder.isHeld)
        let left = reader.read().status
        #expect(left?.phase == .lost && left?.step == 5 && left?.problem != nil)
        status.phase = .done
        try folder.write(status)
        #expect(reader.read().status?.phase == .done)
        // A status of another form is none.
        try temporary.write(Array("{\"phase\":\"dreaming\"}".utf8), "status.json")
        #expect(reader.read().status == nil)
    }
}
