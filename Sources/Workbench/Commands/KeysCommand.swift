// `workbench keys`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Views

/// The keys of the terminal application.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Print every key of the terminal application (Markdown).",
        discussion: "Example:\n  workbench keys")

    func run() throws {
        Output.line(MainActor.assumeIsolated { KeySheet.markdown() })
    }
}
