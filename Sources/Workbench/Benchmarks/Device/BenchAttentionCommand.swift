// `workbench bench attention`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Models

/// Attention over the token maps of a published size of picture, forward and backward.
struct BenchAttentionCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention", abstract: "Attention by intervals, forward and backward.",
        discussion: """
            Queries and keys are normalised inside, as the transformers do. Operations are those of \
            the pairs that are seen.

            Examples:
              workbench bench attention --device cuda --resolution 1024 --batch 4
            """)

    @Option(help: "Side of the picture in pixels: 256, 512, 1024.")
    var resolution = 1024

    @Option(help: "Sequences.")
    var batch = 4

    @Option(help: "Heads.")
    var heads = 24

    @Option(help: "Width of a head: 32, 64.")
    var width = 64

    @Option(help: "Runs of each measurement.")
    var runs = 10

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        guard let sides = PublishedSchedule.patchNums(imageSize: resolution) else {
            throw InputError("--resolution is \(resolution); give 256, 512 or 1024.")
        }
        let (device, interrupt) = (currentDevice, Interrupt())
        let clock = DeviceClock(device: device, cancellation: interrupt.cancellation)
        let counts = sides.map { $0 * $0 }
        let length = counts.reduce(0, +)
        var generator = RandomGenerator(seed: 1)
        let noise = Tensor.normal(
            [batch, length, 3, heads, 1], generator: &generator, device: device)
        let wave = Tensor.normal([width], generator: &generator, device: device)
        let values = (noise + wave).cast(to: device.operandType)
        let scale = Tensor.full([heads], 4, device: device)
        var rows: [BenchRow] = []
        let pairs = counts.reduce(0.0) { $0 + Double($1) * Double($1) }
        var seen = 0
        let causalPairs = counts.reduce(0.0) { sum, count in
            seen += count
            return sum + Double(count) * Double(seen)
        }
        for (name, mask, pairs) in [
            ("block-diagonal", AttentionMask.blockDiagonal(counts), pairs),
            ("block-causal", AttentionMask.blockCausal(counts), causalPairs),
        ] {
            let flop = 4 * Double(width) * pairs * Double(batch * heads)
            let forward = try clock.times(runs: runs) {
                _ = withoutGradients { cosineAttention(values, scale: scale, mask: mask) }
            }
            rows.append(BenchRow("\(name), forward", times: forward, flop: flop))
            let both = try clock.times(runs: runs) {
                let leaf = values.leaf()
                _ = cosineAttention(leaf, scale: scale, mask: mask).sum().backward()[leaf]
            }
            rows.append(
                BenchRow("\(name), forward and backward", times: both, flop: 3.5 * flop))
        }
        let heading =
            "\(device.name): \(batch) sequences of \(length), \(heads) heads of \(width)"
        try BenchReport(
            machine: MachineDescription(device: hostDevice), rows: rows.under(heading)
        ).write(asJSON: json.isOn)
    }
}
