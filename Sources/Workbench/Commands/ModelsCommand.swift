// `workbench models`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// What is installed.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List installed models, show a card, check files.",
        discussion: """
            Examples:
              workbench models
              workbench models show hmar-digits
              workbench models verify
            """,
        subcommands: [List.self, Show.self, Verify.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List installed models.")
        @OptionGroup var json: JSONOption
        @OptionGroup var common: CommonOptions

        func run() throws {
            let catalog = try ModelAccess(common).catalog
            for problem in catalog.problems where !common.quiet {
                Output.note("workbench: \(problem)")
            }
            if json.isOn { return try Output.json(catalog.entries.map(\.card)) }
            if catalog.entries.isEmpty {
                Output.line("No models found in \(catalog.folders.joined(separator: ", ")).")
            }
            for entry in catalog.entries {
                let bytes = entry.card.files.reduce(0) { $0 + $1.bytes }
                let size = String(format: "%6.1f MB", Double(bytes) / 1e6)
                let name = entry.card.name.padding(toLength: 20, withPad: " ", startingAt: 0)
                Output.line("\(name)  \(size)  \(entry.card.summary)")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a model's card.")
        @Argument(help: "The model's name.")
        var name: String
        @OptionGroup var json: JSONOption
        @OptionGroup var common: CommonOptions

        func run() throws {
            let entry = try ModelAccess(common).catalog.entry(named: name)
            if json.isOn { return try Output.json(entry.card) }
            Output.line(CardText(entry.card).text)
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Check every weight file's size and checksum.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            let interrupt = Interrupt()
            let catalog = try ModelAccess(common).catalog
            var failed = !catalog.problems.isEmpty
            for problem in catalog.problems { Output.note("workbench: \(problem)") }
            for entry in catalog.entries {
                do {
                    try ModelCatalog.verify(entry, cancellation: interrupt.cancellation)
                    Output.line("\(entry.card.name): \(entry.card.files.count) files are whole.")
                } catch let error as CatalogError {
                    Output.note("workbench: \(error)")
                    failed = true
                }
            }
            if failed { throw ExitCode(ExitStatus.badInput) }
        }
    }
}

/// A card as text.
struct CardText {
    let text: String

    init(_ card: ModelCard) {
        var lines = ["\(card.name): \(card.summary)", ""]
        func field(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            lines.append(name.padding(toLength: 12, withPad: " ", startingAt: 0) + value)
        }
        field("system", card.system)
        field("image", card.imageSize.map { "\($0)×\($0)" })
        field("scales", card.patchNums.map { $0.map(String.init).joined(separator: ", ") })
        field("classes", card.classes?.joined(separator: ", "))
        for (role, count) in card.parameters.sorted(by: { $0.key < $1.key }) {
            field(role, "\(count) parameters")
        }
        field("data", card.data)
        field("", card.dataLicence)
        field("licence", card.licence)
        field("recipes", card.recipes.joined(separator: ", "))
        field("command", card.command)
        for file in card.files { field("file", "\(file.path)  \(file.bytes) bytes") }
        if !card.metrics.isEmpty { lines.append("") }
        for metric in card.metrics {
            let value = String(format: "%.4g", metric.value)
            lines.append(
                "  \(metric.name): \(value)\(metric.unit.map { " " + $0 } ?? "")"
                    + (metric.note.map { "  (\($0))" } ?? ""))
        }
        if let notes = card.notes { lines += ["", notes] }
        text = lines.joined(separator: "\n")
    }
}
