// Forward entries of teacher-forced logits and losses.
// SPDX-License-Identifier: Apache-2.0
import Core

private let labelInput = ForwardTensor("label", "[B], N_c = no class", dtype: "I32")
private let tokenInput = ForwardTensor("idx", "[B, L]", dtype: "I32")
private let logitsOutput = ForwardTensor("logits", "[B, L, V]")

/// A network with a next-scale tower: phase 1, or an assembled HMAR.
private enum NextScaleNetwork {
    case single(NextScaleTransformer)
    case assembled(HMAR)

    init(_ request: ForwardRequest) throws {
        let patchNums = try request.patchNums()
        let scope = request.weights.transformerScope()
        self =
            try CheckpointKind.infer(scope) == .hmar
            ? .assembled(try HMAR(archive: request.weights, patchNums: patchNums))
            : .single(
                try NextScaleTransformer(
                    archive: request.weights, kind: .nextScale, patchNums: patchNums))
    }

    var configuration: TransformerConfiguration {
        switch self {
        case .single(let network): network.configuration
        case .assembled(let model): model.configuration
        }
    }

    /// What phase 1 trains.
    var parameters: [Parameter] {
        switch self {
        case .single(let network): network.parameters
        case .assembled(let model):
            model.parameters.filter { !$0.name.hasPrefix("mask_") }
        }
    }

    func logits(labels: [Int32], input: Tensor) -> Tensor {
        switch self {
        case .single(let network): network.logits(labels: labels, nextScaleInput: input)
        case .assembled(let model):
            model.nextScaleLogits(labels: labels, nextScaleInput: input)
        }
    }
}

/// `var.logits`.
struct VARLogitsEntry: ForwardEntry {
    let name = "var.logits"
    let summary = "teacher-forced logits of VAR, without guidance or label dropout"
    let weights = "a VAR transformer"
    let needsTokenizer = true
    let endsInLoss = false
    let inputs = [labelInput, tokenInput]
    let outputs = [logitsOutput]
    let options = [ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let model = try VAR(archive: request.weights, patchNums: try request.patchNums())
        let quantizer = try request.loadTokenizer(for: model.configuration).quantizer
        let labels = try request.labels(model.configuration)
        let tokens = try request.tokens(model.configuration, batch: labels.count)
        return [
            (
                "logits",
                model.network.logits(
                    labels: labels,
                    nextScaleInput: quantizer.nextScaleInput(quantizer.split(tokens)))
            )
        ]
    }
}

/// `nsp.logits`.
struct NextScaleLogitsEntry: ForwardEntry {
    let name = "nsp.logits"
    let summary = "teacher-forced logits of HMAR's next-scale tower"
    let weights = "an HMAR phase-1 transformer, or an assembled HMAR"
    let needsTokenizer = true
    let endsInLoss = false
    let inputs = [labelInput, tokenInput]
    let outputs = [logitsOutput]
    let options = [ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try NextScaleNetwork(request)
        let quantizer = try request.loadTokenizer(for: network.configuration).quantizer
        let labels = try request.labels(network.configuration)
        let tokens = try request.tokens(network.configuration, batch: labels.count)
        return [
            (
                "logits",
                network.logits(
                    labels: labels, input: quantizer.nextScaleInput(quantizer.split(tokens)))
            )
        ]
    }
}

/// `nsp.loss`.
struct NextScaleLossEntry: ForwardEntry {
    let name = "nsp.loss"
    let summary = "cross-entropy of every token and the weighted loss of phase 1"
    let weights = "an HMAR phase-1 transformer, or an assembled HMAR"
    let needsTokenizer = true
    let endsInLoss = true
    let inputs = [labelInput, tokenInput]
    let outputs = [ForwardTensor("ce", "[B, L]"), ForwardTensor("loss", "[1]")]
    let options = [
        ForwardOption("weighting", "lognorm", "lognorm, equal or uniform"),
        ForwardOptions.patchNums,
    ]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try NextScaleNetwork(request)
        let weighting = try request.choice("weighting", default: LossWeighting.lognorm)
        let quantizer = try request.loadTokenizer(for: network.configuration).quantizer
        let labels = try request.labels(network.configuration)
        let tokens = try request.tokens(network.configuration, batch: labels.count)
        if request.wantsGradients { network.parameters.forEach { $0.isTrainable = true } }
        let result = NextScaleLoss(
            logits: network.logits(
                labels: labels, input: quantizer.nextScaleInput(quantizer.split(tokens))),
            tokens: tokens,
            weights: weighting.tokenWeights(patchNums: network.configuration.patchNums))
        return [
            ("ce", result.crossEntropies.detached()),
            ("loss", result.loss.detached().reshaped([1])),
        ]
            + (request.wantsGradients
                ? gradientOutputs(of: result.loss, network.parameters) : [])
    }
}

