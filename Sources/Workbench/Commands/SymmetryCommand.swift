// `workbench symmetry`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Learned symmetry distributions.
struct SymmetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "symmetry",
        abstract: "Find how inputs are rotated in data, and put them upright.",
        discussion: """
            A class-pose network tells what an input shows and how it is turned; the poses of its \
            neighbours are its symmetry distribution. Labels and true angles are read for figures \
            alone. Angles are in degrees, counter-clockwise on the screen.

            Examples:
              workbench symmetry show MODEL --data ~/mnist --class 3 --plot threes.png
              workbench symmetry show MODEL --folder ~/pictures --input 17 --json
              workbench symmetry fit MODEL --data ~/mnist --csv levels.csv
              workbench symmetry fit MODEL --data ~/mnist --look second
              workbench symmetry standardize MODEL --folder ~/pictures --out upright
              workbench symmetry show recon-molecules --folder ~/conformers --class ethanol
              workbench symmetry check --weights p4cnn.pth --data ~/mnist
            """,
        subcommands: [
            SymmetryShowCommand.self, SymmetryFitCommand.self, SymmetryStandardizeCommand.self,
            SymmetrySetsCommand.self, SymmetryCheckCommand.self,
        ], defaultSubcommand: SymmetryShowCommand.self)
}

/// The distribution of one input, a class or everything.
struct SymmetryShowCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The distribution of an input, a class, or the whole set.")

    @OptionGroup var source: SymmetrySourceOptions
    @OptionGroup var choices: SymmetrySettingsOptions

    @Option(help: "One input by number: its neighbours' distribution.")
    var input: Int?

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("All inputs of a class, by name or number.", valueName: "class"))
    var className: String?

    @Option(help: "Bins of the histogram.")
    var bins = 73

    @Flag(help: "Show the poses as they are, about no centre.")
    var raw = false

    @Option(help: ArgumentHelp("Write the histogram as PNG.", valueName: "file"))
    var plot: String?

    @Option(help: ArgumentHelp("Write the circular form as PNG.", valueName: "file"))
    var rose: String?

    @Option(help: ArgumentHelp("Write the bins as CSV.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "Write the input's forms (canonical, natural canonical, reconstruction, standardised) "
                + "here.", valueName: "dir"))
    var pictures: String?

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard (2...720).contains(bins) else {
            throw InputError("--bins is \(bins); give 2 to 720.")
        }
        if pictures != nil && input == nil {
            throw InputError("--pictures shows one input; name it with --input.")
        }
        let interrupt = Interrupt()
        let model = try source.load(common, interrupt)
        let session = try source.open(model, common, interrupt)
        let settings = try choices.settings(session)
        let scope = try scope(session)
        let found = try session.distribution(
            scope, settings: settings, cancellation: interrupt.cancellation)
        let chart = SymmetryChart(found, corrected: !raw, bins: bins)
        let title = "\(SymmetryReport.name(scope)): \(session.title)"
        let notes = Self.notes(found)
        if let plot {
            try PNG.write(SymmetryPlot.bars(chart, title: title, notes: notes), to: plot)
        }
        if let rose { try PNG.write(SymmetryPlot.rose(chart, title: title), to: rose) }
        if let csv { try AtomicWrite.write(SymmetryReport.csv(chart), to: csv) }
        if let pictures, let input { try write(session, input, settings, to: pictures) }
        choices.explain(session, common)
        if json.isOn {
            Output.line(
                SymmetryReport(title: session.title, settings: settings)
                    .json(found, chart: chart).text)
            return
        }
        Output.line(title)
        notes.forEach(Output.line)
        if let input {
            let row = try session.row(of: input, settings: settings)
            Output.line(
                "pose \(degrees(row.pose.degrees)), corrected \(degrees(row.corrected.degrees)), "
                    + (row.isOutside ? "outside" : "inside") + " by "
                    + degrees(abs(row.outsideScore)))
        }
        Output.line("")
        histogram(chart).forEach(Output.line)
    }

    private func scope(_ session: any SymmetrySession) throws -> SymmetryScope {
        if let input {
            if className != nil { throw InputError("give --input or --class, not both.") }
            return .neighbours(input)
        }
        guard let className else { return .all }
        if let label = session.labelNames.firstIndex(of: className) { return .label(label) }
        if let number = Int(className), session.labelNames.indices.contains(number) {
            return .label(number)
        }
        let hint =
            nearestName(to: className, among: session.labelNames)
            .map { "; did you mean \($0)?" } ?? "."
        throw InputError(
            "--class \(className) is not one of the \(session.labelNames.count) classes\(hint)")
    }

    static func notes(_ found: SymmetryDistribution) -> [String] {
        let fit = found.fit
        var lines = ["\(found.inputs.count) poses, law \(fit.law.familyTitle)"]
        lines[0] += ", level \(degrees(fit.level))"
        if let floor = fit.noiseFloor { lines[0] += " (noise floor \(degrees(floor)))" }
        var second =
            "centre \(fit.center.map { degrees($0.degrees) } ?? "none"), concentration "
            + String(format: "%.2f", fit.concentration) + ", spread \(degrees(fit.spread))"
        if fit.isFullRotation { second += ", full rotation" }
        lines.append(second)
        var known: [String] = []
        if let truth = found.truth {
            known.append(
                "true law \(truth.familyTitle)"
                    + (truth.level.map { " of \(degrees($0))" } ?? ""))
        }
        if let purity = found.purity {
            known.append(String(format: "%.0f %% of the neighbours share its label", 100 * purity))
        }
        if !known.isEmpty { lines.append(known.joined(separator: "; ")) }
        return lines
    }

    private func histogram(_ chart: SymmetryChart) -> [String] {
        let peak = max(1e-9, chart.peak)
        return chart.histogram.counts.indices.map { bin in
            let share = chart.histogram.share(of: bin)
            let bar = String(repeating: "█", count: Int((40 * share / peak).rounded()))
            let middle = chart.histogram.bounds(of: bin)
            let angle = String(format: "%7.1f°", (middle.lowerBound + middle.upperBound) / 2)
            return "\(angle) \(String(format: "%5.1f", 100 * share)) % \(bar)"
        }
    }

    private func write(
        _ session: any SymmetrySession, _ input: Int, _ settings: SymmetrySettings,
        to folder: String
    ) throws {
        let forms: [(String, SymmetryForm)] = [
            ("input", .input), ("canonical", .canonical),
            ("natural-canonical", .naturalCanonical), ("reconstruction", .reconstruction),
            ("standardized", .standardized),
        ]
        let writer = try ShapeWriter(folder: folder)
        for (name, form) in forms {
            try writer.write(
                try session.shape(of: input, as: form, settings: settings),
                name: "\(input)-\(name)")
        }
    }
}

