// `workbench bench training`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Models

/// Training steps of the next-scale network at published size, on drawn tokens.
struct BenchTrainingCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Training steps at published size, on drawn tokens.",
        discussion: """
            A step is the forward and backward pass, clipping, AdamW and the averaged weights.

            Examples:
              workbench bench training --size d16 --batch 32 --device cuda
            """)

    @Option(help: "Published size: d16, d20, d24, d30.")
    var size = PublishedSize.d16

    @Option(help: "Side of the picture in pixels: 256, 512, 1024.")
    var resolution = 256

    @Option(help: "Pictures of a step.")
    var batch = 32

    @Option(help: "Steps timed.")
    var runs = 10

    @Flag(help: "Attention to all coarser maps, as VAR trains.")
    var causal = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1024).contains(batch), (1...1000).contains(runs) else {
            throw ValidationError("--batch must be 1 to 1024 and --runs 1 to 1000.")
        }
    }

    func run() throws {
        let (device, interrupt) = (currentDevice, Interrupt())
        let clock = DeviceClock(device: device, cancellation: interrupt.cancellation)
        let (model, sizes) = try size.configurations(imageSize: resolution)
        // Only the codebook of the tokenizer is used; the rest is as small as it can be.
        var tokenizer = sizes
        (tokenizer.channels, tokenizer.residualBlocks) = (32, 1)
        let training = try NextScaleTraining(
            NextScaleTrainingConfiguration(
                model: model, attention: causal ? .blockCausal : .blockDiagonal,
                weighting: .lognorm,
                optimizer: OptimizerConfiguration(steps: 1 << 20), batch: batch,
                measureInterval: 1 << 20),
            tokenizer: try VQVAE(configuration: tokenizer, store: ParameterStore(seed: 1)),
            tokens: TokenCache(
                drawing: batch * 2, length: model.tokenCount, vocabulary: model.vocabulary,
                classCount: model.classCount, seed: 1))
        device.resetMemoryPeak()
        let times = try clock.times(runs: runs, warmUps: 3) { _ = try training.advance() }
        let flop = TransformerWork(model).trainingStep(batch: batch, isCausal: causal)
        var row = BenchRow("step of \(batch) pictures", times: times, flop: flop)
        let rate = try clock.productRate()
        row.ratio = flop / Benchmark.median(times) / rate
        row.reference = "the rate of a product of 8192³"
        var rows = [
            row,
            BenchRow("pictures", value: Double(batch) / Benchmark.median(times), unit: "/s"),
            BenchRow("product of 8192³", value: rate / 1e12, unit: "TFLOP/s"),
        ]
        if let memory = device.memoryInUse {
            rows.append(
                BenchRow("peak device memory", value: Double(memory.peak) / 1e9, unit: "GB"))
        }
        let heading =
            "\(device.name): \(size.rawValue), \(resolution) pixels, "
            + (causal ? "block-causal" : "block-diagonal")
        try BenchReport(
            machine: MachineDescription(device: hostDevice), rows: rows.under(heading)
        ).write(asJSON: json.isOn)
    }
}
