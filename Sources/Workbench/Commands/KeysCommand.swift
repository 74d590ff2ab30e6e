// `workbench keys`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Views

/// The keys of the terminal application.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Print every key of the terminal application (Markdown).",
        discussion: """
            Examples:
              workbench keys
              workbench keys --short
              workbench keys --commands
            """)

    @Flag(help: "List every command by the name that the configuration and --plain use.")
    var commands = false

    @Flag(help: "Print only the keys that matter most.")
    var short = false

    @Option(
        help: ArgumentHelp("Read the keys of this configuration.", valueName: "file"))
    var config: String?

    func run() throws {
        if commands {
            return Output.line(MainActor.assumeIsolated { KeySheet.commandList() })
        }
        if short { return Output.line(MainActor.assumeIsolated { KeySheet.short() }) }
        if let config {
            let settings = Settings(file: config, isRequired: true)
            if let problem = settings.messages.first { throw InputError(problem) }
            return Output.line(MainActor.assumeIsolated { KeySheet.markdown(settings) })
        }
        Output.line(MainActor.assumeIsolated { KeySheet.markdown() })
    }
}
