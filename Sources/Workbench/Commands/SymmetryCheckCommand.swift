// `workbench symmetry check`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Scores the published classifiers of rotated digits on digits rotated on the spot.
struct SymmetryCheckCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Score a classifier of rotated digits (Z2, p4, attentive) on MNIST.",
        discussion: """
            Rotates the test digits by angles drawn from the seed, exchanges rows and columns as the \
            data had them that the public networks were trained on, and counts right answers. Also \
            measured: how much the answers change under quarter turns, and with --broken what is \
            left when one layer's group axis is rolled by one.

            Examples:
              workbench symmetry check --weights attgconv_rotmnist_p4cnn.pth --data ~/mnist
              workbench symmetry check --weights p4cnn.pth --data ~/mnist --no-transpose
            """)

    @Option(help: ArgumentHelp("The network, .pth or safetensors.", valueName: "file"))
    var weights: String

    @Option(help: ArgumentHelp("The folder with MNIST's files.", valueName: "dir"))
    var data: String?

    @Option(help: "Test digits at most.")
    var limit: Int?

    @Option(help: "The seed of the angles.")
    var seed: UInt64 = 0

    @Flag(
        inversion: .prefixedNo,
        help: "Exchange rows and columns, as the public networks expect.")
    var transpose = true

    @Flag(help: "Roll the group axis of the third layer by one first.")
    var broken = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        var weights: String
        var kind: String
        var pictures: Int
        var accuracy: Double
        var quarterTurnError: Double
        var seed: UInt64
        var transposed: Bool
        var broken: Bool
        var seconds: Double
    }

    func run() throws {
        let started = ProcessInfo.processInfo.systemUptime
        let network = try RotatedDigitNetwork(archive: TensorArchive.open(path: weights))
        if broken { try network.rollGroupAxis(layer: 3) }
        let test = try EvaluationData(folder: data, imageSize: MNIST.side).test
        guard let digits = test as? MNIST else {
            throw InputError("--data must hold the four files of MNIST.")
        }
        let images = GreyImages(
            digits,
            indices: RotatedImages.indices(
                part: .test, count: digits.count, limit: limit, seed: seed))
        var generator = RandomGenerator(seed: seed, stream: 0x6368_6563)
        let angles = (0..<images.count).map { _ in 360 * generator.nextFloat() - 180 }
        let interrupt = Interrupt()
        var line = ProgressLine(common.progress, quiet: common.quiet)
        let report = try RotatedDigitReport(
            network, images: images, angles: angles, transposes: transpose,
            batch: network.kind == .fullAttention ? 8 : 250,
            cancellation: interrupt.cancellation
        ) { line.show("\(network.kind.rawValue)  \($0)/\(images.count)") }
        line.clear()
        try currentDevice.throwPendingError()
        if json.isOn {
            try Output.json(
                Report(
                    weights: weights, kind: network.kind.rawValue, pictures: report.pictures,
                    accuracy: report.accuracy, quarterTurnError: report.quarterTurnError,
                    seed: seed, transposed: transpose, broken: broken,
                    seconds: ProcessInfo.processInfo.systemUptime - started))
            return
        }
        let percent = String(format: "%.2f", 100 * report.accuracy)
        let error = String(format: "%.1e", report.quarterTurnError)
        Output.line(
            "\(network.kind.rawValue): \(percent) % of \(report.pictures) rotated digits, "
                + "change under quarter turns \(error)")
    }
}
