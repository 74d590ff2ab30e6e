// The scale-by-scale sampling loop of VAR, HMAR and HMAR's editing.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// One run of the sampler: token maps coarse to fine, each refined by masked steps where asked.
///
/// Source: HMAR (arXiv 2506.04421), sampling; VAR (arXiv 2404.02905), algorithm 2. Editing is ours:
/// kept cells take the source's tokens, editable ones are sampled, then refined among themselves.
struct ScaleGeneration {
    /// What determines a run, besides network and sampler.
    struct Plan {
        /// Pictures B.
        var batch: Int
        /// S_k of every scale; for an edit only the fallback where nothing changes them.
        var rows: [[Int]]
        var topK: TopK
        var topP: TopP
        /// Whether rows of several entries are refined by the mask tower.
        var refines: Bool
        var edit: EditPlan?
        /// Scales that are taken over, B·p_k² codes each, picture by picture.
        var kept: [[Int32]] = []
    }

    /// What a finished run holds.
    struct Outcome {
        /// Per scale, B·p_k² codes, picture by picture.
        var tokens: [[Int32]]
        /// f̂ of all scales, [B, Z, P, P].
        var fhat: Tensor
        /// The rows that were run.
        var rows: [[Int]]
        var passCount: Int
        var cacheBytes: Int
    }

    let plan: Plan
    let predictor: any ScalePredictor
    let quantizer: Quantizer
    let observer: any GenerationObserver
    private var sampler: any TokenSampler

    private var fhat: Tensor
    private var passCount = 0
    private var cacheBytes = 0

    init(
        plan: Plan, predictor: any ScalePredictor, quantizer: Quantizer, sampler: any TokenSampler,
        observer: any GenerationObserver
    ) {
        self.plan = plan
        self.predictor = predictor
        self.quantizer = quantizer
        self.sampler = sampler
        self.observer = observer
        let (z, side) = (
            quantizer.configuration.latentChannels, quantizer.configuration.latentSide
        )
        fhat = .zeros([plan.batch, z, side, side])
    }

    /// Runs all scales.
    ///
    /// - Throws: `CancellationError`, ``SamplingError``, `ScheduleError` of a row changed on the way.
    mutating func run() throws -> Outcome {
        var tokens: [[Int32]] = []
        var rows: [[Int]] = []
        for scale in plan.rows.indices {
            let map =
                plan.kept.indices.contains(scale) ? try keepScale(scale) : try runScale(scale)
            tokens.append(map.tokens)
            rows.append(map.row)
        }
        return Outcome(
            tokens: tokens, fhat: fhat, rows: rows, passCount: passCount, cacheBytes: cacheBytes)
    }

    // MARK: One scale

    private mutating func runScale(_ scale: Int) throws -> (tokens: [Int32], row: [Int]) {
        let count = predictor.configuration.tokenCounts[scale]
        var state = ScaleState(
            scale: scale, count: count, batch: plan.batch,
            editable: plan.edit?.editable[scale] ?? [Bool](repeating: true, count: count))
        if let edit = plan.edit {
            state.setSource(edit.anchorTokens(scale: scale, fhat: fhat, quantizer: quantizer))
        }
        let proposed =
            plan.edit?.row(scale: scale, editableCount: state.open.count)
            ?? plan.rows[scale]
        let row =
            plan.edit == nil
            ? try checkedRow(observer.row(scale: scale, proposed: proposed), scale, count)
            : proposed
        if !state.open.isEmpty { try sampleMap(&state, row: row) }
        let h = quantizer.contribution(tensor(state.tokens, count), scale: scale)
        fhat = fhat + h
        observer.finished(state, row: row, fhat: fhat)
        return (state.tokens, row)
    }

