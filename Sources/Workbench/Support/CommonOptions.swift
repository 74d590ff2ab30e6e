// Options that every command takes. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Where to compute, where weights are, how much to say.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to compute: auto (a GPU where there is one), cpu, cuda, cuda:N.",
            valueName: "device"))
    var device = DeviceChoice.auto

    @Option(
        help: ArgumentHelp(
            "How products on a GPU read their operands: bfloat16, float32.",
            valueName: "type"))
    var precision = CUDADevice.Precision.bfloat16

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
    }

    /// The device to compute on.
    ///
    /// - Throws: `CUDAError` when a GPU was asked for and cannot be used.
    func computeDevice() throws -> any Device {
        switch device {
        case .cpu: return processor
        case .cuda(let ordinal):
            return try CUDADevice(
                ordinal: ordinal ?? ProcessRank.current().local, precision: precision)
        case .auto:
            do {
                return try CUDADevice(ordinal: ProcessRank.current().local, precision: precision)
            } catch {
                // `doctor` says what is missing.
                return processor
            }
        }
    }

    private var processor: CPUDevice {
        threads.map { CPUDevice(threads: $0) } ?? .shared
    }
}

/// A command that computes: it runs on the device that its options name.
protocol ComputingCommand: ParsableCommand {
    var common: CommonOptions { get }
    /// The device that the command runs on.
    func computeDevice() throws -> any Device
}

extension ComputingCommand {
    func computeDevice() throws -> any Device { try common.computeDevice() }
}

/// What `--device` names.
enum DeviceChoice: ExpressibleByArgument, Equatable {
    case auto
    case cpu
    /// The GPU of this number; that of the process's local rank when nil.
    case cuda(Int?)

    init?(argument: String) {
        switch argument {
        case "auto": self = .auto
        case "cpu": self = .cpu
        case "cuda": self = .cuda(nil)
        default:
            guard argument.hasPrefix("cuda:"), let ordinal = Int(argument.dropFirst(5)),
                ordinal >= 0
            else { return nil }
            self = .cuda(ordinal)
        }
    }

    var defaultValueDescription: String { "auto" }
}

extension CUDADevice.Precision: ExpressibleByArgument {}

/// The CPU device in force: that of `--threads`, or the shared one.
var hostDevice: CPUDevice { (currentDevice as? CPUDevice) ?? .shared }

/// Whether a command prints JSON.
struct JSONOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON document on standard output.")
    var isOn = false
}
