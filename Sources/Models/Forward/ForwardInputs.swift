// Reading the tensors and settings of a forward request.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension ForwardRequest {
    // MARK: Tensors

    /// A float tensor with a checked shape; −1 stands for any size.
    func floats(_ name: String, shape expected: [Int], _ words: String) throws -> Tensor {
        let record = try required(name, words)
        guard record.dtype == .float32 || record.dtype == .float16 || record.dtype == .bfloat16
        else { throw wrong(name, "\(record.dtype)", words + " of floats") }
        try check(record, expected, words)
        return Tensor(record: record).cast(to: .float32).contiguous()
    }

    /// An integer tensor (I32 or I64) with checked shape and values.
    func integers(
        _ name: String, shape expected: [Int], in range: Range<Int>, _ words: String
    ) throws -> Tensor {
        let record = try required(name, words)
        guard record.dtype == .int32 || record.dtype == .int64 else {
            throw wrong(name, "\(record.dtype)", words + " of I32 or I64")
        }
        try check(record, expected, words)
        let tensor = Tensor(record: record).contiguous()
        // 64-bit values are looked at before they are narrowed.
        if record.dtype == .int64 {
            let wide = withExtendedLifetime(record.file) {
                (0..<record.count).map {
                    record.bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)
                }
            }
            if let value = wide.first(where: { $0 < range.lowerBound || $0 >= range.upperBound }) {
                throw wrong(
                    name, "\(value)", "values \(range.lowerBound) to \(range.upperBound - 1)")
            }
        }
        let values = tensor.int32s()
        if let value = values.first(where: { !range.contains(Int($0)) }) {
            throw wrong(name, "\(value)", "values \(range.lowerBound) to \(range.upperBound - 1)")
        }
        return Tensor(int32: values, shape: record.shape)
    }

    /// `callNN.u` in order; F64 or F32.
    func uniforms() -> [[Double]] {
        var lists: [[Double]] = []
        while true {
            let name = "call\(twoDigits(lists.count)).u"
            if let record = input.float64Records.first(where: { $0.name == name }) {
                lists.append(record.values)
            } else if let record = input[name], record.dtype == .float32 {
                lists.append(Tensor(record: record).floats().map(Double.init))
            } else {
                return lists
            }
        }
    }

    private func required(_ name: String, _ words: String) throws -> TensorRecord {
        guard let record = input[name] else {
            throw ForwardError.missingInput(name: name, file: input.path, shape: words)
        }
        return record
    }

    private func check(_ record: TensorRecord, _ expected: [Int], _ words: String) throws {
        let fits =
            record.shape.count == expected.count
            && zip(record.shape, expected).allSatisfy { $0 == $1 || $1 < 0 } && record.count > 0
        guard fits else { throw wrong(record.name, "\(record.shape)", words) }
    }

    private func wrong(_ name: String, _ found: String, _ expected: String) -> ForwardError {
        .wrongInput(name: name, file: input.path, found: found, expected: expected)
    }

    // MARK: Settings

    func number(_ key: String, default fallback: Double, in range: ClosedRange<Double>) throws
        -> Double
    {
        guard let text = settings[key] else { return fallback }
        guard let value = Double(text), range.contains(value) else {
            throw ForwardError.badSetting(
                key: key, value: text, allowed: "\(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = settings[key] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw ForwardError.badSetting(
                key: key, value: text, allowed: "\(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag(_ key: String, default fallback: Bool) throws -> Bool {
        switch settings[key] {
        case nil: return fallback
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        case let text?:
            throw ForwardError.badSetting(key: key, value: text, allowed: "true, false")
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice
    ) throws -> Choice where Choice.RawValue == String {
        guard let text = settings[key] else { return fallback }
        guard let value = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ForwardError.badSetting(key: key, value: text, allowed: all)
        }
        return value
    }

    /// A JSON list of integers.
    func list(_ key: String) throws -> [Int]? {
        guard let text = settings[key] else { return nil }
        guard let values = try? JSONDecoder().decode([Int].self, from: Data(text.utf8)) else {
            throw ForwardError.badSetting(
                key: key, value: text, allowed: "a list of integers such as [1,2,3]")
        }
        return values
    }

    // MARK: Models

    /// `patch_nums` where it was set.
    func patchNums() throws -> [Int]? { try list("patch_nums") }

    /// The tokenizer beside transformer weights, with the transformer's maps.
    func loadTokenizer(for configuration: TransformerConfiguration) throws -> VQVAE {
        guard let tokenizer else { throw ForwardError.noTokenizer(entry: "the entry") }
        let vqvae = try VQVAE(archive: tokenizer, patchNums: configuration.patchNums)
        let sizes = vqvae.configuration
        guard sizes.vocabulary == configuration.vocabulary,
            sizes.latentChannels == configuration.latentChannels
        else {
            throw CheckpointError.incompatible(
                file: weights.path, other: tokenizer.path,
                reason: "codebooks [\(configuration.vocabulary), "
                    + "\(configuration.latentChannels)] against [\(sizes.vocabulary), "
                    + "\(sizes.latentChannels)]",
                hint: "use a tokenizer and a transformer that were trained together")
        }
        return vqvae
    }

    /// Class labels [B]; N_c means "no class".
    func labels(_ configuration: TransformerConfiguration) throws -> [Int32] {
        try integers(
            "label", shape: [-1], in: 0..<(configuration.classCount + 1), "[B]"
        ).int32s()
    }

    /// Concatenated tokens [B, L].
    func tokens(_ configuration: TransformerConfiguration, batch: Int) throws -> Tensor {
        try integers(
            "idx", shape: [batch, configuration.tokenCount], in: 0..<configuration.vocabulary,
            "[\(batch), \(configuration.tokenCount)], all maps coarse to fine")
    }
}

/// 7 → "07".
func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// `grad.NAME` of parameters; zero where the loss does not depend on one.
func gradientOutputs(
    of loss: Tensor, _ parameters: [Parameter]
) -> [(name: String, tensor: Tensor)] {
    let gradients = loss.backward()
    return parameters.map {
        ("grad.\($0.name)", gradients[$0]?.contiguous() ?? .zeros($0.shape))
    }
}

/// The options that several entries share.
enum ForwardOptions {
    static let patchNums = ForwardOption(
        "patch_nums", "", "sides of the token maps as JSON, where the files do not tell")
    static let imageSize = ForwardOption(
        "image_size", "", "side of the image in pixels, checked against the tokenizer")
}