    /// Takes a scale over: its codes count, its passes are not made.
    private mutating func keepScale(_ scale: Int) throws -> (tokens: [Int32], row: [Int]) {
        let count = predictor.configuration.tokenCounts[scale]
        let row = plan.rows[scale]
        if predictor.remembersScales {
            let context =
                scale > 0
                ? Quantizer.rows(quantizer.down(fhat, scale: scale)).contiguous() : nil
            _ = try predictor.nextScaleLogits(scale: scale, context: context) {
                try observer.checkpoint()
            }
            cacheBytes = max(cacheBytes, predictor.cacheBytes)
        }
        var state = ScaleState(
            scale: scale, count: count, batch: plan.batch,
            editable: [Bool](repeating: false, count: count))
        state.setSource(plan.kept[scale])
        let refines = plan.refines && scale > 0 && count > 1
        sampler.skip(count * (refines ? row.count : 1))
        fhat = fhat + quantizer.contribution(tensor(state.tokens, count), scale: scale)
        observer.finished(state, row: row, fhat: fhat)
        return (state.tokens, row)
    }

    private mutating func sampleMap(_ state: inout ScaleState, row: [Int]) throws {
        let scale = state.scale
        let context =
            scale > 0 ? Quantizer.rows(quantizer.down(fhat, scale: scale)).contiguous() : nil
        var started = ProcessInfo.processInfo.systemUptime
        let logits = try predictor.nextScaleLogits(scale: scale, context: context) {
            try observer.checkpoint()
        }
        var table = try draw(logits, state: &state, step: 0, positions: state.openPositions)
        cacheBytes = max(cacheBytes, predictor.cacheBytes)
        let refines = plan.refines && state.count > 1 && row.count > 1 && context != nil
        if refines {
            try state.mask(
                row.dropFirst().reduce(0, +), among: state.openPositions, table, observer)
        }
        try report(state, table, step: 0, started: started, isLast: !refines)
        guard refines, let context else { return }
        for step in 1..<row.count {
            started = ProcessInfo.processInfo.systemUptime
            let own = quantizer.ownContribution(tensor(state.tokens, state.count), scale: scale)
            let logits = try predictor.maskedLogits(
                scale: scale, context: context, own: own, masked: state.maskTensor
            ) { try observer.checkpoint() }
            table = try draw(logits, state: &state, step: step, positions: state.masked)
            let left = row[(step + 1)...].reduce(0, +)
            state.markFixed(step: step)
            if left > 0 { try state.mask(left, among: state.masked, table, observer) }
            try report(state, table, step: step, started: started, isLast: left == 0)
        }
    }

    /// Filters, samples, and takes the codes of `positions` (per picture) into the map.
    private mutating func draw(
        _ logits: Tensor, state: inout ScaleState, step: Int, positions: [[Int]]
    ) throws -> LogitTable {
        let raw = logits.floats()
        try logits.device.throwPendingError()
        guard raw.allSatisfy(\.isFinite) else {
            throw SamplingError.nonFiniteLogits(scale: state.scale, step: step)
        }
        let table = LogitTable(
            raw: raw, batch: plan.batch, count: state.count, vocabulary: logits.shape[2],
            topK: plan.topK, topP: plan.topP)
        let codes = try sampler.sample(table)
        observer.sampled(call: passCount, table: table, codes: codes)
        passCount += 1
        for (picture, list) in positions.enumerated() {
            for position in list {
                state.tokens[picture * state.count + position] =
                    codes[picture * state.count + position]
            }
        }
        if observer.wantsGrids {
            state.record(table, positions: positions.first ?? [])
        }
        return table
    }

    private func report(
        _ state: ScaleState, _ table: LogitTable, step: Int, started: Double, isLast: Bool
    ) throws {
        let seconds = ProcessInfo.processInfo.systemUptime - started
        let (before, quantizer) = (fhat, quantizer)
        let tokens = tensor(state.tokens, state.count)
        try observer.pass(
            GenerationPass(
                pass: passCount, scale: state.scale, step: step, completesScale: isLast,
                seconds: seconds, state: state,
                accumulated: {
                    before + quantizer.contribution(tokens, scale: state.scale)
                }))
    }

    private func tensor(_ tokens: [Int32], _ count: Int) -> Tensor {
        Tensor(int32: tokens, shape: [plan.batch, count])
    }

    private func checkedRow(_ row: [Int], _ scale: Int, _ count: Int) throws -> [Int] {
        var schedule = SamplingSchedule.nextScaleOnly(
            patchNums: predictor.configuration.patchNums)
        try schedule.setRow(row, scale: scale)
        return row
    }
}
