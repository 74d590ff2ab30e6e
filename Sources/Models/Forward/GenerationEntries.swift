// Forward entries of whole generations and edits.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Keeps every call, sort and scale of a generation under the names of the output file.
private final class TraceObserver: GenerationObserver {
    private(set) var outputs: [(name: String, tensor: Tensor)] = []
    private let cancellation: Cancellation
    private var sorts = 0

    init(_ cancellation: Cancellation) { self.cancellation = cancellation }

    func checkpoint() throws { try cancellation.check() }

    func sampled(call: Int, table: LogitTable, codes: [Int32]) {
        let prefix = "call\(twoDigits(call))."
        outputs.append(
            (
                prefix + "logits",
                Tensor(table.raw, shape: [table.batch, table.count, table.vocabulary])
            ))
        outputs.append(
            (prefix + "sampled", Tensor(int32: codes, shape: [table.batch, table.count])))
    }

    func sorted(confidences: [[Float]], orders: [[Int]]) {
        let shape = [confidences.count, confidences.first?.count ?? 0]
        let number = twoDigits(sorts)
        sorts += 1
        outputs.append(("conf\(number)", Tensor(confidences.flatMap { $0 }, shape: shape)))
        outputs.append(
            ("order\(number)", Tensor(int32: orders.flatMap { $0.map { Int32($0) } }, shape: shape))
        )
    }

    func finished(_ state: ScaleState, row: [Int], fhat: Tensor) {
        outputs.append(
            (
                "scale\(state.scale).tokens",
                Tensor(int32: state.tokens, shape: [state.batch, state.count])
            ))
        outputs.append(("scale\(state.scale).fhat", fhat))
    }
}

/// How codes are chosen, by the option's words.
private enum SamplerChoice: String, CaseIterable {
    case greedy
    case greedyFiltered = "greedy_filtered"
    case inverseCDF = "icdf"
    case random
}

extension ForwardRequest {
    fileprivate func makeSampler(batch: Int) throws -> any TokenSampler {
        switch try choice("sampler", default: SamplerChoice.greedy) {
        case .greedy: return Greedy()
        case .greedyFiltered: return GreedyFiltered()
        case .inverseCDF: return try InverseCDF(uniforms: uniforms())
        case .random:
            let seed = try integer("seed", default: 0, in: 0...Int.max)
            return RandomSampler(seed: UInt64(seed), batch: batch)
        }
    }

    /// `schedule`; the published one for the published 256-pixel maps, else one pass per scale.
    fileprivate func rows(_ patchNums: [Int]) throws -> [[Int]] {
        if let text = settings["schedule"] {
            return try SamplingSchedule(parsing: text, patchNums: patchNums).rows
        }
        if patchNums == VQVAEConfiguration.published256.patchNums {
            return [[1], [1, 3], [1, 1, 2, 5]] + patchNums[3...].map { [$0 * $0] }
        }
        return SamplingSchedule.nextScaleOnly(patchNums: patchNums).rows
    }

    /// Runs a generation and gives its trace and picture.
    fileprivate func trace(
        rows: [[Int]], refines: Bool, edit: EditPlan?, labels: [Int32], tokenizer: VQVAE,
        predictor: any ScalePredictor
    ) throws -> [(name: String, tensor: Tensor)] {
        let observer = TraceObserver(cancellation)
        var generation = ScaleGeneration(
            plan: .init(
                batch: labels.count, rows: rows,
                topK: try TopK(try integer("top_k", default: 0, in: 0...1_000_000)),
                topP: try TopP(try number("top_p", default: 0, in: 0...1)), refines: refines,
                edit: edit), predictor: predictor, quantizer: tokenizer.quantizer,
            sampler: try makeSampler(batch: labels.count), observer: observer)
        let outcome = try generation.run()
        let image = try tokenizer.decode(outcome.fhat) { try cancellation.check() }
        return observer.outputs + [("image", (image + 1) * 0.5)]
    }
}

private let generationInputs = [
    ForwardTensor("label", "[B], N_c = no class", dtype: "I32"),
    ForwardTensor(
        "callNN.u", "[B, p_k²] in [0, 1), uniforms for sampler=icdf", dtype: "F64 or F32",
        isOptional: true),
]
private let generationOutputs = [
    ForwardTensor("scaleK.tokens", "[B, p_K²]", dtype: "I32"),
    ForwardTensor("scaleK.fhat", "[B, Z, P, P]"),
    ForwardTensor("callNN.logits", "[B, p_k², V], guided, before top-k and top-p"),
    ForwardTensor("callNN.sampled", "[B, p_k²]", dtype: "I32"),
    ForwardTensor("confNN", "[B, n], confidences before a sort"),
    ForwardTensor("orderNN", "[B, n], their stable ascending order", dtype: "I32"),
    ForwardTensor("image", "[B, 3, S, S] in [0, 1]"),
]
private let samplingOptions = [
    ForwardOption("cfg", "1.5", "guidance at the last scale"),
    ForwardOption("top_k", "0", "keep the k likeliest codes; 0 = all"),
    ForwardOption("top_p", "0", "keep codes up to this probability; 0 = all"),
    ForwardOption("sampler", "greedy", "greedy, greedy_filtered, icdf or random"),
    ForwardOption("seed", "0", "for sampler=random"),
    ForwardOption("mask", "true", "refine by the mask tower where a row has several entries"),
    ForwardOption("mode", "exact", "exact or fast"),
    ForwardOptions.patchNums,
]
private let scheduleOption = ForwardOption(
    "schedule", "one pass per scale", "rows as JSON, such as [[1],[1,3],[9]]")