// MARK: - Masked prediction

private let maskInput = ForwardTensor(
    "idx_to_mask", "[n], positions counted without scale 0, shared by the batch", dtype: "I32")

/// A network with a mask tower: phase 2, or an assembled HMAR.
private struct MaskedNetwork {
    let configuration: TransformerConfiguration
    /// What phase 2 trains.
    let parameters: [Parameter]
    let logits: ([Int32], Tensor, Tensor, [Bool]) -> Tensor

    init(_ request: ForwardRequest) throws {
        let patchNums = try request.patchNums()
        let kind = try CheckpointKind.infer(request.weights.transformerScope())
        if kind == .hmar {
            let model = try HMAR(archive: request.weights, patchNums: patchNums)
            configuration = model.configuration
            parameters = model.parameters.filter { $0.name.hasPrefix("mask_") }
            logits = {
                model.maskedLogits(labels: $0, nextScaleInput: $1, maskInput: $2, masked: $3)
            }
        } else {
            let network = try NextScaleTransformer(
                archive: request.weights, kind: .maskedPrediction, patchNums: patchNums)
            configuration = network.configuration
            let depth = network.configuration.depth
            parameters = network.maskedPredictionParameters(
                maskDepth: try request.integer(
                    "mask_blocks", default: min(8, depth), in: 1...depth))
            logits = {
                network.maskedLogits(labels: $0, nextScaleInput: $1, maskInput: $2, masked: $3)
            }
        }
    }

    /// Logits of a request with the tokens and flags they belong to.
    func run(_ request: ForwardRequest) throws -> (logits: Tensor, tokens: Tensor, masked: [Bool]) {
        let quantizer = try request.loadTokenizer(for: configuration).quantizer
        let labels = try request.labels(configuration)
        let tokens = try request.tokens(configuration, batch: labels.count)
        let length = configuration.tokenCount - 1
        var masked = [Bool](repeating: false, count: length)
        for position in try request.integers(
            "idx_to_mask", shape: [-1], in: 0..<length, "[n]"
        ).int32s() {
            masked[Int(position)] = true
        }
        let split = quantizer.split(tokens)
        return (
            logits(
                labels, quantizer.nextScaleInput(split), quantizer.maskInput(split), masked),
            tokens, masked
        )
    }
}

private let maskBlocksOption = ForwardOption(
    "mask_blocks", "8 or the depth", "blocks that phase 2 trains, for gradients")

/// `mp.logits`.
struct MaskedLogitsEntry: ForwardEntry {
    let name = "mp.logits"
    let summary = "teacher-forced logits of HMAR's mask tower"
    let weights = "an HMAR phase-2 transformer, or an assembled HMAR"
    let needsTokenizer = true
    let endsInLoss = false
    let inputs = [labelInput, tokenInput, maskInput]
    let outputs = [logitsOutput]
    let options = [maskBlocksOption, ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        [("logits", try MaskedNetwork(request).run(request).logits)]
    }
}

/// `mp.loss`.
struct MaskedLossEntry: ForwardEntry {
    let name = "mp.loss"
    let summary = "mean cross-entropy over masked positions; gradients of what phase 2 trains"
    let weights = "an HMAR phase-2 transformer, or an assembled HMAR"
    let needsTokenizer = true
    let endsInLoss = true
    let inputs = [labelInput, tokenInput, maskInput]
    let outputs = [ForwardTensor("loss", "[1]")]
    let options = [maskBlocksOption, ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try MaskedNetwork(request)
        if request.wantsGradients { network.parameters.forEach { $0.isTrainable = true } }
        let (logits, tokens, masked) = try network.run(request)
        guard let loss = MaskedTraining.loss(logits: logits, tokens: tokens, masked: masked)
        else {
            throw ForwardError.wrongInput(
                name: "idx_to_mask", file: request.input.path, found: "empty",
                expected: "at least one position")
        }
        return [("loss", loss.detached().reshaped([1]))]
            + (request.wantsGradients ? gradientOutputs(of: loss, network.parameters) : [])
    }
}
