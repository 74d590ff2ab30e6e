// `workbench inspect`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Models

/// What a checkpoint is.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Say what a checkpoint is, without reading it whole.",
        discussion: """
            Reads safetensors and PyTorch .pth files; nothing in them is executed.

            Examples:
              workbench inspect hmar-d16.pth
              workbench inspect weights.safetensors --tensors
            """)

    @Argument(help: ArgumentHelp("A safetensors or .pth file.", valueName: "file"))
    var file: String

    @Flag(help: "List every tensor with its shape and type.")
    var tensors = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        struct TensorRow: Encodable {
            var name: String
            var dtype: String
            var shape: [Int]
        }
        var file: String
        var format: String
        var kind: String
        var tensorCount: Int
        var elements: Int
        var sizes: [String: String]
        var metadata: [String: String]
        var tensors: [TensorRow]?
    }

    func run() throws {
        let part = try CheckpointPart(path: file)
        let archive = part.archive
        let rows = archive.records.map {
            Report.TensorRow(name: $0.name, dtype: $0.dtype.safetensorsName, shape: $0.shape)
        }
        let report = Report(
            file: file, format: archive.format.rawValue, kind: part.kind.rawValue,
            tensorCount: archive.records.count, elements: archive.elementCount,
            sizes: Self.sizes(part),
            metadata: archive.metadata, tensors: tensors ? rows : nil)
        if json.isOn { return try Output.json(report) }
        Output.line("\(file): \(report.format), \(report.kind)")
        Output.line("\(report.tensorCount) tensors, \(report.elements) elements")
        for (key, value) in report.sizes.sorted(by: { $0.key < $1.key }) {
            Output.line("  \(key): \(value)")
        }
        for (key, value) in report.metadata.sorted(by: { $0.key < $1.key }) {
            Output.line("  \(key) = \(value)")
        }
        if tensors {
            for row in rows { Output.line("  \(row.name)  \(row.dtype) \(row.shape)") }
        }
    }

    private static func sizes(_ part: CheckpointPart) -> [String: String] {
        guard let sizes = part.transformer else {
            guard let tokenizer = try? VQVAEConfiguration(archive: part.archive) else { return [:] }
            return [
                "channels": "\(tokenizer.channels) × \(tokenizer.channelMultipliers)",
                "codes": "\(tokenizer.vocabulary) of \(tokenizer.latentChannels)",
            ]
        }
        return [
            "depth": "\(sizes.depth)", "width": "\(sizes.width)", "heads": "\(sizes.heads)",
            "classes": "\(sizes.classCount)", "codes": "\(sizes.vocabulary)",
            "scales": "\(sizes.patchNums)", "mask blocks": "\(sizes.maskDepth)",
        ]
    }
}
