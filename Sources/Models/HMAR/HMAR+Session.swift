// Sampling through the session protocols.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension HMARSession {
    public func sample(
        _ request: SamplingRequest, control: SamplingControl
    ) throws -> SamplingResult {
        let filters = try check(request)
        let label = Int32(request.classLabel ?? geometry.classes.count)
        let labels = [Int32](repeating: label, count: request.count)
        let refines = request.variant == .hmar
        let observer = SessionObserver(
            control: control, tokenizer: tokenizer, rows: request.schedule.rows, refines: refines,
            keptScales: request.start?.scale ?? 0)
        // A sample that starts from kept scales is one of a kind.
        guard device is CPUDevice || request.start != nil else {
            return try residentSample(
                request, filters: filters, labels: labels, refines: refines, observer: observer)
        }
        let outcome = try tokens(
            request, filters: filters, labels: labels, refines: refines, observer: observer)
        return try result(of: outcome, observer: observer, batch: request.count)
    }

    /// Where the weights are.
    private var device: any Device { tokenizer.quantizer.codebook.value.device }

    /// The same without logits on the host, and with passes that are replayed from the second sample of
    /// a kind on.
    private func residentSample(
        _ request: SamplingRequest, filters: (topK: TopK, topP: TopP), labels: [Int32],
        refines: Bool, observer: SessionObserver
    ) throws -> SamplingResult {
        let kind = ResidentGeneration.Kind(
            variant: request.variant, batch: request.count, cfg: request.cfg, mode: request.mode,
            topK: filters.topK.count, topP: filters.topP.probability,
            operandType: device.operandType)
        let generation =
            try residents.take(kind, on: device)
            ?? ResidentGeneration(
                kind, tokenizer: tokenizer, refines: refines, noClass: geometry.classes.count,
                device: device,
                makePredictor: predictorMaker(request, refines: refines, keepsContext: false))
        let outcome = try generation.run(
            labels: labels, rows: request.schedule.rows,
            sampler: RandomSampler(seed: request.seed, batch: request.count), observer: observer)
        residents.keep(generation)
        return SamplingResult(
            images: outcome.images,
            tokens: tokenMaps(outcome.generation.tokens, batch: request.count),
            schedule: try SamplingSchedule(patchNums: geometry.patchNums, rows: observer.ranRows),
            passCount: outcome.generation.passCount, secondsPerScale: outcome.secondsPerScale,
            decodeSeconds: outcome.decodeSeconds, cacheBytes: outcome.generation.cacheBytes,
            grids: observer.grids)
    }

    /// All scales; what the predictor keeps between them (VAR's cache) is gone before the decoder needs
    /// memory.
    private func tokens(
        _ request: SamplingRequest, filters: (topK: TopK, topP: TopP), labels: [Int32],
        refines: Bool, observer: SessionObserver
    ) throws -> ScaleGeneration.Outcome {
        var generation = ScaleGeneration(
            plan: .init(
                batch: request.count, rows: request.schedule.rows, topK: filters.topK,
                topP: filters.topP, refines: refines, kept: keptTokens(request)),
            predictor: try predictor(request, labels: labels, refines: refines),
            quantizer: tokenizer.quantizer,
            sampler: RandomSampler(seed: request.seed, batch: request.count), observer: observer)
        return try generation.run()
    }

    /// The codes of the scales taken over, picture by picture.
    private func keptTokens(_ request: SamplingRequest) -> [[Int32]] {
        guard let start = request.start else { return [] }
        return (0..<start.scale).map { scale in start.tokens.flatMap { $0.scales[scale] } }
    }

    /// Checks what a person may get wrong.
    func check(_ request: SamplingRequest) throws -> (topK: TopK, topP: TopP) {
        guard variants.contains(request.variant) else {
            throw SamplingError.variantNotAvailable(
                variant: request.variant.rawValue, available: variants.map(\.rawValue))
        }
        guard (1...64).contains(request.count) else {
            throw SamplingError.outOfRange(
                name: "the number of pictures", found: "\(request.count)", allowed: "1 to 64")
        }
        guard request.cfg >= 0, request.cfg <= 100 else {
            throw SamplingError.outOfRange(
                name: "cfg", found: "\(request.cfg)", allowed: "0 to 100")
        }
        if let label = request.classLabel, !geometry.classes.indices.contains(label) {
            throw SamplingError.unknownClass(found: label, classCount: geometry.classes.count)
        }
        // The request may come from a file made for another model.
        _ = try SamplingSchedule(patchNums: geometry.patchNums, rows: request.schedule.rows)
        if let start = request.start, !start.fits(count: request.count, geometry) {
            throw SamplingError.startDoesNotFit(
                scale: start.scale, pictures: start.tokens.count, count: request.count)
        }
        return (try TopK(request.topK), try TopP(request.topP))
    }

    /// The network's side of a request.
    func predictor(
        _ request: SamplingRequest, labels: [Int32], refines: Bool
    ) throws -> any ScalePredictor {
        try predictorMaker(request, refines: refines, keepsContext: true)(
            guidedLabels(labels, noClass: geometry.classes.count))
    }

    private func predictorMaker(
        _ request: SamplingRequest, refines: Bool, keepsContext: Bool
    ) throws -> (_ labels: Tensor) -> any ScalePredictor {
        let (cfg, mode) = (request.cfg, request.mode)
        switch request.variant {
        case .hmar, .hmarNextScale:
            if let hmar {
                // A predictor that is recorded serves many samples.
                let fixed =
                    keepsContext ? nil : withoutGradients { HMARPredictor.Fixed(hmar) }
                return {
                    HMARPredictor(
                        hmar, labels: $0, cfg: cfg, mode: mode, refines: refines,
                        keepsContext: keepsContext, fixed: fixed)
                }
            }
        case .var:
            if let network = self.var?.network {
                return { VARPredictor(network, labels: $0, cfg: cfg) }
            }
        }
        throw SamplingError.variantNotAvailable(
            variant: request.variant.rawValue, available: variants.map(\.rawValue))
    }

    private func tokenMaps(_ scales: [[Int32]], batch: Int) -> [TokenMaps] {
        (0..<batch).map { picture in
            TokenMaps(
                patchNums: geometry.patchNums,
                scales: zip(scales, geometry.patchNums).map { codes, side in
                    Array(codes[(picture * side * side)..<((picture + 1) * side * side)])
                })
        }
    }

    /// Decodes what a run left and gathers its figures.
    func result(
        of outcome: ScaleGeneration.Outcome, observer: SessionObserver, batch: Int
    ) throws -> SamplingResult {
        let started = ProcessInfo.processInfo.systemUptime
        let image = try tokenizer.decode(outcome.fhat) { try observer.checkpoint() }
        let images = image.pictures()
        let seconds = ProcessInfo.processInfo.systemUptime - started
        return SamplingResult(
            images: images, tokens: tokenMaps(outcome.tokens, batch: batch),
            schedule: try SamplingSchedule(patchNums: geometry.patchNums, rows: observer.ranRows),
            passCount: outcome.passCount, secondsPerScale: observer.secondsPerScale,
            decodeSeconds: seconds, cacheBytes: outcome.cacheBytes, grids: observer.grids)
    }
}

