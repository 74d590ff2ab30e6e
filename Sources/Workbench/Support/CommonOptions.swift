// Options that every command takes. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Where to compute, where weights are, how much to say.
struct CommonOptions: ParsableArguments {
    @Option(help: "Where to compute: auto, cpu.")
    var device = "auto"

    @Option(help: "Threads for kernels and OpenBLAS; as many as cores by default.")
    var threads: Int?

    @Option(
        name: .customLong("models"),
        help: ArgumentHelp("Look for model cards and weights in this folder.", valueName: "dir"))
    var modelsFolder: String?

    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp(
            "Use this folder for weights, themes and recipes, and no other.", valueName: "dir"))
    var dataFolder: String?

    @Option(help: ArgumentHelp("Write the log here.", valueName: "file"))
    var log: String?

    @Flag(help: "Say nothing but results and errors.")
    var quiet = false

    @Option(help: "Show progress on standard error: auto, always, never.")
    var progress = ProgressMode.auto

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); give a number from 1 to 1024.")
        }
        guard ["auto", "cpu"].contains(device) else {
            throw ValidationError(
                "--device \(device) cannot be used: this build computes on the CPU; "
                    + "give auto or cpu.")
        }
    }

    /// The device to compute on.
    var computeDevice: CPUDevice {
        guard let threads else { return .shared }
        return CPUDevice(threads: threads)
    }
}

/// A command that computes: it runs on the device that its options name.
protocol ComputingCommand: ParsableCommand {
    var common: CommonOptions { get }
}

/// The CPU device in force: that of `--threads`, or the shared one.
var hostDevice: CPUDevice { (currentDevice as? CPUDevice) ?? .shared }

/// Whether a command prints JSON.
struct JSONOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON document on standard output.")
    var isOn = false
}
