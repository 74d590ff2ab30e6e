// `workbench bench`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Measures speed as ratios taken in one run, with what the machine is.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure speed: kernels against BLAS, models, memory.",
        discussion: """
            Every figure is the median of several runs after a warm-up, with the fastest and the \
            slowest. Rates of one run may be compared with each other; those of two machines may not.

            Examples:
              workbench bench
              workbench bench kernels --json
              workbench bench hmar --size d16
              workbench bench hmar --against var --resolution 1024
              workbench bench load
              workbench bench symmetry
              workbench bench hmar --device cuda --batch 25
              workbench bench training --device cuda
              workbench bench attention --device cuda
            """,
        subcommands: [
            BenchSuitesCommand.self, BenchHMARCommand.self, BenchLoadCommand.self,
            BenchTrainingCommand.self, BenchAttentionCommand.self, BenchPeerCommand.self,
        ],
        defaultSubcommand: BenchSuitesCommand.self)
}

/// What is measured with what is installed.
struct BenchSuitesCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "suites", abstract: "Kernels, an installed model, the application.")

    @Argument(help: "What to measure: all, kernels, model, application, symmetry.")
    var suite = "all"

    @Option(help: "The model to measure.")
    var model = "hmar-digits"

    @Option(help: "The symmetry model to measure.")
    var symmetryModel = "ssl-sym-mnist-large"

    @Option(help: "Runs of each measurement, 7 or more.")
    var runs = 7

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard ["all", "kernels", "model", "application", "symmetry"].contains(suite) else {
            throw ValidationError(
                "bench \(suite) is not known; give all, kernels, model, application, "
                    + "symmetry, hmar or load.")
        }
        guard (7...1000).contains(runs) else {
            throw ValidationError("--runs is \(runs); give 7 to 1000.")
        }
    }

    func run() throws {
        let device = hostDevice
        let bench = Benchmark(runs: runs, cancellation: Interrupt().cancellation)
        var report = BenchReport(machine: MachineDescription(device: device), rows: [])
        if ["all", "kernels"].contains(suite) {
            report.rows += try KernelBenchmarks(device: device).run(bench)
        }
        if ["all", "model"].contains(suite) {
            report.rows += try ModelBenchmarks(access: ModelAccess(common), name: model).run(bench)
        }
        if ["all", "application"].contains(suite) {
            let folder = common.modelsFolder.map { ["--models", $0] } ?? []
            report.rows += try ApplicationBenchmarks(arguments: folder + ["--model", model])
                .run(bench)
        }
        if ["all", "symmetry"].contains(suite) {
            report.rows += try SymmetryBenchmarks(access: ModelAccess(common), name: symmetryModel)
                .run(bench)
        }
        try report.write(asJSON: json.isOn)
    }
}

/// What was measured, on what.
struct BenchReport: Encodable {
    var machine: MachineDescription
    var rows: [BenchRow]
    /// Whole pictures measured, for programs that compare them.
    var pictures: [PictureFigures]?

    /// Prints the report on standard output.
    func write(asJSON: Bool) throws {
        if asJSON { try Output.json(self) } else { Output.line(text) }
    }

    private var text: String {
        var lines = [machine.text, ""]
        let width = rows.map(\.name.count).max() ?? 0
        var section: String?
        for row in rows {
            if row.section != section {
                section = row.section
                if let section { lines += lines.last == "" ? [section] : ["", section] }
            }
            let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
            lines.append("\(name)  \(row.figures)")
        }
        return lines.joined(separator: "\n")
    }
}
