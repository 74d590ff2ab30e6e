// Trainings in processes of their own: started, steered, killed, taken up again.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Workbench

@Suite("Training processes")
struct TrainingProcessTests {
    private let temporary: TemporaryFolder
    private let trainings: TrainingProcesses

    init() throws {
        temporary = try TemporaryFolder()
        let data = try temporary.folder("mnist")
        for name in ["train", "t10k"] {
            for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
                try FileManager.default.copyItem(
                    atPath: Fixture.path("data/train-" + kind), toPath: "\(data)/\(name)-\(kind)")
            }
        }
        try temporary.write(
            Array(
                """
                name = "tiny"
                system = "vqvae"
                steps = 100000
                batch_size = 2
                log_every = 1
                checkpoint_seconds = 3600
                [data]
                kind = "mnist"
                [model]
                channels = 32
                channel_multipliers = [1, 1, 1]
                residual_blocks = 1
                latent_channels = 4
                codebook_size = 16
                patch_nums = [1, 3, 7]
                [optimizer]
                learning_rate = 1e-3
                """.utf8), "recipes/tiny.toml")
        try temporary.write(Array("name = \"broken".utf8), "recipes/broken.toml")
        try temporary.write(
            Array("name = \"x\"\nsystem = \"vqva\"\nsteps = 5".utf8), "recipes/a/odd.toml")
        try temporary.write(
            Array("name = \"a card\"\nsystem = \"vqvae\"".utf8), "recipes/note.toml")
        trainings = TrainingProcesses(
            recipeFolders: [temporary.file("recipes"), "/no/such/folder"],
            runsFolder: temporary.file("runs"), program: Program.path,
            options: ["--threads", "1", "--device", "cpu"])
    }

    private func request(resumes: Bool? = false, data: String? = nil) -> TrainingRequest {
        TrainingRequest(
            recipePath: temporary.file("recipes/tiny.toml"),
            dataFolder: data ?? temporary.file("mnist"), outFolder: temporary.file("runs/tiny"),
            resumes: resumes)
    }

    /// Reads on until a condition holds.
    private func follow(
        _ reader: inout TrainingFolderReader, until condition: (TrainingNews) -> Bool
    ) throws -> TrainingNews {
        var all = TrainingNews()
        let deadline = Date(timeIntervalSinceNow: 300)
        while Date() < deadline {
            let news = trainings.read(&reader)
            all.status = news.status
            all.records += news.records
            if condition(all) { return all }
            usleep(5_000)
        }
        Issue.record("it did not come to that: \(all)")
        return all
    }

    @Test("Recipes are listed with what is wrong with them")
    func recipes() {
        let found = trainings.recipes()
        #expect(found.map(\.name) == ["x", "broken", "tiny"])
        #expect(found[0].problem?.contains("vqva") == true)
        #expect(found[1].problem?.contains("broken.toml") == true)
        #expect(found[2].problem == nil && found[2].steps == 100_000)
        #expect(found[2].dataKind == "mnist" && found[2].system == "vqvae")
    }

    @Test("A training is held, sampled, stopped and resumed by its control file")
    func steering() throws {
        let folder = try trainings.start(request())
        var reader = TrainingFolderReader(folder: folder)
        _ = try follow(&reader) { $0.records.count >= 2 }
        #expect(throws: TrainingFolderError.held(folder: temporary.file("runs/tiny"))) {
            try trainings.start(request())
        }
        try trainings.send(.pause, to: folder)
        let held = try follow(&reader) { $0.status?.phase == .paused }
        #expect(held.status?.total == 100_000 && held.status?.data == temporary.file("mnist"))
        try trainings.send(.sample, to: folder)
        let sampled = try follow(&reader) { $0.records.contains { $0.kind == .sample } }
        let file = try #require(sampled.records.last { $0.kind == .sample }?.file)
        #expect(try PNG.read(path: folder + "/" + file).width > 56)
        try trainings.send(.resume, to: folder)
        let step = held.status?.step ?? 0
        _ = try follow(&reader) { ($0.records.last?.step ?? 0) > step }
        try trainings.send(.stop, to: folder)
        let end = try follow(&reader) { $0.status?.phase == .stopped }
        #expect(end.status?.checkpointStep == end.status?.step)
        #expect(trainings.runs() == [folder])
        _ = try follow(&reader) { _ in !TrainingFolder(folder).isHeld }
        #expect(throws: TrainingFolderError.notRunning(folder: folder)) {
            try trainings.send(.pause, to: folder)
        }
        #expect(throws: InputError.self) { try trainings.start(request()) }
        _ = try trainings.start(request(resumes: nil))
        let saved = end.status?.step ?? 0
        let resumed = try follow(&reader) { ($0.records.last?.step ?? 0) > saved }
        #expect(resumed.records.first?.step == saved + 1)
        try trainings.send(.stop, to: folder)
        _ = try follow(&reader) { $0.status?.phase == .stopped }
    }

    @Test("A killed training is seen to be gone, and its checkpoint goes on")
    func killed() throws {
        let folder = try trainings.start(request())
        var reader = TrainingFolderReader(folder: folder)
        let begun = try follow(&reader) { $0.records.count >= 2 }
        try trainings.send(.checkpoint, to: folder)
        let saved = try follow(&reader) { $0.status?.checkpointStep != nil }
        kill(try #require(begun.status?.process), SIGKILL)
        let gone = try follow(&reader) { $0.status?.phase == .lost }
        #expect(gone.status?.problem?.contains("signal 9") == true)
        // Whoever looks later, without having started it, sees it too.
        var later = TrainingFolderReader(folder: folder)
        #expect(later.read().status?.phase == .lost)
        _ = try trainings.start(request(resumes: true))
        let step = saved.status?.checkpointStep ?? 0
        let resumed = try follow(&reader) { !$0.records.isEmpty }
        #expect(resumed.records.first?.step == step + 1)
        try trainings.send(.stop, to: folder)
        _ = try follow(&reader) { $0.status?.phase == .stopped }
    }

    @Test("What keeps a training from starting is said at once or in its last words")
    func refusals() throws {
        #expect(throws: InputError.self) { try trainings.start(request(data: "/no/such/data")) }
        // The folder is there but holds no data: only the process can tell.
        let folder = try trainings.start(request(data: try temporary.folder("empty")))
        var reader = TrainingFolderReader(folder: folder)
        let news = try follow(&reader) { $0.status?.phase == .failed }
        #expect(news.status?.problem?.contains("empty") == true, "\(news)")
        var other = request()
        other.recipePath = temporary.file("recipes/broken.toml")
        other.outFolder = temporary.file("runs/broken")
        let broken = try trainings.start(other)
        var words = TrainingFolderReader(folder: broken)
        let end = try follow(&words) { $0.status?.phase == .failed }
        #expect(end.status?.problem?.contains("broken.toml") == true, "\(end)")
    }
}
