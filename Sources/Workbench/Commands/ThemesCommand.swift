// `workbench themes`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Views

/// The themes of the terminal application.
struct ThemesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "themes", abstract: "List themes, or check one.",
        discussion: """
            Examples:
              workbench themes
              workbench themes check my-theme
            """,
        subcommands: [List.self, Check.self], defaultSubcommand: List.self)

    private static func library(_ common: CommonOptions) throws -> ThemeLibrary {
        let locator = try AssetLocator(
            .process(
                modelsDirectory: common.modelsFolder, dataDirectory: common.dataFolder))
        return ThemeLibrary(folders: locator.places(for: .themes).map(\.path))
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List themes.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            for name in try ThemesCommand.library(common).names() { Output.line(name) }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Read a theme and report what is wrong or illegible.")
        @Argument(help: "The theme's name; all when left out.")
        var name: String?
        @OptionGroup var common: CommonOptions

        func run() throws {
            let library = try ThemesCommand.library(common)
            for name in name.map({ [$0] }) ?? library.names() {
                let theme = try library.theme(named: name)
                let warnings =
                    theme.warnings.map(\.description)
                    + theme.contrastProblems().map(\.description)
                Output.line(warnings.isEmpty ? "\(name): good" : "\(name):")
                for warning in warnings { Output.line("  \(warning)") }
            }
        }
    }
}
