// The manual page: commands and options from the parser, keys and settings from their tables.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// A page for man(1), in mdoc's language.
struct ManualPage {
    let text: String

    /// Writes the page.
    ///
    /// - Throws: `DecodingError` when the parser's description of itself has another form.
    init() throws {
        let tool = try JSONDecoder().decode(Tool.self, from: Data(Workbench._dumpHelp().utf8))
        var page = Roff()
        page.line(".Dd $Mdocdate$")
        page.line(".Dt WORKBENCH 1")
        page.line(".Os")
        page.section("NAME")
        page.line(".Nm workbench")
        page.line(".Nd \(Roff.escaped(Self.sentence(tool.command.abstract)))")
        page.section("SYNOPSIS")
        page.line(".Nm workbench")
        page.line(".Op Ar command")
        page.line(".Op Ar option ...")
        page.section("DESCRIPTION")
        page.paragraph(tool.command.discussion ?? "")
        Self.commands(tool.command, into: &page)
        Self.settings(into: &page)
        Self.keys(into: &page)
        Self.places(into: &page)
        text = page.text
    }

    private static func sentence(_ text: String?) -> String {
        var text = text ?? ""
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    // MARK: Chapters

    private static func commands(_ root: Tool.Command, into page: inout Roff) {
        page.section("COMMANDS")
        // Options that most commands share are told once.
        let shown = (root.subcommands ?? []).filter { $0.isShown && $0.commandName != "help" }
        let shared = sharedOptions(of: shown)
        for command in shown { describe(command, prefix: "workbench", shared, into: &page) }
        guard !shared.isEmpty else { return }
        page.section("COMMON OPTIONS")
        page.paragraph("Most commands take these.")
        let options = shown.lazy.compactMap(\.arguments).joined()
        page.list(
            shared.sorted().compactMap { name in
                options.first { $0.label == name }.map { ($0.label, $0.abstract ?? "") }
            })
    }

    private static func describe(
        _ command: Tool.Command, prefix: String, _ shared: Set<String>, into page: inout Roff
    ) {
        let name = prefix + " " + command.commandName
        page.subsection(name)
        page.paragraph(command.abstract ?? "")
        let arguments = (command.arguments ?? []).filter {
            $0.isShown && !shared.contains($0.label) && !["--help", "--version"].contains($0.label)
                && $0.label != "-h, --help"
        }
        page.list(
            arguments.map { argument in
                let initial = argument.defaultValue.map { " (default: \($0))" } ?? ""
                return (argument.label, (argument.abstract ?? "") + initial)
            })
        if let discussion = command.discussion { page.literal(discussion) }
        for inner in command.subcommands ?? []
        where inner.isShown && inner.commandName != "help" {
            describe(inner, prefix: name, shared, into: &page)
        }
    }

    private static func sharedOptions(of commands: [Tool.Command]) -> Set<String> {
        var counts: [String: Int] = [:]
        for command in commands {
            for argument in command.arguments ?? []
            where argument.isShown && argument.kind != "positional" {
                counts[argument.label, default: 0] += 1
            }
        }
        return Set(
            counts.filter { $0.value > commands.count / 2 }.keys
                .filter { !$0.contains("--help") && !$0.contains("--version") })
    }

    private static func settings(into page: inout Roff) {
        page.section("CONFIGURATION")
        page.paragraph(
            "The file config.toml holds settings and keys; workbench --print-default-config "
                + "prints one with every line explained. A mistake in it is reported with its "
                + "line and column, and the default holds.")
        page.list(
            Settings.chapters.map {
                ($0.name, "\($0.help) Values: \($0.values). Default: \($0.initial).")
            })
    }

    private static func keys(into page: inout Roff) {
        page.section("KEYS")
        page.paragraph(
            "Every key can be changed in the [keys] tables of config.toml; workbench keys "
                + "--commands lists the names of the commands.")
        for chapter in KeySheet.chapters {
            page.subsection(chapter.title)
            page.list(chapter.keys.map { ($0.keys, $0.title + ".") })
        }
    }

    private static func places(into page: inout Roff) {
        page.section("ENVIRONMENT")
        page.list([
            ("WORKBENCH_HOME", "A folder with weights, themes and recipes, before all others."),
            ("XDG_CONFIG_HOME", "Where workbench/config.toml and workbench/themes are."),
            ("XDG_DATA_HOME", "Where workbench/weights is."),
            ("XDG_STATE_HOME", "Where workbench keeps its session, its queue and its log."),
            (
                "NO_COLOR",
                "Set and not empty: attributes instead of colours of text. Pictures keep theirs; "
                    + "--images braille shows them in one."
            ),
            ("COLORTERM", "truecolor or 24bit: the terminal shows all colours."),
        ])
        page.section("FILES")
        page.list([
            ("~/.config/workbench/config.toml", "Settings and keys."),
            ("~/.config/workbench/themes/", "Themes of your own; they are read again when saved."),
            ("~/.local/share/workbench/", "Models, themes and recipes of your own."),
            ("~/.local/state/workbench/workbench.log", "The log; three older ones are kept."),
        ])
        page.section("EXIT STATUS")
        page.list([
            ("0", "Done."), ("1", "Failed while running."),
            ("2", "A bad argument, file, checkpoint, schedule, mask or theme."),
            ("130", "Interrupted; what was finished is kept."),
        ])
        page.section("SEE ALSO")
        page.line(".Xr reset 1 ,")
        page.line(".Xr xterm 1")
    }
}

/// What the argument parser says about the program.
private struct Tool: Decodable {
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool?
        var subcommands: [Command]?
        var arguments: [Argument]?

        var isShown: Bool { shouldDisplay ?? true }
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: String
        var shouldDisplay: Bool?
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var defaultValue: String?

        var isShown: Bool { shouldDisplay ?? true }

        /// As a person types it: `--seed <seed>`, `-h, --help`, `<file>`.
        var label: String {
            let value = "<\(valueName ?? "value")>"
            guard kind != "positional" else { return value }
            let names = (names ?? []).map {
                ($0.kind == "long" ? "--" : "-") + $0.name
            }
            return names.joined(separator: ", ") + (kind == "option" ? " \(value)" : "")
        }
    }

    var command: Command
}

/// Lines of a manual page.
private struct Roff {
    private(set) var text = ""

    mutating func line(_ line: String) { text += line + "\n" }
    mutating func section(_ title: String) { line(".Sh \(title)") }
    mutating func subsection(_ title: String) { line(".Ss \(Roff.escaped(title))") }

    mutating func paragraph(_ words: String) {
        for part in words.split(separator: "\n") where !part.isEmpty {
            line(Roff.escaped(String(part)))
        }
    }

    mutating func list(_ entries: [(String, String)]) {
        guard !entries.isEmpty else { return }
        line(".Bl -tag -width Ds")
        for (label, meaning) in entries {
            // Quotes keep the words of a label together and off the macros.
            line(".It \"\(Roff.escaped(label).replacing("\"", with: "\\(dq"))\"")
            paragraph(meaning)
        }
        line(".El")
    }

    mutating func literal(_ words: String) {
        line(".Bd -literal")
        for part in words.split(separator: "\n", omittingEmptySubsequences: false) {
            line(Roff.escaped(String(part)))
        }
        line(".Ed")
    }

    /// Text that means nothing to the formatter.
    static func escaped(_ text: String) -> String {
        let clean = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return clean.hasPrefix(".") || clean.hasPrefix("'") ? "\\&" + clean : clean
    }
}
