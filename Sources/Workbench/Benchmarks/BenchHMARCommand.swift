// `workbench bench hmar`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Measures HMAR, and VAR beside it, at published size with generated weights.
struct BenchHMARCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "hmar", abstract: "HMAR at published size, with generated weights.",
        discussion: """
            Weights are drawn from a seed, nothing is downloaded: speed and memory do not depend on \
            what they are. Ratios are measured in turn. Memory is the peak of resident memory, \
            of the transformer's part and of the decoder's part each.

            Examples:
              workbench bench hmar --size d16
              workbench bench hmar --size d24 --resolution 512 --part pictures --json
              workbench bench hmar --against var --resolution 256 --resolution 1024
              workbench bench hmar --device cuda --size d16 --batch 25

            On a GPU a whole sample is timed, from the request to the pictures on the host; the times \
            of passes are of a further one whose passes are waited for.
            """)

    /// What can be measured.
    enum Part: String, ExpressibleByArgument, CaseIterable {
        case products, convolutions, pictures
    }

    enum Opponent: String, ExpressibleByArgument, CaseIterable { case `var` }
    enum ScheduleName: String, ExpressibleByArgument, CaseIterable { case `default`, benchmark }

    @Option(help: "Published size: d16, d20, d24, d30.")
    var size = PublishedSize.d16

    @Option(help: "Side of the picture in pixels: 256, 512, 1024; --against takes several.")
    var resolution: [Int] = []

    @Option(help: "Pictures of every kind, 1 or more.")
    var runs = 3

    @Option(help: "Pictures made at once; on a GPU.")
    var batch = 1

    @Option(help: "What to measure: products, convolutions, pictures; all by default.")
    var part: [Part] = []

    @Option(help: "Compare with this model instead: var.")
    var against: Opponent?

    @Option(help: "What makes the pictures: hmar, hmar-next-scale, var.")
    var variant = SamplingVariant.hmar

    @Option(help: "Modes of the pictures: exact, fast; both by default.")
    var mode: [ComputeMode] = []

    @Option(help: "The published sampler's schedule or that of its speed comparison.")
    var schedule = ScheduleName.default

    @Option(help: "Seed of the weights.")
    var seed: UInt64 = 1

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1000).contains(runs) else {
            throw ValidationError("--runs is \(runs); give 1 to 1000.")
        }
        guard (1...64).contains(batch) else {
            throw ValidationError("--batch is \(batch); give 1 to 64.")
        }
        for side in resolution where !PublishedSchedule.imageSizes.contains(side) {
            throw ValidationError("--resolution is \(side); give 256, 512 or 1024.")
        }
        if against == nil, resolution.count > 1 {
            throw ValidationError("--resolution is given twice; only --against takes several.")
        }
        if against != nil, !part.isEmpty || !mode.isEmpty || variant != .hmar {
            throw ValidationError(
                "--against compares whole pictures; leave --part, --mode and --variant out.")
        }
        if variant == .var, part.contains(.products) {
            throw ValidationError(
                "--part products measures HMAR's layers; leave --variant var out.")
        }
    }

    func run() throws {
        let interrupt = Interrupt()
        var report = BenchReport(machine: MachineDescription(device: hostDevice), rows: [])
        if against != nil {
            let comparison = HMARComparison(
                size: size, seed: seed, runs: runs, threads: hostDevice.threads,
                cancellation: interrupt.cancellation)
            for side in resolution.isEmpty ? PublishedSchedule.imageSizes : resolution {
                let (rows, figures) = try comparison.run(imageSize: side)
                report.rows += rows
                report.pictures = (report.pictures ?? []) + figures
            }
        } else {
            try measure(&report, cancellation: interrupt.cancellation)
        }
        try report.write(asJSON: json.isOn)
    }

    private func measure(_ report: inout BenchReport, cancellation: Cancellation) throws {
        let side = resolution.first ?? 256
        let (transformer, tokenizer) = try size.configurations(imageSize: side)
        let found =
            schedule == .benchmark
            ? PublishedSchedule.benchmark(imageSize: side)
            : PublishedSchedule.default(imageSize: side)
        guard var plan = found else {
            throw InputError("There is no published schedule for \(side) pixels.")
        }
        if variant != .hmar { plan = .nextScaleOnly(patchNums: transformer.patchNums) }
        let decoder = DecoderWork(tokenizer)
        let bench = Benchmark(runs: max(7, runs), cancellation: cancellation)
        let start = ProcessInfo.processInfo.systemUptime
        let device = currentDevice
        guard device is CPUDevice || against == nil else {
            throw InputError("--against measures on the CPU; add --device cpu.")
        }
        let session = try size.session(imageSize: side, variant: variant, seed: seed)
        report.rows.append(
            BenchRow(
                "weights drawn", seconds: ProcessInfo.processInfo.systemUptime - start))
        guard device is CPUDevice else {
            let pictures = DevicePictureBenchmarks(
                session: session, device: device, schedule: plan,
                work: TransformerWork(transformer), decoderFlop: decoder.flop, batch: batch,
                cancellation: cancellation)
            for mode in mode.isEmpty ? [.exact] : mode {
                report.rows += try pictures.run(variant: variant, mode: mode, runs: runs)
                    .map { row in
                        var row = row
                        row.section = "\(device.name): \(size.rawValue), \(row.section ?? "")"
                        return row
                    }
            }
            return
        }
        let parts = Set(part.isEmpty ? Part.allCases : part)
        // Pictures first: their memory must not hold what the other parts left behind.
        if parts.contains(.pictures) {
            let pictures = PictureBenchmarks(
                session: session, variant: variant, schedule: plan,
                work: TransformerWork(transformer), decoderFlop: decoder.flop)
            let (rows, figures) = try pictures.run(
                modes: mode.isEmpty ? ComputeMode.allCases : mode, runs: runs,
                warmsUp: side == 256, cancellation: cancellation)
            report.rows += rows
            report.pictures = figures
        }
        if parts.contains(.products), let model = session.hmar {
            report.rows += try ProductBenchmarks(model: model, rows: plan.rows).run(bench)
                .under("linear layers, every scale with guidance")
        }
        if parts.contains(.convolutions) {
            report.rows += try ConvolutionBenchmarks(work: decoder).run(bench)
                .under("convolutions of the decoder")
        }
    }
}

extension [BenchRow] {
    /// The rows under a heading.
    func under(_ section: String) -> [BenchRow] {
        map { row in
            var row = row
            row.section = section
            return row
        }
    }
}
