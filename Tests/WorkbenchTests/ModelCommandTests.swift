// Import of the small reference model and everything done with it.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct ModelCommandTests {
    private let program: Program
    private let store: String
    private let picture = Fixture.path("pictures/scene.png")

    /// Imports the model by links to copies of its files.
    init() throws {
        program = try Program()
        store = try program.folder.folder("store")
        var files: [String] = []
        for name in ["tiny_vae.f16.safetensors", "tiny_hmar.pth", "tiny_var.safetensors"] {
            let copy = program.folder.file(name)
            try FileManager.default.copyItem(atPath: Fixture.path("hmar/" + name), toPath: copy)
            files.append(copy)
        }
        // Download caches hold links.
        let link = program.folder.file("link.pth")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: files[1])
        files[1] = link
        let outcome = try program.run(["import"] + files + ["--name", "tiny", "--models", store])
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("NVIDIA non-commercial"))
    }

    private func file(_ name: String) -> String { program.folder.file(name) }

    private func bytes(_ name: String) throws -> Data {
        try #require(FileManager.default.contents(atPath: file(name)), "no \(name)")
    }

    private func sample(_ options: String...) -> [String] {
        ["sample", "--model", "tiny", "--models", store] + options
    }

    @Test func importedModelsAreListedAndVerified() throws {
        #expect(try program.succeed("models", "--models", store).output.contains("tiny"))
        let card = try program.succeed("models", "show", "tiny", "--json", "--models", store)
            .fields()
        #expect(card["patchNums"] as? [Int] == [1, 2, 3, 4] && card["imageSize"] as? Int == 64)
        try program.succeed("models", "verify", "--models", store)
        // Importing what is in the store already keeps it.
        let own = store + "/hmar/tiny-"
        try program.succeed(
            "import", own + "tokenizer.safetensors", own + "hmar.pth", own + "var.safetensors",
            "--name", "tiny", "--models", store)
        try program.succeed("models", "verify", "--models", store)
    }

    @Test func changedWeightsAreFound() throws {
        let path = store + "/hmar/tiny-var.safetensors"
        var data = try #require(FileManager.default.contents(atPath: path))
        data[data.count - 1] ^= 1
        try FileManager.default.removeItem(atPath: path)
        try data.write(to: URL(fileURLWithPath: path))
        let verified = try program.run("models", "verify", "--models", store)
        #expect(verified.status == 2 && verified.errors.contains("SHA-256"), "\(verified)")
        let checked = try program.run("selftest", "--models", store)
        #expect(checked.status == 1 && checked.output.contains("FAIL  checksums of tiny"))
        try data.dropLast().write(to: URL(fileURLWithPath: path))
        try program.refuse(sample("--class", "1"), "tiny-var.safetensors", "bytes")
        try FileManager.default.removeItem(atPath: path)
        try program.refuse(sample("--class", "1"), "tiny-var.safetensors", "not there")
    }

    @Test func storedAnswersAreCheckedAgain() throws {
        let recorded = try program.succeed("selftest", "--record", "--models", store).output
        #expect(recorded.contains("tiny.selftest.json"))
        // The answers are no card.
        #expect(try program.succeed("models", "--models", store).errors.isEmpty)
        let text = try program.succeed("selftest", "--models", store).output
        #expect(text.contains("ok    stored answers of tiny  30 of 30 codes equal"), "\(text)")
        let path = store + "/hmar/tiny.selftest.json"
        let answers = try String(contentsOfFile: path, encoding: .utf8)
        try answers.replacingOccurrences(of: "\"probabilities\":[", with: "\"probabilities\":[0.9,")
            .write(toFile: path, atomically: true, encoding: .utf8)
        let wrong = try program.run("selftest", "--models", store)
        #expect(wrong.status == 1 && wrong.output.contains("FAIL  stored answers of tiny"))
    }

    @Test(arguments: ["hmar", "hmar-next-scale", "var"])
    func theSameSeedGivesTheSameBytes(variant: String) throws {
        for out in ["a", "b"] {
            let outcome = try program.run(
                sample(
                    "--variant", variant, "--class", "3", "--seed", "11", "--count", "2",
                    "--schedule", "cosine:2", "--top-k", "40", "--out", file(out), "--json"))
            #expect(try outcome.fields()["seed"] as? Int == 11)
        }
        for index in 0..<2 {
            let name = "tiny-class_3-11-\(index).png"
            #expect(try bytes("a/" + name) == bytes("b/" + name))
        }
        #expect(
            try bytes("a/tiny-class_3-11-0.png") != bytes("a/tiny-class_3-11-1.png"))
        let replay = try program.succeed(
            "replay", file("a/tiny-class_3-11-1.png"), "--models", store, "--out", file("c.png"),
            "--json"
        ).fields()
        #expect(replay["isEqual"] as? Bool == true)
        #expect(replay["weightsAreTheSame"] as? Bool == true)
        #expect(
            try PNG.read(path: file("c.png")) == PNG.read(path: file("a/tiny-class_3-11-1.png")))
    }

    @Test func sheetsTracesAndProgress() throws {
        let outcome = try program.run(
            sample(
                "--seed", "1", "--count", "3", "--grid", file("g.png"), "--trace", file("t"),
                "--progress", "always", "--schedule", "[[1],[1,3],[9],[8,8]]"))
        #expect(outcome.status == 0 && outcome.errors.contains("pass 6/6"), "\(outcome)")
        #expect(try PNG.read(path: file("g.png")).width > 128)
        let passes = try JSONSerialization.jsonObject(with: bytes("t/passes.json")) as? [Any]
        #expect(passes?.count == 6)
        // Without --out a sheet is all that is written.
        #expect(try program.folder.names().filter { $0.hasPrefix("tiny-") }.isEmpty)
    }

    @Test func samplingOptionsAreChecked() throws {
        try program.refuse(sample("--class", "clas 3"), "did you mean class 3?")
        try program.refuse(sample("--class", "10"), "--class 10")
        try program.refuse(sample("--schedule", "cosin:2"), "cosin")
        try program.refuse(sample("--schedule", "[[1],[4],[9],[15]]"), "16")
        try program.refuse(sample("--schedule", "[[1],[4],[9]]"), "4")
        try program.refuse(sample("--schedule", "[[1],[4],[9],[0,16]]"), "0")
        try program.refuse(sample("--top-k", "129"), "--top-k", "128")
        try program.refuse(sample("--top-p", "1.5"), "--top-p")
        try program.refuse(sample("--cfg", "nan"), "--cfg")
        try program.refuse(sample("--count", "0"), "count")
        try program.refuse(sample("--variant", "gan"), "gan")
        try program.refuse(sample("--out", "/proc/nowhere"), "/proc/nowhere")
    }

    @Test func encodeAndDecode() throws {
        let report = try program.succeed(
            "encode", "--image", picture, "--model", "tiny", "--models", store, "--out",
            file("t.json"), "--reconstruction", file("r.png"), "--json"
        ).fields()
        #expect((report["psnr"] as? Double ?? 0) > 3)
        try program.succeed(
            "decode", "--tokens", file("t.json"), "--model", "tiny", "--models", store, "--out",
            file("d.png"))
        #expect(try PNG.read(path: file("d.png")) == PNG.read(path: file("r.png")))
        func decode(_ text: String, _ words: String) throws {
            let path = try program.folder.write(Array(text.utf8), "bad.json")
            try program.refuse(
                ["decode", "--tokens", path, "--model", "tiny", "--models", store], "bad.json",
                words)
        }
        try decode("{}", "encode --out")
        try decode(#"{"patchNums":[1],"scales":[[3]]}"#, "[1, 2, 3, 4]")
        let text = String(decoding: try bytes("t.json"), as: UTF8.self)
        let start = try #require(text.range(of: "[["))
        let end = try #require(text.range(of: "]", range: start.upperBound..<text.endIndex))
        try decode(
            text.replacingCharacters(in: start.upperBound..<end.lowerBound, with: "128"), "128")
        try program.refuse(
            [
                "decode", "--tokens", file("t.json"), "--through-scale", "4", "--model", "tiny",
                "--models", store,
            ], "--through-scale")
    }

    @Test(arguments: ["inpaint", "outpaint", "class", "vary"])
    func edits(mode: String) throws {
        var mask = RGBImage(width: 64, height: 64)
        for y in 0..<64 {
            for x in 32..<64 { mask[x, y] = (255, 255, 255) }
        }
        try PNG.write(mask, to: file("mask.png"))
        let common = [
            "edit", "--image", picture, "--model", "tiny", "--models", store, "--mode", mode,
            "--seed", "5", "--class", "2", "--steps", "0,1,1,2", "--keep-scales", "1",
        ]
        for out in ["a.png", "b.png"] {
            let outcome = try program.run(
                common + ["--mask", file("mask.png"), "--out", file(out), "--quiet"])
            #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome)")
        }
        #expect(try bytes("a.png") == bytes("b.png"))
        let replay = try program.succeed("replay", file("a.png"), "--models", store).output
        #expect(replay.contains("the same pixels"))
    }

    @Test func editsThatCannotBe() throws {
        let edit = ["edit", "--image", picture, "--model", "tiny", "--models", store, "--quiet"]
        try PNG.write(RGBImage(width: 9, height: 9), to: file("small.png"))
        try PNG.write(RGBImage(width: 64, height: 64), to: file("black.png"))
        let black = ["--mask", file("black.png"), "--out", file("e.png")]
        try program.refuse(edit, "--mask")
        try program.refuse(edit + ["--mask", file("small.png")], "9×9", "small.png")
        try program.refuse(edit + black, "mask")
        try program.refuse(edit + ["--mask", file("absent.png")], "absent.png")
        try program.refuse(edit + black + ["--mode", "erase"], "erase")
        try program.refuse(edit + black + ["--mode", "class"], "--class")
        try program.refuse(edit + black + ["--steps", "1,2"], "--steps")
        try program.refuse(edit + black + ["--anchor", "rope"], "rope")
        try program.refuse(edit + black + ["--keep-scales", "9"], "--keep-scales")
        #expect(!FileManager.default.fileExists(atPath: file("e.png")))
        let cut = try #require(FileManager.default.contents(atPath: picture)).prefix(300)
        let path = try program.folder.write([UInt8](cut), "cut.png")
        try program.refuse(
            ["encode", "--image", path, "--model", "tiny", "--models", store], "cut.png")
    }
}
