// `workbench doctor`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// What this machine and terminal can do, and what to do about what is missing.
struct DoctorCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this machine and terminal can do.",
        discussion: "Example:\n  workbench doctor")

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct TerminalReport: Encodable {
        var term: String
        var name: String?
        var answered: Bool
        var sixel: Bool
        var colourRegisters: Int
        var colours: Int
        var cell: String
        var size: String
        var pixelMouse: Bool
        var synchronizedOutput: Bool
        var advice: [String]
    }

    private struct Report: Encodable {
        var machine: MachineDescription
        var cuda: CUDAReport
        var models: [String]
        var problems: [String]
        var terminal: TerminalReport?
    }

    func run() throws {
        let access = try ModelAccess(common)
        let report = Report(
            machine: MachineDescription(device: currentDevice), cuda: CUDAReport(),
            models: access.catalog.entries.map(\.card.name),
            problems: access.catalog.problems.map { "\($0)" }, terminal: Self.terminal())
        if json.isOn { return try Output.json(report) }
        Output.line(report.machine.text)
        for line in report.cuda.lines { Output.line(line) }
        let models = report.models.isEmpty ? "none" : report.models.joined(separator: ", ")
        Output.line("models    \(models)")
        for problem in report.problems { Output.line("          \(problem)") }
        guard let terminal = report.terminal else {
            return Output.line("terminal  none: run this in a terminal to have it examined")
        }
        Output.line(
            "terminal  \(terminal.name ?? terminal.term) (TERM=\(terminal.term)), \(terminal.size)")
        Output.line(
            "  pictures  \(terminal.sixel ? "sixel, \(terminal.colourRegisters) colours" : "half-blocks: no sixel")"
        )
        Output.line("  colours   \(terminal.colours)")
        Output.line("  cell      \(terminal.cell) pixels")
        Output.line("  mouse     \(terminal.pixelMouse ? "pixels" : "cells")")
        for advice in terminal.advice { Output.line("  → \(advice)") }
    }

    private static func terminal() -> TerminalReport? {
        let environment = TerminalEnvironment(variables: ProcessInfo.processInfo.environment)
        guard let found = TerminalProbe.capabilities(environment: environment) else { return nil }
        let capabilities = found.capabilities
        var advice: [String] = []
        if !found.answered {
            advice.append("The terminal did not answer; it is taken as a plain one.")
        }
        if !capabilities.hasSixel {
            if environment.isInsideTmux {
                advice.append("tmux before 3.4 hides sixel: start the workbench outside tmux.")
            } else if capabilities.name?.hasPrefix("XTerm") == true {
                advice.append("Start xterm with `xterm -ti vt340` to see pictures.")
            } else {
                advice.append(
                    "Use a terminal with sixel (xterm -ti vt340, mlterm, foot) for pictures.")
            }
        }
        return TerminalReport(
            term: environment.term, name: capabilities.name, answered: found.answered,
            sixel: capabilities.hasSixel, colourRegisters: capabilities.registers,
            colours: capabilities.colors.rawValue,
            cell: "\(capabilities.cellSize.width)×\(capabilities.cellSize.height)",
            size: "\(found.size.cells.columns)×\(found.size.cells.rows)",
            pixelMouse: capabilities.hasPixelMouse,
            synchronizedOutput: capabilities.hasSynchronizedOutput, advice: advice)
    }
}
