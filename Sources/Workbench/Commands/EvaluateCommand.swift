// `workbench evaluate`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

extension HMAREvaluation.Part: ExpressibleByArgument {}

/// Measures the figures of a model card anew.
struct EvaluateCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure the figures of an image model.",
        discussion: """
            tokenizer: PSNR, SSIM, rFD-cls, code use. likelihood: bits per token and accuracy per \
            scale, masked accuracy. samples: class agreement, FD-cls, precision and recall, nearest \
            training pictures, for every way of sampling. editing: what is kept, class edits, seams.

            Symmetry models: network (reconstruction, equivariance, neighbours), levels (levels, \
            centres, corrected poses), outside (poses beyond the data), downstream (clustering, \
            classification), checks (a turn, another law for one class, shuffled labels); --samples \
            is then the number of inputs.

            FD-cls is the Fréchet distance in the features of the model's own classifier; it cannot \
            be compared with FID.

            Examples:
              workbench evaluate hmar-digits --data ~/mnist
              workbench evaluate hmar-digits --data ~/mnist --only samples --grid digits.png
              workbench evaluate hmar-digits --data ~/mnist --update-card
            """)

    @Argument(help: "The model's name, as `workbench models` lists it.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "The folder with the data set: MNIST's files, or class folders in train and test.",
            valueName: "dir"))
    var data: String?

    @Option(
        help: "Samples of every variant, an equal number per class; 5000 when left out.")
    var samples: Int?

    @Option(
        help: ArgumentHelp(
            "The classifier to judge by; the card's own when left out.", valueName: "file"))
    var classifier: String?

    @Option(
        parsing: .upToNextOption,
        help: "Measure only these: tokenizer, likelihood, samples, editing; commas or spaces.")
    var only: [String] = []

    @Option(
        parsing: .upToNextOption,
        help:
            "Sample only in these ways: hmar, hmar-next-scale, var; commas or spaces; all if left out."
    )
    var variants: [String] = []

    @Option(help: "The seed of samples, masks and edits.")
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Write ten samples of every class here.", valueName: "file"))
    var grid: String?

    @Option(
        help: ArgumentHelp(
            "Symmetry: compare with another seed of the same training.", valueName: "model"))
    var against: String?

    @Option(
        help: "Symmetry: training pictures in which neighbours are looked for; 12000 if left out.")
    var bank: Int?

    @Flag(help: "Store the figures in the model's card.")
    var updateCard = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        var model: String
        var seed: UInt64
        var seconds: Double
        var metrics: [ModelCard.Metric]
        var grid: String?
    }

    func run() throws {
        let access = try ModelAccess(common)
        let card = try access.catalog.entry(named: model)
        if card.card.system == "symmetry" {
            return try SymmetryFigures(
                entry: card, access: access, data: data, samples: samples, bank: bank,
                classifier: try classifier.map(Self.network), classifierPath: classifier,
                only: only, seed: seed, against: against, updateCard: updateCard, isJSON: json.isOn,
                common: common
            ).run()
        }
        let samples = samples ?? 5000
        let parts = try Self.chosen(HMAREvaluation.Part.self, by: only, option: "--only")
        let variants = try Self.chosen(SamplingVariant.self, by: variants, option: "--variants")
        if grid != nil && !parts.contains(.samples) {
            throw InputError("--grid shows samples; add samples to --only.")
        }
        let interrupt = Interrupt()
        let started = ProcessInfo.processInfo.systemUptime
        let entry = card
        let loaded = try access.registry.load(entry, cancellation: interrupt.cancellation)
        guard let session = loaded as? HMARSession else {
            throw InputError("\(model) is no image model with figures that can be measured.")
        }
        let data = try EvaluationData(folder: data, imageSize: session.geometry.imageSize)
        let line = ProgressHolder(common)
        let evaluation = try HMAREvaluation(
            model: session, classifier: try judge(entry), training: data.training,
            test: data.test, sampleCount: samples, seed: seed,
            variants: self.variants.isEmpty ? nil : variants,
            cancellation: interrupt.cancellation
        ) { task, done, total in line.show("\(task)  \(done)/\(total)") }
        var outcome = HMAREvaluation.Outcome()
        for part in HMAREvaluation.Part.allCases where parts.contains(part) {
            var found = try evaluation.run([part])
            for i in found.metrics.indices { found.metrics[i].command = command(part) }
            outcome.metrics += found.metrics
            if !found.grid.isEmpty { outcome.grid = found.grid }
            line.clear()
            // What is finished is shown at once: a long evaluation may be interrupted.
            if !json.isOn { found.metrics.map(Self.row).forEach(Output.line) }
        }
        if let grid {
            try PNG.write(ImageGrid(columns: 10).sheet(outcome.grid, scale: 2), to: grid)
        }
        if updateCard { try Self.store(outcome.metrics, in: entry, quiet: common.quiet) }
        if json.isOn {
            try Output.json(
                Report(
                    model: model, seed: seed,
                    seconds: ProcessInfo.processInfo.systemUptime - started,
                    metrics: outcome.metrics, grid: grid))
        }
    }

    /// The cases that an option names, with commas or spaces, in their own order; all where it names none.
    private static func chosen<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ type: Choice.Type, by values: [String], option: String
    ) throws -> [Choice] where Choice.RawValue == String {
        let names = values.flatMap { $0.split(separator: ",").map(String.init) }
        let known = Choice.allCases.map(\.rawValue)
        for name in names where !known.contains(name) {
            let hint = nearestName(to: name, among: known).map { "; did you mean \($0)?" } ?? "."
            throw InputError(
                "\(option) \(name) is not known (\(known.joined(separator: ", ")))\(hint)")
        }
        return Choice.allCases.filter { names.isEmpty || names.contains($0.rawValue) }
    }

    private func judge(_ entry: ModelEntry) throws -> ImageClassifier {
        guard let path = classifier ?? entry.path(role: "classifier") else {
            throw InputError(
                "\(model): its card names no classifier; train one "
                    + "(recipes/hmar-digits/5-classifier.toml) and give its weights with "
                    + "--classifier.")
        }
        return try Self.network(path)
    }

    private static func network(_ path: String) throws -> ImageClassifier {
        try ImageClassifier(archive: TensorArchive.open(path: path))
    }

    /// The command that measures a part again.
    private func command(_ part: HMAREvaluation.Part) -> String {
        let drawn = part == .samples || part == .editing ? " --samples \(samples ?? 5000)" : ""
        return "workbench evaluate \(model) --only \(part.rawValue)\(drawn) --seed \(seed)"
    }

    /// Replaces the figures of these names, keeps the others, and writes the card atomically.
    static func store(
        _ metrics: [ModelCard.Metric], in entry: ModelEntry, quiet: Bool
    ) throws {
        let path = "\(entry.folder)/\(entry.card.name).json"
        // The card may have been changed while this ran.
        var card = try ModelCatalog.read(path).card
        guard card.files == entry.card.files else {
            throw InputError(
                "\(path): the model was replaced while it was measured; measure again.")
        }
        let names = Set(metrics.map(\.name))
        card.metrics = card.metrics.filter { !names.contains($0.name) } + metrics
        try ModelCatalog.write(card, to: path)
        if !quiet { Output.note("\(metrics.count) figures stored in \(path).") }
    }

    static func row(_ metric: ModelCard.Metric) -> String {
        let name = metric.name.padding(
            toLength: max(44, metric.name.count), withPad: " ", startingAt: 0)
        let value = String(format: abs(metric.value) >= 100 ? "%9.1f" : "%9.3f", metric.value)
        let unit = (metric.unit ?? "").padding(toLength: 7, withPad: " ", startingAt: 0)
        return "\(name) \(value) \(unit) \(metric.note ?? "")".trimmingCharacters(in: .whitespaces)
    }
}

/// A progress line that closures can share.
private final class ProgressHolder {
    private var line: ProgressLine

    init(_ common: CommonOptions) {
        line = ProgressLine(common.progress, quiet: common.quiet)
    }

    func show(_ text: String) { line.show(text) }
    func clear() { line.clear() }
}
