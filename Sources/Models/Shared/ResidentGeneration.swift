// The sampling loop of plain samples with all of its state on the device.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// What ``ScaleGeneration`` does without an edit, for devices on which a round trip to the host costs
/// more than a pass: logits stay there, and passes of one shape are recorded once and replayed.
///
/// Numbers are those of the host's loop to rounding: the same random stream, filters and order of
/// masking. The first sample of a kind runs pass by pass, from the second on passes are replayed.
final class ResidentGeneration {
    /// What a recorded pass depends on, besides weights.
    struct Kind: Hashable {
        var variant: SamplingVariant
        var batch: Int
        var cfg: Double
        var mode: ComputeMode
        var topK: Int
        var topP: Double
        var operandType: DType
    }

    private enum Piece: Hashable {
        case condition
        /// `masked`: positions masked before; `number`: those to mask after.
        case pass(scale: Int, step: Int, masked: Int, number: Int)
        case decode
    }

    let kind: Kind
    let device: any Device
    private let state: ResidentState
    private let tokenizer: VQVAE
    private let refines: Bool
    private let noClass: Int
    private let makePredictor: (_ labels: Tensor) -> any ScalePredictor
    private var predictor: (any ScalePredictor)?
    private var recorder: (any WorkRecorder)?
    private var seen: Set<Piece> = []
    private var recorded: [Piece: any RecordedWork] = [:]
    private var images: Tensor?
    private var generations = 0

    /// - Parameters:
    ///   - makePredictor: given 2B labels on the device, conditional ones first; it must keep nothing
    ///     from pass to pass but what its passes write anew every time.
    init(
        _ kind: Kind, tokenizer: VQVAE, refines: Bool, noClass: Int, device: any Device,
        makePredictor: @escaping (_ labels: Tensor) -> any ScalePredictor
    ) {
        self.kind = kind
        self.tokenizer = tokenizer
        self.refines = refines
        self.noClass = noClass
        self.device = device
        self.makePredictor = makePredictor
        state = ResidentState(batch: kind.batch, quantizer: tokenizer.quantizer, device: device)
    }

    /// What a run leaves, with its pictures.
    struct Outcome {
        var generation: ScaleGeneration.Outcome
        var images: [RGBImage]
        var secondsPerScale: [Double]
        var decodeSeconds: Double
    }

    /// Runs all scales and decodes.
    ///
    /// - Parameters:
    ///   - labels: B class labels.
    ///   - rows: S_k of every scale.
    /// - Throws: `CancellationError`, ``SamplingError``, `ScheduleError`, errors of the device.
    func run(
        labels: [Int32], rows proposed: [[Int]], sampler: RandomSampler,
        observer: any GenerationObserver
    ) throws -> Outcome {
        try withDevice(device) {
            try withoutGradients {
                try generate(labels, proposed, sampler, observer)
            }
        }
    }

    private func generate(
        _ labels: [Int32], _ proposed: [[Int]], _ sampler: RandomSampler,
        _ observer: any GenerationObserver
    ) throws -> Outcome {
        if generations == 1 { recorder = device.makeRecorder() }
        generations += 1
        var sampler = sampler
        let isWatched = observer.wantsPasses
        var moments = [device.moment()]
        var (rows, passCount, cacheBytes): ([[Int]], Int, Int) = ([], 0, 0)
        state.start(labels: labels, noClass: noClass)
        state.writeAhead(rows: proposed.indices.map { passes(proposed[$0], $0) }, sampler: sampler)
        try run(.condition, observer)
        for scale in proposed.indices {
            var row = try checked(
                observer.row(scale: scale, proposed: proposed[scale]), scale: scale)
            rows.append(row)
            let isForeseen = rows == Array(proposed[...scale])
            row = passes(row, scale)
            for step in row.indices {
                try observer.checkpoint()
                let began = isWatched ? device.moment() : moments[0]
                let bits = sampler.uniformBits(count: state.counts[scale])
                if !isForeseen || !ResidentState.isAhead(step) {
                    state.write(uniforms: bits, scale: scale, step: step)
                }
                let number = row[(step + 1)...].reduce(0, +)
                if number > 0 { _ = state.positions(scale, step: step) }
                try run(
                    .pass(
                        scale: scale, step: step, masked: step == 0 ? 0 : row[step] + number,
                        number: number), observer)
                passCount += 1
                cacheBytes = max(cacheBytes, predictor?.cacheBytes ?? 0)
                guard isWatched else { continue }
                let seconds = device.moment().seconds(since: began)
                let map = try report(
                    scale, row, step: step, pass: passCount, seconds: seconds, observer)
                if number == 0 { observer.finished(map, row: rows[scale], fhat: state.fhat) }
            }
            moments.append(device.moment())
        }
        // The host reads the maps while the device decodes.
        let fetched = state.beginFetch()
        try run(.decode, observer)
        let decoded = device.moment()
        let snapshot = fetched()
        try check(snapshot)
        for (scale, row) in rows.enumerated() where !isWatched {
            observer.finished(
                snapshot.scaleState(
                    scale, row: refines && scale > 0 ? row : [row.reduce(0, +)],
                    steps: refines ? row.count : 1), row: row, fhat: state.fhat)
        }
        return Outcome(
            generation: .init(
                tokens: rows.indices.map { snapshot.tokens($0) }, fhat: state.fhat, rows: rows,
                passCount: passCount, cacheBytes: cacheBytes),
            images: images?.pictures() ?? [],
            secondsPerScale: zip(moments.dropFirst(), moments).map { $0.seconds(since: $1) },
            decodeSeconds: decoded.seconds(since: moments[moments.count - 1]))
    }

