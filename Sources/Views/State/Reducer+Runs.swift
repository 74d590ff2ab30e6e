// Starting runs and taking in what they report.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    /// What can be done with a first picture, with the keys in force.
    private static func nextSteps(_ state: AppState) -> String {
        func key(_ command: Command) -> String {
            state.bindings.firstKey(for: command, in: .preview)?.label ?? command.title
        }
        return "Done. \(key(.runNewSeed)): another seed. \(key(.editPicture)): edit this one with "
            + "a mask. \(key(.savePicture)): save it."
    }

    static func run(_ action: RunAction, _ state: inout AppState) -> [Effect] {
        defer { state.runs.forget() }
        switch action {
        case .queued(let id, let job): state.runs.update(id) { $0.job = job }
        case .started(let id):
            state.runs.update(id) { $0.state = .running }
            // What was said before the run, such as that the model is ready, is old now.
            if state.notice?.level == .info { state.notice = nil }
            show(id, &state)
        case .pass(let id, let report): pass(id, report, &state)
        case .sampled(let id, let result):
            sampled(id, result, &state)
            if state.runs.runs.count(where: { !$0.images.isEmpty }) == 1 {
                notify(.info, nextSteps(state), &state)
            }
            compareWithFile(id, &state)
        case .edited(let id, let result):
            sampled(id, result.sampling, &state)
            state.runs.update(id) {
                $0.reconstruction = result.reconstruction
                $0.editable = result.editable
            }
            state.mask.result = result.sampling.images.first
            state.mask.resultRun = id
            state.mask.view = .after
            func key(_ command: Command) -> String {
                state.bindings.firstKey(for: command, in: .mask)?.label ?? command.title
            }
            notify(
                .info,
                "The edit is done: \(key(.nextMaskView)) compares with before, "
                    + "\(key(.acceptResult)) goes on from it.", &state)
            compareWithFile(id, &state)
        case .scalePictures(let id, let pictures):
            state.runs.update(id) { run in
                for (scale, images) in pictures {
                    guard let last = run.passes.lastIndex(where: { $0.scale == scale }),
                        run.passes[last].previews.isEmpty
                    else { continue }
                    run.passes[last].previews = images
                }
            }
        case .cancelled(let id):
            state.runs.update(id) {
                $0.state = .cancelled
                $0.isPaused = false
            }
            notify(.info, "Cancelled; the passes that were made are kept.", &state)
        case .failed(let id, let reason):
            state.runs.update(id) {
                $0.state = .failed(reason)
                $0.isPaused = false
            }
            notify(.error, reason, &state)
            return [.log(.error, reason)]
        case .show(let id):
            if state.runs.run(id: id) != nil { show(id, &state) }
        }
        return []
    }

    static func show(_ id: Int, _ state: inout AppState) {
        state.runs.shownID = id
        state.preview.pass = nil
        state.tokens.scale = nil
        let count = state.runs.run(id: id)?.request.count ?? 1
        state.preview.picture = min(state.preview.picture, count - 1)
    }

    private static func pass(_ id: Int, _ report: PassReport, _ state: inout AppState) {
        guard let run = state.runs.run(id: id), run.isActive else { return }
        state.runs.update(id) {
            $0.state = .running
            $0.passes.append(PassRecord(report))
            $0.passCount = report.passCount
        }
        // The first passes of a process also pay for its caches; they are recorded all the same and
        // fade from the running mean.
        state.schedule.timings.record(
            report.seconds, model: run.modelName, request: run.request, scale: report.scale,
            isMaskStep: report.step > 0)
        state.runs.thin()
        clampTokens(&state)
    }

    private static func sampled(_ id: Int, _ result: SamplingResult, _ state: inout AppState) {
        state.runs.update(id) {
            $0.state = .done
            $0.isPaused = false
            $0.images = result.images
            $0.tokens = result.tokens
            $0.grids = result.grids
            $0.schedule = result.schedule
            $0.passCount = result.passCount
            $0.secondsPerScale = result.secondsPerScale
            $0.cacheBytes = result.cacheBytes
        }
        markDirty(&state)
    }

    // MARK: Starting

    /// Starts what Enter starts: a sample with the values shown.
    static func generate(_ state: inout AppState) -> [Effect] {
        guard let facts = readyModel(&state) else { return [] }
        guard let request = state.schedule.request() else { return [] }
        return start(request, facts: facts, group: nil, &state)
    }

    static func generateWithNewSeed(_ state: inout AppState) -> [Effect] {
        guard readyModel(&state) != nil else { return [] }
        let seed = nextSeed(after: state.schedule.values.seed)
        let effects = setSchedule("Seed", &state) { $0.seed = seed }
        return effects + generate(&state)
    }

    /// A seed that looks random and follows from the last one, so that a session can be repeated.
    static func nextSeed(after seed: UInt64) -> UInt64 {
        var z = seed &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (z ^ (z >> 31)) % 1_000_000
    }

    /// Queues the same request for every variant that the model has.
    static func compare(_ state: inout AppState) -> [Effect] {
        guard let facts = readyModel(&state) else { return [] }
        let order: [SamplingVariant] = [.var, .hmarNextScale, .hmar]
        let variants = order.filter { facts.variants.contains($0) }
        guard variants.count > 1 else {
            notify(.info, "\(facts.card.name) has one variant only; nothing to compare.", &state)
            return []
        }
        let group = state.runs.nextGroup
        state.runs.nextGroup += 1
        var effects: [Effect] = []
        for variant in variants {
            guard let request = state.schedule.request(variant: variant) else { continue }
            effects += start(request, facts: facts, group: group, &state)
        }
        state.preview.view = .compare
        focus(.preview, &state)
        return effects
    }

    static func start(
        _ request: SamplingRequest, facts: LoadedModelFacts, group: Int?,
        branch: BranchPoint? = nil, _ state: inout AppState
    ) -> [Effect] {
        var run = Run(
            id: state.runs.nextID, kind: .sample, modelName: facts.card.name, request: request,
            group: group)
        run.branch = branch
        state.runs.append(run)
        if group == nil {
            switch state.preview.view {
            case .compare, .gallery, .pair: state.preview.view = .picture
            case .picture, .scales, .grid, .branches: break
            }
            if !state.runs.runs.contains(where: { $0.isActive && $0.id != run.id }) {
                show(run.id, &state)
            }
        }
        if group == nil {
            if request.count > 1, state.preview.view == .picture { state.preview.view = .grid }
            if request.count == 1, state.preview.view == .grid { state.preview.view = .picture }
        }
        if state.layout.center == .mask { state.layout.center = .preview }
        if state.layout.front != .preview, state.layout.focus != state.layout.front {
            state.layout.front = .preview
        }
        if state.layout.focus == .mask { focus(.preview, &state) }
        let title = state.title(of: run)
        return saveSession(&state, beforeJob: true)
            + [.sample(run: run.id, title: title, request)]
    }

    static func runEdit(_ state: inout AppState) -> [Effect] {
        guard let facts = readyModel(&state) else { return [] }
        guard facts.canEdit else {
            notify(.error, "\(facts.card.name) cannot edit pictures.", &state)
            return []
        }
        endStroke(&state)
        guard let sampling = state.schedule.request(variant: .hmar),
            let request = state.mask.request(sampling: sampling)
        else {
            notify(
                .info, "First choose a picture: s takes the last sample, O opens a file.", &state)
            return []
        }
        if request.mode.usesMask, request.mask.coverage == 0 {
            notify(
                .info, "Nothing is masked. Paint what is to be drawn anew: Space or the mouse.",
                &state)
            return []
        }
        let cells = EditableCells.counts(state.mask, patchNums: facts.geometry.patchNums)
        if cells.allSatisfy({ $0 == 0 }) {
            notify(
                .warning,
                "No token cell is more than half masked: paint more, grow the mask with ., "
                    + "or keep fewer scales with <.", &state)
            return []
        }
        let run = Run(
            id: state.runs.nextID, kind: .edit(request.mode), modelName: facts.card.name,
            request: request.sampling, edit: request)
        state.runs.append(run)
        let title = state.title(of: run)
        return saveSession(&state, beforeJob: true) + [.edit(run: run.id, title: title, request)]
    }

    /// The model, or a notice that says why there is none.
    static func readyModel(_ state: inout AppState) -> LoadedModelFacts? {
        if let facts = state.model { return facts }
        switch state.models.loading {
        case .loading(let name): notify(.info, "\(name) is still loading.", &state)
        case .failed(let name, _):
            notify(.error, "\(name) could not be loaded; Log says why.", &state)
        case .idle:
            notify(.info, "No model is loaded: 1, then Enter on a model.", &state)
        }
        return nil
    }

    static func pauseRun(_ state: inout AppState) -> [Effect] {
        guard let run = state.runs.current else {
            notify(.info, "Nothing is running. Enter generates.", &state)
            return []
        }
        state.runs.update(run.id) { $0.isPaused.toggle() }
        return [.setPaused(run: run.id, !run.isPaused)]
    }

    static func stepRun(_ state: inout AppState) -> [Effect] {
        guard let run = state.runs.current else {
            notify(.info, "Nothing is running. Enter generates.", &state)
            return []
        }
        state.preview.pass = nil
        if run.isPaused { return [.step(run: run.id)] }
        state.runs.update(run.id) { $0.isPaused = true }
        return [.setPaused(run: run.id, true)]
    }

    /// Cancels the running job; returns nothing when none runs.
    static func cancelActive(_ state: inout AppState) -> [Effect] {
        if let run = state.runs.current {
            notify(.info, "Cancelling…", &state)
            return [.cancelRun(run.id)]
        }
        if let job = state.jobs.running {
            notify(.info, "Cancelling…", &state)
            return [.cancelJob(job.id)]
        }
        return []
    }
}

nonisolated extension SamplingVariant {
    var title: String {
        switch self {
        case .hmar: "HMAR"
        case .hmarNextScale: "HMAR without mask steps"
        case .var: "VAR"
        }
    }

    var shortTitle: String {
        switch self {
        case .hmar: "HMAR"
        case .hmarNextScale: "no mask steps"
        case .var: "VAR"
        }
    }
}

nonisolated extension EditMode {
    var title: String {
        switch self {
        case .inpaint: "Inpaint"
        case .outpaint: "Outpaint"
        case .classEdit: "Class edit"
        case .vary: "Vary"
        case .repaint: "Repaint"
        }
    }
}
