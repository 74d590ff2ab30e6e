// `workbench` without a command: the terminal application. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// Opens the terminal application.
struct RunCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Open the terminal application (the default).",
        discussion: """
            Examples:
              workbench
              workbench --theme default-light
              workbench --images half --no-mouse
              workbench --plain
              workbench --print-default-config > ~/.config/workbench/config.toml
            """)

    @Flag(help: "A dialogue line by line, for screen readers and simple terminals.")
    var plain = false

    @Flag(
        name: .customLong("print-default-config"),
        help: "Print a configuration with every setting and key, commented out.")
    var printDefaultConfig = false

    @Option(
        name: .customLong("debug-crash"), help: .hidden)
    var debugCrash: String?

    @OptionGroup var screen: ScreenOptions

    var common: CommonOptions { screen.common }

    func validate() throws {
        if let debugCrash, DebugCrash(rawValue: debugCrash) == nil {
            let kinds = DebugCrash.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--debug-crash is \(debugCrash); the kinds are \(kinds).")
        }
    }

    func run() throws {
        if printDefaultConfig { return Output.line(Settings.defaultFile) }
        // The program's main thread runs commands; nothing else ever holds the main actor.
        try MainActor.assumeIsolated {
            let start = try screen.start()
            if plain || start.settings.isPlain { return start.plain() }
            let kind = debugCrash.flatMap(DebugCrash.init)
            try start.screen { application in
                guard let kind else { return application }
                return CrashingApplication(application, kind: kind)
            }
        }
    }
}
