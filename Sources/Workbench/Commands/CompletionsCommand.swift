// `workbench completions`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Prints what a shell needs to complete this program's commands and options.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print the completion script of a shell.",
        discussion: """
            Examples:
              workbench completions bash > ~/.local/share/bash-completion/completions/workbench
              workbench completions zsh > ~/.zsh/completions/_workbench
              workbench completions fish > ~/.config/fish/completions/workbench.fish
            """)

    /// The shells that scripts can be made for.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish

        var completion: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        Output.line(Workbench.completionScript(for: shell.completion))
    }
}
