// Named functions of models that run on tensors from a file.
// SPDX-License-Identifier: Apache-2.0

/// One function of a model that can be run on given tensors: for porting, checking and doubting.
public protocol ForwardEntry: Sendable {
    /// The name users type, `vqvae.encode`.
    var name: String { get }
    /// One line for lists.
    var summary: String { get }
    /// What `--weights` is to hold, in words.
    var weights: String { get }
    /// Whether weights are needed at all; most entries are functions of a model.
    var needsWeights: Bool { get }
    /// Whether a tokenizer is needed beside the weights.
    var needsTokenizer: Bool { get }
    /// Whether gradients can be asked for.
    var endsInLoss: Bool { get }
    var inputs: [ForwardTensor] { get }
    var outputs: [ForwardTensor] { get }
    var options: [ForwardOption] { get }
    /// Runs the function.
    ///
    /// - Returns: the outputs by name, in order; with gradients `grad.NAME` of every trainable
    ///   parameter of a loss.
    /// - Throws: `ForwardError`, `CheckpointError`, and what the function itself refuses.
    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)]
}

/// An input or output of an entry.
public struct ForwardTensor: Sendable, Equatable {
    /// The name in the file; K and NN stand for numbers.
    public var name: String
    /// The shape in letters and its range, "[B, 3, S, S] in [−1, 1]".
    public var shape: String
    /// `F32`, `I32`…
    public var dtype: String
    public var isOptional: Bool

    public init(_ name: String, _ shape: String, dtype: String = "F32", isOptional: Bool = false) {
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.isOptional = isOptional
    }
}

/// A setting of an entry, `--set key=value`.
public struct ForwardOption: Sendable, Equatable {
    public var key: String
    /// The value when it is not set; empty if there is none.
    public var fallback: String
    public var help: String

    public init(_ key: String, _ fallback: String, _ help: String) {
        self.key = key
        self.fallback = fallback
        self.help = help
    }
}

/// What an entry is run on.
public struct ForwardRequest: Sendable {
    public var weights: TensorArchive
    public var tokenizer: TensorArchive?
    /// The file of inputs.
    public var input: TensorArchive
    public var settings: [String: String]
    public var wantsGradients: Bool
    public var cancellation: Cancellation

    public init(
        weights: TensorArchive, tokenizer: TensorArchive? = nil, input: TensorArchive,
        settings: [String: String] = [:], wantsGradients: Bool = false,
        cancellation: Cancellation = Cancellation()
    ) {
        self.weights = weights
        self.tokenizer = tokenizer
        self.input = input
        self.settings = settings
        self.wantsGradients = wantsGradients
        self.cancellation = cancellation
    }
}

extension ForwardEntry {
    public var needsWeights: Bool { true }

    /// Checks settings, tokenizer and gradients against what the entry takes, then runs it.
    ///
    /// - Throws: ``ForwardError``, and what ``run(_:)`` throws.
    public func checkedRun(
        _ request: ForwardRequest
    ) throws -> [(name: String, tensor: Tensor)] {
        let known = options.map(\.key)
        for key in request.settings.keys.sorted() where !known.contains(key) {
            throw ForwardError.unknownSetting(
                key: key, entry: name, known: known, nearest: nearestName(to: key, among: known))
        }
        if needsTokenizer, request.tokenizer == nil {
            throw ForwardError.noTokenizer(entry: name)
        }
        if request.wantsGradients, !endsInLoss { throw ForwardError.noLoss(entry: name) }
        return try run(request)
    }
}

/// What can be wrong with a forward request.
public enum ForwardError: Error, Equatable, Sendable {
    case unknownEntry(name: String, nearest: String?)
    case unknownSetting(key: String, entry: String, known: [String], nearest: String?)
    case badSetting(key: String, value: String, allowed: String)
    case missingInput(name: String, file: String, shape: String)
    case wrongInput(name: String, file: String, found: String, expected: String)
    case noTokenizer(entry: String)
    case noLoss(entry: String)
}

extension ForwardError: CustomStringConvertible {
    /// One sentence: what is wrong, what is allowed.
    public var description: String {
        switch self {
        case .unknownEntry(let name, let nearest):
            let hint = nearest.map { "did you mean \($0)?" } ?? "see workbench forward --list."
            return "There is no forward entry \(name); \(hint)"
        case .unknownSetting(let key, let entry, let known, let nearest):
            let hint = nearest.map { " Did you mean \($0)?" } ?? ""
            let list = known.isEmpty ? "takes none" : "takes \(known.joined(separator: ", "))"
            return "The setting \(key) is unknown: \(entry) \(list).\(hint)"
        case .badSetting(let key, let value, let allowed):
            return "The setting \(key)=\(value) cannot be used; allowed: \(allowed)."
        case .missingInput(let name, let file, let shape):
            return "\(file): the tensor \(name) is missing; expected \(shape)."
        case .wrongInput(let name, let file, let found, let expected):
            return "\(file): the tensor \(name) is \(found); expected \(expected)."
        case .noTokenizer(let entry):
            return "\(entry) needs the tokenizer that made the tokens; give it with --tokenizer."
        case .noLoss(let entry):
            return "\(entry) does not end in a loss, so it has no gradients; "
                + "leave --gradients out."
        }
    }
}
