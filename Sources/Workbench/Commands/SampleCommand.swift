// `workbench sample`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Generates pictures.
struct SampleCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Generate pictures scale by scale.",
        discussion: """
            Pictures are PNG files that carry their recipe: `workbench replay FILE` makes the same \
            picture again.

            Examples:
              workbench sample --class 7 --count 4 --seed 1 --out samples
              workbench sample --class 3 --schedule cosine:2 --grid threes.png --count 16
            """)

    @OptionGroup var sampling: SamplingOptions

    @Option(help: "How many pictures.")
    var count = 1

    @Option(help: ArgumentHelp("Write one PNG a picture into this folder.", valueName: "dir"))
    var out: String?

    @Option(help: ArgumentHelp("Write all pictures on one PNG sheet.", valueName: "file"))
    var grid: String?

    @Option(
        help: ArgumentHelp(
            "Write the picture after every pass and the tokens of every scale here.",
            valueName: "dir"))
    var trace: String?

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let model = try ModelAccess(common).imageModel(
            sampling.model, cancellation: interrupt.cancellation)
        let request = try sampling.request(for: model, count: count)
        let output = try PictureOutput(model: model, folder: out ?? (grid == nil ? "." : nil))
        let tracer = try trace.map(PassTrace.init)
        let progress = PassProgress(common)
        let result = try model.sample(
            request,
            control: SamplingControl(
                cancellation: interrupt.cancellation, previewWanted: { tracer != nil },
                observer: { report in
                    progress.show(report)
                    tracer?.record(report)
                }))
        progress.clear()
        try tracer?.finish()
        let files = try output.write(result, request: request)
        if let grid {
            let columns = Int(Double(result.images.count).squareRoot().rounded(.up))
            try PNG.write(
                ImageGrid(columns: columns).sheet(result.images, scale: 2), to: grid)
        }
        let summary = SampleSummary(
            model: model.card.name, request: request, result: result,
            files: files + (grid.map { [$0] } ?? []))
        if json.isOn {
            try Output.json(summary)
        } else if !common.quiet {
            Output.line(summary.text)
        }
    }
}

/// What a sample or edit reports.
struct SampleSummary: Encodable {
    var model: String
    var seed: UInt64
    var request: SamplingRequest
    var schedule: [[Int]]
    var passes: Int
    var secondsPerScale: [Double]
    var decodeSeconds: Double
    var cacheBytes: Int
    var files: [String]

    init(model: String, request: SamplingRequest, result: SamplingResult, files: [String]) {
        self.model = model
        self.request = request
        seed = request.seed
        schedule = result.schedule.rows
        passes = result.passCount
        secondsPerScale = result.secondsPerScale
        decodeSeconds = result.decodeSeconds
        cacheBytes = result.cacheBytes
        self.files = files
    }

    var text: String {
        let total = secondsPerScale.reduce(0, +) + decodeSeconds
        return """
            \(model): \(passes) passes in \(String(format: "%.0f", total * 1e3)) ms, seed \(seed)
            \(files.joined(separator: "\n"))
            """
    }
}