    /// The passes of a row: one where nothing is refined.
    private func passes(_ row: [Int], _ scale: Int) -> [Int] {
        !refines || scale == 0 ? [row.reduce(0, +)] : row
    }

    private func checked(_ row: [Int], scale: Int) throws -> [Int] {
        var schedule = SamplingSchedule.nextScaleOnly(
            patchNums: tokenizer.configuration.patchNums)
        try schedule.setRow(row, scale: scale)
        return row
    }

    private func check(_ snapshot: ResidentState.Snapshot) throws {
        try device.throwPendingError()
        guard snapshot.failure > 0 else { return }
        throw SamplingError.nonFiniteLogits(
            scale: (snapshot.failure - 1) / Self.stepsOfScale,
            step: (snapshot.failure - 1) % Self.stepsOfScale)
    }

    private func report(
        _ scale: Int, _ row: [Int], step: Int, pass: Int, seconds: Double,
        _ observer: any GenerationObserver
    ) throws -> ScaleState {
        let snapshot = state.fetch()
        try check(snapshot)
        let isLast = step == row.count - 1
        let map = snapshot.scaleState(scale, row: row, steps: step + 1)
        try observer.pass(
            GenerationPass(
                pass: pass, scale: scale, step: step, completesScale: isLast, seconds: seconds,
                state: map,
                accumulated: { [state, tokenizer] in
                    isLast
                        ? state.fhat
                        : state.fhat
                            + tokenizer.quantizer.contribution(state.tokens(scale), scale: scale)
                }))
        return map
    }

    // MARK: Pieces of work

    private static let stepsOfScale = 1 << 14

    /// Replays a piece, or records it if it ran before, or runs it.
    private func run(_ piece: Piece, _ observer: any GenerationObserver) throws {
        if let work = recorded[piece] { return work.replay() }
        guard let recorder, seen.contains(piece) else {
            try work(piece) { try observer.checkpoint() }
            try device.throwPendingError()
            seen.insert(piece)
            return
        }
        let made = try recorder.record(changing: state.tensors) { try work(piece) {} }
        recorded[piece] = made
        made.replay()
    }

    private func work(_ piece: Piece, checkpoint: () throws -> Void) throws {
        switch piece {
        case .condition: predictor = makePredictor(state.labels)
        case .pass(let scale, let step, let masked, let number):
            try pass(scale, step, masked: masked, number: number, checkpoint)
        case .decode: images = try tokenizer.decode(state.fhat, checkpoint: checkpoint)
        }
    }

    private func pass(
        _ scale: Int, _ step: Int, masked: Int, number: Int, _ checkpoint: () throws -> Void
    ) throws {
        guard let predictor else { preconditionFailure("a pass before its condition") }
        let quantizer = tokenizer.quantizer
        let context =
            scale > 0
            ? Quantizer.rows(quantizer.down(state.fhat, scale: scale)).contiguous() : nil
        let logits: Tensor
        if step > 0, let context {
            logits = try predictor.maskedLogits(
                scale: scale, context: context,
                own: Quantizer.rows(
                    quantizer.down(
                        quantizer.resident(state.tokens(scale), scale: scale), scale: scale)),
                masked: state.flags(scale), checkpoint: checkpoint)
        } else {
            logits = try predictor.nextScaleLogits(
                scale: scale, context: context, checkpoint: checkpoint)
        }
        let flat = logits.reshaped([kind.batch * state.counts[scale], logits.shape[2]])
        let chosen = step > 0 ? state.flags(scale).reshaped([flat.shape[0]]) : nil
        device.drawCodes(
            flat, uniforms: state.uniforms(scale, step: step), chosen: chosen, topK: kind.topK,
            topP: kind.topP, call: scale * Self.stepsOfScale + step + 1, into: state.target(scale),
            summary: state.summary(scale))
        if number > 0 {
            let positions = state.positions(scale, step: step)
            if step > 0 {
                device.copy(state.positions(scale, step: step - 1), into: positions)
            }
            device.maskLeastConfident(
                state.confidence(scale), positions: positions, length: step > 0 ? masked : nil,
                number: number, flags: state.flags(scale))
        } else {
            quantizer.resident(state.tokens(scale), scale: scale, addedTo: state.fhat)
        }
    }
}

/// The last kind of sample that a session made, ready for another one.
final class ResidentGenerations: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: ResidentGeneration?

    /// Takes out what is kept if it is of this kind; what is of another kind goes, with its memory.
    func take(_ kind: ResidentGeneration.Kind, on device: any Device) -> ResidentGeneration? {
        lock.withLock {
            defer { kept = nil }
            return kept.flatMap { $0.kind == kind && $0.device === device ? $0 : nil }
        }
    }

    func keep(_ generation: ResidentGeneration) { lock.withLock { kept = generation } }
}