/// Carries passes from the sampling loop to a control, with previews and token grids.
final class SessionObserver: GenerationObserver {
    let wantsGrids = true
    var wantsPasses: Bool { control.isWatched }
    /// Wall seconds per scale without previews.
    private(set) var secondsPerScale: [Double]
    /// The last grid of every scale.
    private(set) var grids: [TokenGrid] = []
    /// Rows as run; those of kept scales are one entry.
    private(set) var ranRows: [[Int]] = []
    private let control: SamplingControl
    private let tokenizer: VQVAE
    private let proposed: [[Int]]
    private let refines: Bool
    /// Fixed rows of an edit, empty where nothing is sampled; nil for a sample.
    private let editRows: [[Int]]?
    /// Scales that are taken over: their passes don't count.
    private let keptScales: Int
    private var current: [Int] = []

    init(
        control: SamplingControl, tokenizer: VQVAE, rows: [[Int]], refines: Bool,
        editRows: [[Int]]? = nil, keptScales: Int = 0
    ) {
        self.keptScales = keptScales
        self.control = control
        self.tokenizer = tokenizer
        proposed = rows
        self.refines = refines
        self.editRows = editRows
        secondsPerScale = [Double](repeating: 0, count: rows.count)
    }

    func row(scale: Int, proposed: [Int]) -> [Int] {
        current = control.row(forScale: scale, proposed: proposed)
        return current
    }

    func checkpoint() throws { try control.checkpoint() }

    func pass(_ pass: GenerationPass) throws {
        secondsPerScale[pass.scale] += pass.seconds
        let side = tokenizer.configuration.patchNums[pass.scale]
        var previews: [RGBImage] = []
        if control.wantsPreview() {
            previews = try tokenizer.decode(pass.accumulated()) { try control.checkpoint() }
                .pictures()
        }
        try control.report(
            PassReport(
                pass: pass.pass, passCount: plannedPasses(scale: pass.scale), scale: pass.scale,
                scaleCount: proposed.count, step: pass.step,
                completesScale: pass.completesScale, seconds: pass.seconds, previews: previews,
                grid: pass.state.grid(side: side)))
    }

    func finished(_ state: ScaleState, row: [Int], fhat: Tensor) {
        ranRows.append(editRows == nil ? (refines ? row : [state.count]) : [state.count])
        grids.append(state.grid(side: tokenizer.configuration.patchNums[state.scale]))
    }

    /// Passes in all by what is known now: rows that ran, the one running, and those planned.
    private func plannedPasses(scale: Int) -> Int {
        if let editRows { return editRows.reduce(0) { $0 + $1.count } }
        guard refines else { return proposed.count - keptScales }
        let planned = control.plannedRows(proposed)
        return ranRows.dropFirst(keptScales).reduce(0) { $0 + $1.count } + current.count
            + planned[(scale + 1)...].reduce(0) { $0 + $1.count }
    }
}
