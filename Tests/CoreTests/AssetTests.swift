// Where assets are looked for, and what the catalogue makes of cards.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct AssetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // MARK: Places

    private func surroundings() throws -> AssetLocator.Surroundings {
        try folder.write([], "checkout/Package.swift")
        try folder.folder("checkout/weights")
        for name in ["models", "data", "env", "home", "checkout/.build/debug", "work"] {
            try folder.folder(name)
        }
        return AssetLocator.Surroundings(
            dataDirectory: folder.file("data"),
            environment: ["WORKBENCH_HOME": folder.file("env"), "HOME": folder.file("home")],
            executable: folder.file("checkout/.build/debug/workbench"),
            workingDirectory: folder.file("work"), buildPrefix: "/opt/x")
    }

    @Test func placesComeInTheDocumentedOrder() throws {
        let locator = try AssetLocator(try surroundings())
        #expect(
            locator.places(for: .samples).map(\.path) == [
                folder.file("data/samples"), folder.file("env/samples"),
                folder.file("home/.local/share/workbench/samples"),
                folder.file("checkout/.build/share/workbench/samples"),
                folder.file("checkout/samples"), "/opt/x/share/workbench/samples",
            ])
        #expect(
            locator.places(for: .themes).map(\.path)[2...3] == [
                folder.file("home/.config/workbench/themes"),
                folder.file("home/.local/share/workbench/themes"),
            ])
        #expect(locator.folders(for: .weights) == [folder.file("checkout/weights")])
    }

    @Test func theFirstHitWins() throws {
        let locator = try AssetLocator(try surroundings())
        let theirs = try folder.write([1], "checkout/themes/a.toml")
        #expect(try locator.locate("a.toml", kind: .themes) == theirs)
        let mine = try folder.write([2], "home/.config/workbench/themes/a.toml")
        #expect(try locator.locate("a.toml", kind: .themes) == mine)
        let first = try folder.write([3], "data/themes/a.toml")
        #expect(try locator.locate("a.toml", kind: .themes) == first)
        expectSentence("b.toml", folder.file("env/themes"), "/opt/x") {
            _ = try locator.locate("b.toml", kind: .themes)
        }
        let listing = locator.listing()
        #expect(listing.contains("* \(folder.file("data/themes"))  (--data-dir)"))
        #expect(listing.contains("+ \(folder.file("checkout/themes"))"))
        #expect(listing.contains("- \(folder.file("env/themes"))  (WORKBENCH_HOME)"))
    }

    @Test func theModelsOptionIsTheOnlyPlaceForWeights() throws {
        var around = try surroundings()
        around.modelsDirectory = "../models"
        let locator = try AssetLocator(around)
        #expect(locator.places(for: .weights).map(\.path) == [folder.file("work/../models")])
        #expect(locator.places(for: .themes).count > 3)
    }

    @Test func namedFoldersMustExist() throws {
        var around = try surroundings()
        around.environment["WORKBENCH_HOME"] = "/nowhere"
        expectSentence("/nowhere", "WORKBENCH_HOME") { _ = try AssetLocator(around) }
        around = try surroundings()
        around.dataDirectory = "missing"
        expectSentence("missing", "--data-dir") { _ = try AssetLocator(around) }
        around = try surroundings()
        around.modelsDirectory = folder.file("missing")
        expectSentence("missing", "--models") { _ = try AssetLocator(around) }
    }

    @Test func xdgFoldersAreRespectedWhenAbsolute() throws {
        var around = try surroundings()
        around.environment["XDG_DATA_HOME"] = "/xdg"
        around.environment["XDG_CONFIG_HOME"] = "relative"
        let places = try AssetLocator(around).places(for: .themes).map(\.path)
        #expect(places[2] == folder.file("home/.config/workbench/themes"))
        #expect(places[3] == "/xdg/workbench/themes")
    }

    // MARK: The catalogue

    private func card(_ name: String, contents: [UInt8] = [1, 2, 3]) throws -> ModelCard {
        try folder.write(contents, "weights/fake/\(name).safetensors")
        return ModelCard(
            name: name, system: "fake", summary: "A fake.", imageSize: 8, patchNums: [1, 2],
            classes: ["a"], data: "none", dataLicence: "none", licence: "Apache-2.0",
            defaults: .init(schedule: [[1], [1, 3]]),
            files: [
                .init(
                    role: "model", path: "\(name).safetensors",
                    sha256: SHA256.hexDigest(of: contents), bytes: contents.count)
            ])
    }

    private func cardPath(_ name: String) -> String { folder.file("weights/fake/\(name).json") }

    private func write(_ change: (inout ModelCard) -> Void, as name: String = "bad") throws {
        var card = try card(name)
        change(&card)
        try folder.write(Array(JSONEncoder().encode(card)), "weights/fake/\(name).json")
    }

    @Test func cardsAreFoundVerifiedAndLoaded() throws {
        for name in ["one", "two"] {
            try ModelCatalog.write(try card(name), to: cardPath(name))
        }
        let catalog = ModelCatalog(folders: ["/nowhere", folder.file("weights")])
        #expect(catalog.problems.isEmpty && catalog.entries.map(\.card.name) == ["one", "two"])
        let entry = try catalog.entry(named: "two")
        #expect(entry.path(role: "model") == folder.file("weights/fake/two.safetensors"))
        try ModelCatalog.verify(entry)
        let registry = ModelRegistry([FakeLoader()])
        #expect(try registry.load(named: "one", from: catalog).card.name == "one")
        expectSentence("Did you mean two?") { _ = try catalog.entry(named: "twp") }
        expectSentence("no models are installed", "/nowhere") {
            _ = try ModelCatalog(folders: ["/nowhere"]).entry(named: "x")
        }
        expectSentence("no system fake", "none") {
            _ = try ModelRegistry([FakeLoader(system: "none")]).load(entry)
        }
    }

    @Test func changedFilesAreNoticed() throws {
        try ModelCatalog.write(try card("one"), to: cardPath("one"))
        let catalog = ModelCatalog(folders: [folder.file("weights")])
        let entry = try catalog.entry(named: "one")
        try folder.write([1, 2, 4], "weights/fake/one.safetensors")
        try ModelCatalog.check(entry)
        expectSentence("one.safetensors", "SHA-256", "its card says") {
            try ModelCatalog.verify(entry)
        }
        try folder.write([1, 2], "weights/fake/one.safetensors")
        expectSentence("has 2 bytes", "says 3") { try ModelCatalog.check(entry) }
        try FileManager.default.removeItem(atPath: folder.file("weights/fake/one.safetensors"))
        expectSentence("not there") { _ = try ModelRegistry([FakeLoader()]).load(entry) }
    }

    @Test func brokenCardsNeverHideTheOthers() throws {
        try ModelCatalog.write(try card("good"), to: cardPath("good"))
        func problem(_ words: String, _ change: (inout ModelCard) -> Void) throws {
            try write(change)
            let catalog = ModelCatalog(folders: [folder.file("weights")])
            #expect(catalog.entries.map(\.card.name) == ["good"])
            let text = catalog.problems.first?.description ?? ""
            #expect(text.contains(words) && text.contains("bad.json"), "\(words): \(text)")
            // Asked for by name, it is told what is wrong with it, not that it does not exist.
            expectSentence(words, "bad.json") { _ = try catalog.entry(named: "bad") }
        }
        try problem("format is 2") { $0.format = 2 }
        try problem("its name is") { $0.name = "other" }
        try problem("leaves the card's folder") { $0.files[0].path = "../../etc/passwd" }
        try problem("leaves the card's folder") { $0.files[0].path = "/etc/passwd" }
        try problem("64 lower-case") { $0.files[0].sha256 = "abc" }
        try problem("names no files") { $0.files = [] }
        try problem("patchNums") { $0.patchNums = [2, 1] }
        try problem("default schedule") { $0.defaults.schedule = [[1], [5]] }
        for (text, words) in [
            ("{}", "is missing"), ("nonsense", "not JSON"), (#"{"format":"x"}"#, "whole number"),
        ] {
            try folder.write(Array(text.utf8), "weights/fake/bad.json")
            let catalog = ModelCatalog(folders: [folder.file("weights")])
            #expect(catalog.problems.first?.description.contains(words) == true, "\(words)")
        }
    }

    @Test func theEarlierFolderWins() throws {
        try ModelCatalog.write(try card("one"), to: cardPath("one"))
        var other = try card("one")
        other.summary = "Mine."
        try folder.folder("mine")
        try ModelCatalog.write(other, to: folder.file("mine/one.json"))
        let catalog = ModelCatalog(folders: [folder.file("mine"), folder.file("weights")])
        #expect(catalog.entries.map(\.card.summary) == ["Mine."])
        #expect(catalog.problems.count == 1)
    }

    @Test func checkpointErrorsNameTheTensors() {
        let error = CheckpointError.mismatch(
            file: "/x/vae.pth", model: "a tokenizer",
            missing: (0..<20).map { .init(name: "encoder.\($0).weight", shape: [3, $0]) },
            unexpected: ["extra.bias"],
            misfits: [
                .init(
                    name: "quantize.embedding.weight", expectedShape: [4096, 32],
                    foundShape: [8192, 32], expectedDType: .float32, foundDType: .float16)
            ], hint: "this may be the 512-pixel tokenizer")
        let text = error.description
        for words in [
            "/x/vae.pth", "expected [4096, 32] F32, found [8192, 32] F16", "missing (20)",
            "encoder.0.weight [3, 0]", "and 12 more", "extra.bias",
            "This may be the 512-pixel tokenizer.",
        ] { #expect(text.contains(words), "\(words)") }
    }
}

private final class FakeModel: LoadedModel {
    let card: ModelCard
    let weightBytes = 3
    let summaryLines: [String] = []
    init(card: ModelCard) { self.card = card }
}

private struct FakeLoader: ModelLoader {
    var system = "fake"
    func load(_ entry: ModelEntry, cancellation: Cancellation) throws -> any LoadedModel {
        FakeModel(card: entry.card)
    }
}
