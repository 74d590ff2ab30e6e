// `workbench man`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// Prints the manual page, written from the tables that the program itself uses.
struct ManCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Print the manual page.",
        discussion: """
            Examples:
              workbench man | man -l -
              workbench man > ~/.local/share/man/man1/workbench.1
            """)

    func run() throws {
        let page = try MainActor.assumeIsolated { try ManualPage() }
        Output.line(page.text)
    }
}
