// `workbench tour`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Views

/// Leads through the application, on the model that it would open with.
struct TourCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour", abstract: "Lead through the terminal application in five minutes.",
        discussion: """
            It opens the application itself and presses its keys: what is seen is made by the model \
            while one looks. Space goes on, Esc leaves the tour and stays in the application. \
            Nothing is kept.

            Examples:
              workbench tour
              workbench tour --pace 4
            """)

    @Option(
        help: ArgumentHelp(
            "Go on without Space after so many seconds, and end; for recordings.",
            valueName: "seconds"))
    var pace: Double?

    @OptionGroup var screen: ScreenOptions

    var common: CommonOptions { screen.common }

    func validate() throws {
        if let pace, !(0.1...120).contains(pace) {
            throw ValidationError("--pace is \(pace); give 0.1 to 120 seconds.")
        }
    }

    func run() throws {
        try MainActor.assumeIsolated {
            var start = try screen.start()
            start.options.stateFolder = nil
            start.options.showsHints = false
            try start.screen { TourApplication($0, pace: pace) }
        }
    }
}
