// From errors to one message and an exit status. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models
import Views

/// The program's exit statuses.
enum ExitStatus {
    static let done: Int32 = 0
    static let failure: Int32 = 1
    /// A bad argument, file, checkpoint, schedule, mask or theme.
    static let badInput: Int32 = 2
    static let interrupted: Int32 = 130

    /// Prints what a person needs to know about an error and returns the status to end with.
    static func report(_ error: any Error) -> Int32 {
        if error is CancellationError {
            Output.note("Interrupted; what was finished is kept.")
            return interrupted
        }
        if let exit = error as? ExitCode { return exit.rawValue }
        if isParsing(error) {
            let text = Workbench.fullMessage(for: error)
            if Workbench.exitCode(for: error) == .success {
                Output.line(text)
                return done
            }
            Output.note(unknownCommand ?? text)
            return badInput
        }
        Output.note("workbench: \(error)")
        return isInput(error) ? badInput : failure
    }

    /// A sentence for a command that does not exist; nil if the first argument is none.
    ///
    /// Without it the argument would be taken for one of the application's own.
    private static var unknownCommand: String? {
        var names: [String] = []
        for command in Workbench.configuration.subcommands {
            if let name = command.configuration.commandName { names.append(name) }
        }
        guard let typed = CommandLine.arguments.dropFirst().first, !typed.hasPrefix("-"),
            !names.contains(typed), typed != "help"
        else { return nil }
        let hint = nearestName(to: typed, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
        return "workbench: There is no command \"\(typed)\"\(hint) `workbench --help` lists them."
    }

    private static func isParsing(_ error: any Error) -> Bool {
        error is ValidationError || error is CleanExit
            || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    /// Whether a person's input caused the error.
    private static func isInput(_ error: any Error) -> Bool {
        error is ScheduleError || error is CheckpointError || error is FileFormatError
            || error is DatasetError || error is CatalogError || error is AssetError
            || error is InputError || error is TOMLError || error is TrainingError
            || error is ThemeError || error is ConfigurationError || error is SamplingError
            || error is ForwardError || error is SymmetryError
            || (error as? CUDAError)?.isInput == true
    }
}

/// Input that a command cannot use: what, and what to do.
struct InputError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
