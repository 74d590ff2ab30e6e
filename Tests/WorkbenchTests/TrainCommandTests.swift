// Training runs that are interrupted, killed and resumed. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct TrainCommandTests {
    private let program: Program

    /// Lays out the five pictures as a data set with held-out pictures.
    init() throws {
        program = try Program()
        let folder = try program.folder.folder("mnist")
        for name in ["train", "t10k"] {
            for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
                try FileManager.default.copyItem(
                    atPath: Fixture.path("data/train-" + kind),
                    toPath: "\(folder)/\(name)-\(kind)")
            }
        }
    }

    /// A tokenizer as small as one can be.
    private func recipe(steps: Int) throws -> String {
        let text = """
            name = "tiny"
            system = "vqvae"
            seed = 3
            steps = \(steps)
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
            """
        return try program.folder.write(Array(text.utf8), "tiny-\(steps).toml")
    }

    private func train(_ recipe: String, out: String, _ options: String...) -> [String] {
        [
            "train", recipe, "--data", program.folder.file("mnist"), "--out",
            program.folder.file(out), "--threads", "1",
        ] + options
    }

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: program.folder.file(name))
    }

    /// Lets a run go on until it has logged a number of steps.
    private func wait(_ run: Running, steps: Int, in folder: String) throws {
        let path = program.folder.file(folder + "/metrics.jsonl")
        let deadline = Date(timeIntervalSinceNow: 300)
        while Date() < deadline && !run.hasEnded {
            let data = FileManager.default.contents(atPath: path) ?? Data()
            if data.count(where: { $0 == 10 }) >= steps { return }
            usleep(5_000)
        }
        Issue.record("the run did not get to step \(steps): \(run.end().errors)")
    }

    @Test func interruptionKeepsACheckpoint() throws {
        let recipe = try recipe(steps: 100_000)
        let run = try program.start(train(recipe, out: "run"))
        try wait(run, steps: 2, in: "run")
        run.send(SIGINT)
        let outcome = run.end()
        #expect(outcome.status == 130 && outcome.errors.contains("Interrupted"), "\(outcome)")
        #expect(exists("run/checkpoint.safetensors") && !exists("run/weights.safetensors"))
        // A finished instalment goes on from there; a second start is refused.
        try program.refuse(train(recipe, out: "run"), "--resume")
        let more = try program.run(train(recipe, out: "run", "--resume", "--stop-after", "1"))
        #expect(more.status == 0, "\(more.errors)")
        let metadata = try Safetensors.open(
            path: program.folder.file("run/checkpoint.safetensors")
        ).metadata
        #expect(Int(metadata["state.step"] ?? "") ?? 0 >= 2, "\(metadata)")
        try program.refuse(train(recipe, out: "other", "--resume"), "no checkpoint")
    }

    /// Whatever the instalments, the weights are those of the run in one go, to the byte.
    @Test func instalmentsAndAKillChangeNothing() throws {
        let recipe = try recipe(steps: 5)
        let whole = try program.run(train(recipe, out: "whole"))
        #expect(whole.status == 0, "\(whole.errors)")
        let first = try program.run(train(recipe, out: "parts", "--stop-after", "2"))
        #expect(first.status == 0 && exists("parts/checkpoint.safetensors"))
        let saved = FileManager.default.contents(
            atPath: program.folder.file("parts/checkpoint.safetensors"))
        let killed = try program.start(train(recipe, out: "parts", "--resume"))
        try wait(killed, steps: 4, in: "parts")
        killed.send(SIGKILL)
        let end = killed.end()
        if end.status == -SIGKILL && !exists("parts/weights.safetensors") {
            // Not yet at the end, where the next checkpoint is written.
            let kept = try TensorArchive.open(
                path: program.folder.file("parts/checkpoint.safetensors"))
            #expect(kept.records.count > 10 && saved != nil)
        }
        let rest = try program.run(train(recipe, out: "parts", "--resume"))
        #expect(rest.status == 0, "\(rest.errors)")
        let paths = ["whole", "parts"].map { program.folder.file($0 + "/weights.safetensors") }
        let weights = try paths.map {
            try #require(FileManager.default.contents(atPath: $0), "no \($0)")
        }
        #expect(weights[0] == weights[1])
        // What was trained is a tokenizer of its own right.
        let text = try program.succeed("inspect", paths[0]).output
        #expect(text.contains("tokenizer") && text.contains("16 of 4"), "\(text)")
    }

    @Test func dataThatIsNotThere() throws {
        let recipe = try recipe(steps: 1)
        try program.refuse(
            ["train", recipe, "--data", "/no/such/place", "--out", program.folder.file("x")],
            "/no/such/place")
    }
}
