// `workbench pack`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Makes an installable model of finished training runs.
struct PackCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Make an installable model of finished training runs.",
        discussion: """
            Reads a card file, rewrites the weights of its runs in half precision, and writes them \
            with the finished card (sizes, checksums, parameters, steps) into a folder. The model \
            is loaded once from there before the card is written.

            Examples:
              workbench pack recipes/hmar-digits/card.toml --out weights/hmar
              workbench pack my-card.toml --out ~/.local/share/workbench/weights/hmar --float32
            """)

    @Argument(help: "The card, a TOML file.")
    var card: String

    @Option(help: ArgumentHelp("The folder of the card and its files.", valueName: "dir"))
    var out: String

    @Flag(help: "Keep every weight in single precision.")
    var float32 = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let source = try CardSource(path: card)
        let interrupt = Interrupt()
        do {
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: true)
        } catch {
            throw InputError(
                "\(out): this folder cannot be made (\(error.localizedDescription)).")
        }
        var result = source.card
        for part in source.parts {
            try interrupt.cancellation.check()
            let archive = try TensorArchive.open(path: part.weights)
            let name = "\(result.name)-\(part.role).safetensors"
            let path = "\(out)/\(name)"
            try Safetensors.write(
                WeightPacking.items(archive, keepsFloat32: float32), metadata: archive.metadata,
                to: path)
            result.files.append(
                .init(
                    role: part.role, path: name, sha256: try SHA256.hexDigest(ofFile: path),
                    bytes: try MappedFile(path: path).byteCount))
            result.parameters[part.role] = WeightPacking.parameterCount(archive)
            result.steps[part.role] = try part.steps()
        }
        result.metrics = keptMetrics(result)
        // A card is only written for files that load.
        let registry = ModelRegistry(Registry.loaders)
        _ = try registry.load(
            ModelEntry(card: result, folder: out), cancellation: interrupt.cancellation)
        try ModelCatalog.write(result, to: "\(out)/\(result.name).json")
        if common.quiet { return }
        for file in result.files {
            Output.line("\(out)/\(file.path)  \(file.bytes) bytes")
        }
        let total = result.files.reduce(0) { $0 + $1.bytes }
        Output.line("\(out)/\(result.name).json  \(String(format: "%.2f MB", Double(total) / 1e6))")
    }

    /// The figures of the card that is replaced, when they were measured on the same bytes.
    private func keptMetrics(_ card: ModelCard) -> [ModelCard.Metric] {
        guard let old = try? ModelCatalog.read("\(out)/\(card.name).json").card,
            old.files == card.files, old.defaults == card.defaults
        else { return [] }
        return old.metrics
    }
}

/// A card as people write it: what it is and which runs its files come from.
struct CardSource {
    /// One file of the model to be.
    struct Part {
        let role: String
        /// The run's weights.
        let weights: String
        /// The recipe that made them.
        let recipe: String

        /// Steps that the run made; those the recipe asks for where its checkpoint is gone.
        func steps() throws -> Int {
            let folder = weights.lastIndex(of: "/").map { String(weights[..<$0]) } ?? "."
            let checkpoint = folder + "/checkpoint.safetensors"
            if FileManager.default.fileExists(atPath: checkpoint),
                let text = try Safetensors.open(path: checkpoint).metadata["state.step"],
                let steps = Int(text)
            {
                return steps
            }
            return try TOMLTable(contentsOfFile: recipe).int("steps", in: 1...(1 << 30))
        }
    }

    /// Without files, parameters, steps and metrics.
    let card: ModelCard
    let parts: [Part]

    /// - Throws: `TOMLError`, `ScheduleError`, `FileFormatError`.
    init(path: String) throws {
        let table = try TOMLTable(contentsOfFile: path)
        try table.requireOnly(keys: [
            "name", "system", "summary", "image_size", "patch_nums", "classes", "data",
            "data_licence", "licence", "command", "notes", "defaults", "files",
        ])
        let defaults = try table.tableIfPresent("defaults") ?? TOMLTable(parsing: "")
        try defaults.requireOnly(keys: ["cfg", "top_k", "top_p", "schedule"])
        let sides = try table["patch_nums"].map { _ in
            try table.ints("patch_nums", in: 1...1024)
        }
        let rows = try defaults.stringIfPresent("schedule").map {
            try SamplingSchedule(parsing: $0, patchNums: sides ?? []).rows
        }
        parts = try table.tables("files").map { file in
            try file.requireOnly(keys: ["role", "weights", "recipe"])
            return Part(
                role: try file.string("role"), weights: try file.string("weights"),
                recipe: try file.string("recipe"))
        }
        let seeds = try parts.map {
            try TOMLTable(contentsOfFile: $0.recipe).int("seed", default: 0, in: 0...(1 << 53))
        }
        let text = zip(parts, seeds).map { "\($0.role) \($1)" }.joined(separator: ", ")
        let notes = try table.stringIfPresent("notes")
        card = ModelCard(
            name: try table.string("name"), system: try table.string("system"),
            summary: try table.string("summary"),
            imageSize: try table.intIfPresent("image_size", in: 1...65_536), patchNums: sides,
            classes: try table["classes"].map { _ in try table.strings("classes") },
            data: try table.string("data"),
            dataLicence: try table.string("data_licence"), licence: try table.string("licence"),
            recipes: parts.map(\.recipe), command: try table.string("command"),
            seed: UInt64(seeds.first ?? 0),
            defaults: .init(
                cfg: try defaults.doubleIfPresent("cfg", in: 0...100),
                topK: try defaults.intIfPresent("top_k", in: 0...65_536),
                topP: try defaults.doubleIfPresent("top_p", in: 0...1), schedule: rows),
            notes: [notes, "Seeds of the trainings: \(text)."].compactMap { $0 }
                .joined(separator: " "))
    }
}
