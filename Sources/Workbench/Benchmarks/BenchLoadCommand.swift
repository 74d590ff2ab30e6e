// `workbench bench load`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Measures how fast a checkpoint of published size is ready, and what a second process costs.
struct BenchLoadCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Loading checkpoints: time, and memory of two processes.",
        discussion: """
            Without files, an HMAR and a tokenizer of published size are written to a temporary \
            folder as PyTorch would write them (2.3 GB for d16) and removed afterwards. Every load \
            is a process of its own; files are in the system's cache, as after a first use. Shared \
            memory is the kernel's account of two processes that have read every weight.

            Examples:
              workbench bench load
              workbench bench load --size d24 --json
              workbench bench load vae_ch160v4096z32.pth hmar-d16.pth
            """)

    @Argument(help: "Checkpoints of a tokenizer and a transformer; generated when left out.")
    var files: [String] = []

    @Option(help: "Published size of generated files: d16, d20, d24, d30.")
    var size = PublishedSize.d16

    @Option(help: "Loads that are timed, 1 or more.")
    var runs = 7

    @Flag(help: ArgumentHelp("Load, say how long it took, and wait.", visibility: .hidden))
    var hold = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1000).contains(runs) else {
            throw ValidationError("--runs is \(runs); give 1 to 1000.")
        }
        guard files.isEmpty || files.count == 2 else {
            throw ValidationError(
                "\(files.count) files are given; give a tokenizer and a transformer, or none.")
        }
    }

    func run() throws {
        if hold { return try LoadedCheckpoint(files: files).hold() }
        let interrupt = Interrupt()
        var paths = files
        var folder: String?
        defer { if let folder { try? FileManager.default.removeItem(atPath: folder) } }
        var rows: [BenchRow] = []
        if paths.isEmpty {
            let place = FileManager.default.temporaryDirectory
                .appendingPathComponent("workbench-bench-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true)
            folder = place
            paths = try write(to: place, &rows, cancellation: interrupt.cancellation)
        } else {
            // A wrong file is refused here, with its reason, and not by a child.
            _ = try LoadedCheckpoint(files: paths)
        }
        rows += try LoadBenchmark(
            files: paths, runs: runs, threads: hostDevice.threads,
            cancellation: interrupt.cancellation
        ).run()
        try BenchReport(machine: MachineDescription(device: hostDevice), rows: rows)
            .write(asJSON: json.isOn)
    }

    private func write(
        to folder: String, _ rows: inout [BenchRow], cancellation: Cancellation
    ) throws -> [String] {
        let (transformer, tokenizer) = try size.configurations(imageSize: 256)
        let weights = GeneratedWeights(seed: 1)
        let files = [
            (
                "vae.pth",
                try CheckpointFile(weights: weights) {
                    _ = try VQVAE(configuration: tokenizer, store: $0)
                }
            ),
            (
                "hmar-\(size.rawValue).pth",
                try CheckpointFile(weights: weights) {
                    _ = try HMAR(configuration: transformer, store: $0)
                }
            ),
        ]
        return try files.map { name, file in
            let path = folder + "/" + name
            let start = ProcessInfo.processInfo.systemUptime
            let bytes = try file.write(to: path, cancellation: cancellation)
            let seconds = ProcessInfo.processInfo.systemUptime - start
            rows.append(BenchRow("write \(name), \(bytes / 1_000_000) MB", seconds: seconds))
            return path
        }
    }
}
