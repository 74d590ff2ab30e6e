// `workbench config`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Views

/// The configuration of the terminal application.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration, or print the default one.",
        subcommands: [Check.self, Default.self, Path.self], defaultSubcommand: Check.self)

    private static func path(_ file: String?) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        guard let path = file ?? Settings.defaultPath(environment: environment) else {
            throw InputError("There is no home folder; name the configuration file.")
        }
        return path
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Report every mistake by line and column.",
            discussion: "Example:\n  workbench config check")

        @Argument(help: "The file; your own config.toml when left out.")
        var file: String?
        @OptionGroup var common: CommonOptions

        func run() throws {
            let path = try ConfigCommand.path(file)
            if file == nil, !FileManager.default.fileExists(atPath: path) {
                return Output.line("\(path): there is none; the defaults hold.")
            }
            let settings = Settings(file: path, isRequired: true)
            var problems = settings.messages
            if let name = settings.options.themeName {
                do {
                    _ = try ThemesCommand.library(common).theme(named: name)
                } catch {
                    problems.append("\(error)")
                }
            }
            guard !problems.isEmpty else { return Output.line("\(path): good") }
            for problem in problems { Output.note("workbench: \(problem)") }
            throw ExitCode(ExitStatus.badInput)
        }
    }

    struct Default: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "default", abstract: "Print every setting and key, commented out.",
            discussion: "Example:\n  workbench config default > ~/.config/workbench/config.toml")

        func run() throws { Output.line(Settings.defaultFile) }
    }

    struct Path: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "path", abstract: "Print where the configuration is read from.",
            discussion: "Example:\n  $EDITOR \"$(workbench config path)\"")

        func run() throws { Output.line(try ConfigCommand.path(nil)) }
    }
}