/// Levels, centres and corrected poses of every input.
struct SymmetryFitCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Level, centre and corrected pose of every input.")

    @OptionGroup var source: SymmetrySourceOptions
    @OptionGroup var choices: SymmetrySettingsOptions

    @Option(help: ArgumentHelp("Write the rows as CSV.", valueName: "file"))
    var csv: String?

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let model = try source.load(common, interrupt)
        let session = try source.open(model, common, interrupt)
        let settings = try choices.settings(session)
        let line = SharedProgress(common)
        let table = try session.table(settings: settings, cancellation: interrupt.cancellation) {
            line.show("fitting  \($0)/\($1)")
        }
        line.clear()
        choices.explain(session, common)
        func label(_ input: Int) -> String? {
            session.label(of: input).flatMap {
                session.labelNames.indices.contains($0) ? session.labelNames[$0] : nil
            }
        }
        if let csv {
            try AtomicWrite.write(
                SymmetryReport.csv(
                    table.rows, group: session.group, name: session.name(of:), label: label),
                to: csv)
        }
        if json.isOn {
            Output.line(
                SymmetryReport(title: session.title, settings: settings)
                    .json(table, name: session.name(of:), label: label).text)
            return
        }
        Output.line(session.title)
        for figure in table.figures {
            let name = figure.name.padding(toLength: 28, withPad: " ", startingAt: 0)
            Output.line("\(name) \(String(format: "%8.2f", figure.value)) \(figure.unit)")
        }
        guard !session.labelNames.isEmpty else { return }
        Output.line("\nclass                 inputs   level    true")
        for (number, name) in session.labelNames.enumerated() {
            let rows = table.rows.filter { session.label(of: $0.input) == number }
            guard !rows.isEmpty else { continue }
            let level = rows.reduce(0) { $0 + $1.level } / Double(rows.count)
            let truth = try session.distribution(
                .input(rows[0].input), settings: settings, cancellation: interrupt.cancellation
            ).truth?.level
            Output.line(
                name.padding(toLength: 20, withPad: " ", startingAt: 0)
                    + String(format: " %7d %7.1f", rows.count, level)
                    + (truth.map { String(format: " %7.1f", $0) } ?? ""))
        }
    }
}

/// Every input turned back by its corrected pose.
struct SymmetryStandardizeCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "standardize",
        abstract: "Write every input turned back to its natural pose.")

    @OptionGroup var source: SymmetrySourceOptions
    @OptionGroup var choices: SymmetrySettingsOptions

    @Option(
        help: ArgumentHelp("The folder to write into; classes become subfolders.", valueName: "dir")
    )
    var out: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let model = try source.load(common, interrupt)
        let session = try source.open(model, common, interrupt)
        let settings = try choices.settings(session)
        let line = SharedProgress(common)
        for input in 0..<session.count {
            try interrupt.cancellation.check()
            line.show("standardising  \(input)/\(session.count)")
            let shape = try session.shape(of: input, as: .standardized, settings: settings)
            let label = session.label(of: input).flatMap { label in
                session.labelNames.indices.contains(label) ? session.labelNames[label] : nil
            }
            let writer = try ShapeWriter(
                folder: label.map { "\(out)/\(ShapeWriter.plain($0))" } ?? out)
            try writer.write(shape, name: String(format: "%06d", input))
        }
        line.clear()
        choices.explain(session, common)
        if !common.quiet { Output.line("\(session.count) inputs written to \(out)") }
    }
}

/// The constructions of a model.
struct SymmetrySetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sets", abstract: "List the constructions that a model can be looked at on.")

    @Argument(help: "The model's name.")
    var model: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let loaded = try ModelAccess(common).load(model, cancellation: interrupt.cancellation)
        guard let found = loaded as? any SymmetryDiscovering else {
            throw InputError("\(model) finds no symmetries.")
        }
        for construction in found.constructions {
            let name = construction.name.padding(toLength: 28, withPad: " ", startingAt: 0)
            Output.line("\(name) \(construction.title)")
        }
    }
}

/// 12.34 → "12.3°".
func degrees(_ value: Double) -> String { String(format: "%.1f°", value) }