/// `var.generate` and `hmar.generate`.
struct GenerateEntry: ForwardEntry {
    let name: String
    let summary: String
    let weights: String
    let needsTokenizer = true
    let endsInLoss = false
    let inputs = generationInputs
    let outputs = generationOutputs
    let options = samplingOptions + [scheduleOption]
    private let kind: CheckpointKind

    static let `var` = GenerateEntry(
        name: "var.generate", summary: "a whole generation of VAR with its key/value cache",
        weights: "a VAR transformer", kind: .var)
    static let hmar = GenerateEntry(
        name: "hmar.generate", summary: "a whole generation of HMAR with masked steps",
        weights: "an assembled HMAR", kind: .hmar)

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let cfg = try request.number("cfg", default: 1.5, in: 0...1000)
        let mode = try request.choice("mode", default: ComputeMode.exact)
        let patchNums = try request.patchNums()
        if kind == .var {
            let model = try VAR(archive: request.weights, patchNums: patchNums)
            let labels = try request.labels(model.configuration)
            return try request.trace(
                rows: model.configuration.tokenCounts.map { [$0] }, refines: false, edit: nil,
                labels: labels, tokenizer: request.loadTokenizer(for: model.configuration),
                predictor: VARPredictor(model.network, labels: labels, cfg: cfg))
        }
        let refines = try request.flag("mask", default: true)
        let model = try HMAR(archive: request.weights, patchNums: patchNums)
        let labels = try request.labels(model.configuration)
        return try request.trace(
            rows: request.rows(model.configuration.patchNums), refines: refines, edit: nil,
            labels: labels, tokenizer: request.loadTokenizer(for: model.configuration),
            predictor: HMARPredictor(
                model, labels: labels, cfg: cfg, mode: mode, refines: refines))
    }
}

/// `hmar.edit`: kept tokens of the source, the others sampled and refined.
struct EditEntry: ForwardEntry {
    let name = "hmar.edit"
    let summary = "an edit by HMAR: source tokens kept outside a pixel mask"
    let weights = "an assembled HMAR"
    let needsTokenizer = true
    let endsInLoss = false
    let inputs =
        generationInputs + [
            ForwardTensor("idx", "[B, L], the source's tokens", dtype: "I32"),
            ForwardTensor("pixel_mask", "[S, S], 1 = repaint", dtype: "F32, U8 or I32"),
        ]
    let outputs =
        generationOutputs + [ForwardTensor("scaleK.editable", "[p_K²], 0 or 1", dtype: "I32")]
    let options =
        samplingOptions + [
            ForwardOption("steps", "[0,1,2,3,…]", "mask steps per scale as JSON"),
            ForwardOption(
                "schedule", "", "where steps is not set: rows for maps that may change wholly"),
            ForwardOption("keep_scales", "0", "scales below this one are kept wholly"),
            ForwardOption("anchor", "tokens", "tokens or residual"),
            ForwardOption("dilate", "0", "cells by which the mask grows on every grid"),
        ]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let cfg = try request.number("cfg", default: 1.5, in: 0...1000)
        let mode = try request.choice("mode", default: ComputeMode.exact)
        let refines = try request.flag("mask", default: true)
        let model = try HMAR(archive: request.weights, patchNums: try request.patchNums())
        let configuration = model.configuration
        let sides = configuration.patchNums
        let tokenizer = try request.loadTokenizer(for: configuration)
        let labels = try request.labels(configuration)
        let tokens = try request.tokens(configuration, batch: labels.count)
        let steps =
            try request.list("steps") ?? sides.indices.map { min($0, 3) }
        guard steps.count == sides.count, steps.allSatisfy({ (0...65_536).contains($0) }) else {
            throw ForwardError.badSetting(
                key: "steps", value: "\(steps)",
                allowed: "\(sides.count) numbers of 0 or more, one per scale")
        }
        let anchor = try request.choice("anchor", default: EditAnchor.tokens)
        let size = tokenizer.configuration.imageSize
        let editable = EditPlan.editableCells(
            mask: try request.mask(size: size), patchNums: sides,
            keepScales: try request.integer("keep_scales", default: 0, in: 0...sides.count),
            dilate: try request.integer("dilate", default: 0, in: 0...size))
        let maps = tokenizer.quantizer.split(tokens)
        let plan = EditPlan(
            source: maps.map { $0.int32s() },
            feature: anchor == .residual ? tokenizer.quantizer.accumulated(maps) : nil,
            editable: editable, maskSteps: steps, anchor: anchor,
            wholeRows: request.settings["steps"] == nil && request.settings["schedule"] != nil
                ? try request.rows(sides) : nil)
        return try request.trace(
            rows: configuration.tokenCounts.map { [$0] }, refines: refines, edit: plan,
            labels: labels, tokenizer: tokenizer,
            predictor: HMARPredictor(
                model, labels: labels, cfg: cfg, mode: mode, refines: refines))
            + editable.enumerated().map { scale, cells in
                (
                    "scale\(scale).editable",
                    Tensor(int32: cells.map { $0 ? 1 : 0 }, shape: [cells.count])
                )
            }
    }
}

extension ForwardRequest {
    /// `pixel_mask` as floats [S, S].
    fileprivate func mask(size: Int) throws -> Tensor {
        let words = "[\(size), \(size)], 1 = repaint"
        guard let record = input["pixel_mask"] else {
            throw ForwardError.missingInput(name: "pixel_mask", file: input.path, shape: words)
        }
        guard record.shape == [size, size] else {
            throw ForwardError.wrongInput(
                name: "pixel_mask", file: input.path, found: "\(record.shape)", expected: words)
        }
        return Tensor(record: record).cast(to: .float32).contiguous()
    }
}
