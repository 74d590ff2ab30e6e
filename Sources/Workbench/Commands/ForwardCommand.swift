// `workbench forward`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Runs one function of a model on tensors from a file.
struct ForwardCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Run one named function of a model on given tensors.",
        discussion: """
            For anyone who ports a model, checks a checkpoint or doubts a number: inputs are read \
            from a safetensors file and the results written to another. Weights are safetensors \
            or PyTorch .pth files with the public tensor names; sizes are inferred.

            Examples:
              workbench forward --list
              workbench forward vqvae.encode --weights vae.safetensors --input in.safetensors \
            --output out.safetensors --set 'patch_nums=[1,2,3,4]'
              workbench forward nsp.loss --weights hmar.pth --tokenizer vae.pth \
            --input in.safetensors --output out.safetensors --gradients
            """)

    @Argument(help: "The function; `--list` shows all.")
    var entry: String?

    @Flag(help: "Print every entry with its inputs, outputs and options.")
    var list = false

    @Option(help: ArgumentHelp("The model's weights.", valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("The tokenizer of a transformer.", valueName: "file"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("The tensors to run on, safetensors.", valueName: "file"))
    var input: String?

    @Option(help: ArgumentHelp("Where the results are written.", valueName: "file"))
    var output: String?

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Settings of the entry.", valueName: "key=value"))
    var settings: [String] = []

    @Flag(help: "Write grad.NAME of every trainable parameter too (entries that end in a loss).")
    var gradients = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if list { return }
        guard let entry else {
            throw ValidationError("Name an entry; `workbench forward --list` shows all.")
        }
        _ = try Registry.forwardEntry(named: entry)
        let needsWeights =
            Registry.forwardEntries.first { $0.name == entry }?.needsWeights ?? true
        let missing = [("--weights", weights), ("--input", input), ("--output", output)]
            .filter { needsWeights || $0.0 != "--weights" }
            .filter { $0.1 == nil }.map(\.0)
        guard missing.isEmpty else {
            throw ValidationError("Missing: \(missing.joined(separator: ", ")).")
        }
    }

    func run() throws {
        if list { return try printEntries() }
        guard let entry, let input, let output else { return }
        let function = try Registry.forwardEntry(named: entry)
        let interrupt = Interrupt()
        let request = ForwardRequest(
            weights: try TensorArchive.open(path: weights ?? input),
            tokenizer: try tokenizer.map { try TensorArchive.open(path: $0) },
            input: try TensorArchive.open(path: input), settings: try parsedSettings(),
            wantsGradients: gradients, cancellation: interrupt.cancellation)
        let results = try function.checkedRun(request)
        try interrupt.cancellation.check()
        try Safetensors.write(
            results.map { Safetensors.Item(name: $0.name, tensor: $0.tensor) },
            metadata: ["entry": function.name], to: output)
        try report(results, to: output)
    }

    private func parsedSettings() throws -> [String: String] {
        var result: [String: String] = [:]
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw InputError(
                    "--set \(setting) is not of the form key=value, such as cfg=1.5.")
            }
            let key = String(setting[..<equals])
            guard result[key] == nil else { throw InputError("--set \(key) was given twice.") }
            result[key] = String(setting[setting.index(after: equals)...])
        }
        return result
    }

    // MARK: Output

    private struct Row: Encodable {
        var name: String
        var dtype: String
        var shape: [Int]
    }

    private struct Report: Encodable {
        var entry: String
        var output: String
        var tensors: [Row]
    }

    private func report(_ results: [(name: String, tensor: Tensor)], to path: String) throws {
        let rows = results.map {
            Row(name: $0.name, dtype: $0.tensor.dtype.safetensorsName, shape: $0.tensor.shape)
        }
        if json.isOn {
            return try Output.json(Report(entry: entry ?? "", output: path, tensors: rows))
        }
        guard !common.quiet else { return }
        for row in rows { Output.line("\(row.name)  \(row.dtype) \(row.shape)") }
    }

    private struct Description: Encodable {
        struct Part: Encodable {
            var name: String
            var shape: String
            var dtype: String
            var optional: Bool

            init(_ tensor: ForwardTensor) {
                name = tensor.name
                shape = tensor.shape
                dtype = tensor.dtype
                optional = tensor.isOptional
            }
        }
        struct Option: Encodable {
            var key: String
            var fallback: String
            var help: String
        }
        var name: String
        var summary: String
        var weights: String
        var needsTokenizer: Bool
        var hasGradients: Bool
        var inputs: [Part]
        var outputs: [Part]
        var options: [Option]
    }

    private func printEntries() throws {
        let entries =
            try entry.map { [try Registry.forwardEntry(named: $0)] }
            ?? Registry.forwardEntries
        if json.isOn {
            return try Output.json(
                entries.map { entry in
                    Description(
                        name: entry.name, summary: entry.summary, weights: entry.weights,
                        needsTokenizer: entry.needsTokenizer, hasGradients: entry.endsInLoss,
                        inputs: entry.inputs.map(Description.Part.init),
                        outputs: entry.outputs.map(Description.Part.init),
                        options: entry.options.map {
                            .init(key: $0.key, fallback: $0.fallback, help: $0.help)
                        })
                })
        }
        for (position, entry) in entries.enumerated() {
            if position > 0 { Output.line("") }
            Output.line("\(entry.name): \(entry.summary)")
            let extra = entry.needsTokenizer ? ", and its tokenizer (--tokenizer)" : ""
            Output.line("  weights  \(entry.weights)\(extra)")
            for input in entry.inputs { Output.line("  input    \(Self.line(input))") }
            for output in entry.outputs { Output.line("  output   \(Self.line(output))") }
            if entry.endsInLoss {
                Output.line("  output   grad.NAME  F32, as the parameter (with --gradients)")
            }
            for option in entry.options {
                let fallback = option.fallback.isEmpty ? "" : "=\(option.fallback)"
                Output.line("  option   \(option.key)\(fallback)  \(option.help)")
            }
        }
    }

    private static func line(_ tensor: ForwardTensor) -> String {
        "\(tensor.name)  \(tensor.dtype) \(tensor.shape)\(tensor.isOptional ? " (optional)" : "")"
    }
}
