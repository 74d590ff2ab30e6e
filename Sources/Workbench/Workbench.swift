// The program's entry: parsing, exit statuses, the list of commands. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// `workbench`: without a command it opens the terminal application.
struct Workbench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workbench",
        abstract: "Look inside generative models and learned symmetries, and steer them by hand.",
        discussion: """
            Without a command it opens the terminal application. With one, it does the same work \
            without a screen: everything that the panes can do has a command, and the same seed \
            gives the same bytes.
            """,
        version: Version.current,
        subcommands: [
            SampleCommand.self, EditCommand.self, EncodeCommand.self, DecodeCommand.self,
            ReplayCommand.self, ModelsCommand.self, InspectCommand.self, ImportCommand.self,
            SymmetryCommand.self, TrainCommand.self, EvaluateCommand.self, PackCommand.self,
            ForwardCommand.self,
            BenchCommand.self, SelfTestCommand.self, DoctorCommand.self, PathsCommand.self,
            ThemesCommand.self, ConfigCommand.self, KeysCommand.self, CompletionsCommand.self,
            ManCommand.self,
            TourCommand.self, RunCommand.self,
        ],
        defaultSubcommand: RunCommand.self)
}

@main
enum Entry {
    /// Runs the command line and ends with the documented status: 0 done, 1 failure, 2 bad input,
    /// 130 interrupted.
    static func main() {
        // A reader that closes the pipe (`| head`) is not an error.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try Workbench.parseAsRoot()
            let computing = command as? any ComputingCommand
            let device = try computing?.computeDevice()
            if computing?.common.quiet == false, let notice = device?.firstUseNotice {
                Output.note(notice)
            }
            try withDevice(device ?? CPUDevice.shared) {
                try command.run()
                try currentDevice.throwPendingError()
            }
        } catch {
            exit(ExitStatus.report(error))
        }
    }
}
