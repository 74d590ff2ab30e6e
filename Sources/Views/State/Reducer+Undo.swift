// Undo of everything: pictures to edit, models and jobs beside strokes and values; the list to walk.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What is compared around an action, to make changes undoable that no single place makes.
nonisolated struct Remembered {
    private let canvas: MaskState
    private let steps: Int
    private let generation: Int
    private let unfinished: [Int]
    private let waiting: Int
    private let kept: [RunsState.Kept]

    init(_ state: AppState) {
        canvas = state.mask
        steps = state.undo.undo.count
        generation = state.undo.generation
        unfinished = Self.unfinished(state)
        waiting = state.session.waiting.count
        kept = state.runs.kept
    }

    /// Only these actions exchange the picture to edit; strokes must not copy the mask.
    static func isNeeded(for action: Action) -> Bool {
        switch action {
        case .mask(.begin), .mask(.move), .tick, .log, .preview, .tokens, .layout,
            .terminal:
            false
        default: true
        }
    }

    private static func unfinished(_ state: AppState) -> [Int] {
        let active = Set(state.runs.runs.lazy.filter(\.isActive).map(\.id))
        guard active.count > 1 else { return Array(active) }
        return state.jobs.jobs.compactMap { job in
            state.runs.runs.first { $0.job == job.id && $0.isActive }?.id
        } + active.sorted()
    }

    /// Records another picture to edit, and keeps the queue for the next start.
    func compare(_ action: Action, _ state: inout AppState) -> [Effect] {
        if generation == state.undo.generation, canvas.source != state.mask.source {
            switch action {
            // A model brings its own entry; a restored session its own history.
            case .models, .session: break
            default:
                let before = StoredCanvas(canvas)
                let after = StoredCanvas(state.mask)
                // Strokes made in the same action are part of the exchange.
                state.undo.dropMasks(since: steps)
                let name = state.mask.sourceName
                state.undo.record(
                    UndoEntry(
                        title: name.isEmpty ? "Picture to edit" : "Picture to edit: \(name)",
                        change: .canvas(before: before, after: after)))
            }
        }
        var steps = Reducer.noteFirstSteps(&state)
        if !state.session.isReadOnly, kept != state.runs.kept {
            steps.append(.saveGallery(state.runs.keepable))
        }
        guard !state.session.isReadOnly,
            unfinished != Self.unfinished(state) || waiting != state.session.waiting.count
        else { return steps }
        return steps + [.saveQueue(Reducer.waitingRuns(state))]
    }
}

/// The picture to edit with its mask, as undo steps hold it.
nonisolated struct StoredCanvas: Sendable, Equatable, Codable {
    var name: String
    var path: String?
    var image: StoredImage?
    var mask: StoredMask?
    var result: StoredImage?
    var resultRun: Int?
    var canvas: LargeCanvas?

    init(_ state: MaskState) {
        canvas = state.canvas
        name = state.sourceName
        path = state.sourcePath
        image = state.source.map { StoredImage($0) }
        mask = state.mask.map { StoredMask($0) }
        result = state.result.map { StoredImage($0) }
        resultRun = state.resultRun
    }

    /// Puts the picture back; nothing happens when the stored bytes do not fit their size.
    func apply(to state: inout MaskState) {
        guard let image else {
            state.source = nil
            state.mask = nil
            state.result = nil
            state.sourceName = ""
            return
        }
        guard let picture = try? image.image() else { return }
        state.open(picture, name: name, path: path)
        if let stored = try? mask?.mask(), stored.width == picture.width,
            stored.height == picture.height
        {
            state.mask = stored
        }
        state.result = try? result?.image()
        state.resultRun = resultRun
        state.canvas = canvas.flatMap { $0.fits(picture) ? $0 : nil }
    }

    var bytes: Int {
        256 + (image?.pixels.count ?? 0) + (result?.pixels.count ?? 0)
            + 8 * (mask?.runs.count ?? 0) + (canvas?.image.pixels.count ?? 0)
    }
}

/// A model with what was set for it.
nonisolated struct StoredModel: Sendable, Equatable, Codable {
    var name: String
    var values: ScheduleValues
    var canvas: StoredCanvas
}

nonisolated extension Reducer {
    static func undo(_ state: inout AppState) -> [Effect] {
        endStroke(&state)
        guard !isLoading(&state) else { return [] }
        guard let entry = state.undo.takeUndo() else {
            notify(.info, "Nothing to undo.", &state)
            return []
        }
        return applyUndo(entry, isRedo: false, &state)
    }

    static func redo(_ state: inout AppState) -> [Effect] {
        endStroke(&state)
        guard !isLoading(&state) else { return [] }
        guard let entry = state.undo.takeRedo() else {
            notify(.info, "Nothing to redo.", &state)
            return []
        }
        return applyUndo(entry, isRedo: true, &state)
    }

    /// Goes to a place of the history: so many entries done. A model on the way is waited for.
    static func walk(to place: Int, _ state: inout AppState) -> [Effect] {
        var effects: [Effect] = []
        while state.undo.undo.count != place {
            let isRedo = state.undo.undo.count < place
            let before = state.undo.undo.count
            effects += isRedo ? redo(&state) : undo(&state)
            if state.undo.undo.count == before { break }
            if case .loading = state.models.loading { break }
        }
        return effects
    }

    private static func isLoading(_ state: inout AppState) -> Bool {
        guard case .loading(let name) = state.models.loading else { return false }
        notify(.info, "\(name) is still loading.", &state)
        return true
    }

    private static func applyUndo(
        _ entry: UndoEntry, isRedo: Bool, _ state: inout AppState
    ) -> [Effect] {
        markDirty(&state)
        notify(.info, (isRedo ? "Redone: " : "Undone: ") + entry.title, &state)
        switch entry.change {
        case .mask(let rows):
            state.mask.mask?.apply(rows)
            state.mask.isMaskShown = true
            state.mask.view = .mask
            return []
        case .settings(let before, let after):
            state.schedule.editing = nil
            let old = state.schedule.values
            let new = isRedo ? after : before
            guard new.patchNums == old.patchNums else { return [] }
            state.schedule.values = new
            return applyToActiveRun(before: old, &state)
        case .edit(let before, let after):
            state.mask.settings = isRedo ? after : before
            return []
        case .symmetry(let number, let before, let after):
            guard let side = SymmetrySide(rawValue: number), state.symmetry.sides[side] != nil
            else { return [] }
            state.symmetry.sides[side]?.settings = isRedo ? after : before
            clampSymmetrySettings(side, &state)
            return askSymmetryTable(side, &state) + askSymmetry(side, &state)
        case .canvas(let before, let after):
            (isRedo ? after : before).apply(to: &state.mask)
            return []
        case .gallery(let run, let picture):
            setHidden(GalleryItem(run: run, picture: picture), isRedo, &state)
            return []
        case .model(let before, let after):
            let wanted = isRedo ? after : before
            guard let entry = state.models.entries.first(where: { $0.card.name == wanted.name })
            else {
                notify(.error, "\(wanted.name) is not installed any more.", &state)
                return []
            }
            state.models.revisited = wanted
            return load(entry, &state)
        case .jobs(let stored):
            if isRedo {
                // Those brought back are the newest ones that wait.
                let waiting = state.runs.runs.filter { $0.state == .waiting }.suffix(stored.count)
                return waiting.flatMap { run in
                    [.cancelRun(run.id)] + (run.job.map { [.removeJob($0)] } ?? [])
                }
            }
            return stored.flatMap { enqueue($0, &state) }
        }
    }
}

nonisolated extension UndoEntry {
    /// What changed, in a few words; empty where the title says it.
    var detail: String {
        switch change {
        case .mask(let rows):
            let pixels = rows.reduce(0) { $0 + $1.toggled.reduce(0) { $0 + $1.nonzeroBitCount } }
            return "\(pixels) pixels"
        case .settings(let a, let b):
            if a.seed != b.seed { return "\(a.seed) → \(b.seed)" }
            if a.classLabel != b.classLabel {
                func name(_ label: Int?) -> String { label.map(String.init) ?? "none" }
                return "\(name(a.classLabel)) → \(name(b.classLabel))"
            }
            if a.cfg != b.cfg { return "\(a.cfg) → \(b.cfg)" }
            if a.topK != b.topK { return "\(a.topK) → \(b.topK)" }
            if a.topP != b.topP { return "\(a.topP) → \(b.topP)" }
            if a.count != b.count { return "\(a.count) → \(b.count)" }
            if a.passCount != b.passCount { return "\(a.passCount) → \(b.passCount) passes" }
            return ""
        case .edit(let a, let b):
            if a.mode != b.mode { return "\(a.mode.rawValue) → \(b.mode.rawValue)" }
            if a.keepScales != b.keepScales { return "\(a.keepScales) → \(b.keepScales)" }
            if a.dilate != b.dilate { return "\(a.dilate) → \(b.dilate)" }
            return ""
        case .symmetry(_, let a, let b):
            if a.neighbours != b.neighbours { return "\(a.neighbours) → \(b.neighbours)" }
            if a.mean != b.mean {
                return "\(SymmetryText.mean(a.mean)) → \(SymmetryText.mean(b.mean))"
            }
            if a.estimator != b.estimator {
                return "\(a.estimator.rawValue) → \(b.estimator.rawValue)"
            }
            if a.look != b.look { return "\(a.look.rawValue) → \(b.look.rawValue)" }
            return ""
        case .canvas, .jobs, .gallery: return ""
        case .model(let a, let b): return "\(a.name) → \(b.name)"
        }
    }
}

nonisolated extension AppState {
    /// One place of the history: so many entries done.
    struct HistoryLine: Sendable, Equatable {
        var place: Int
        var title: String
        var detail: String
        var isDone: Bool
    }

    /// The history from its beginning to the last thing undone, narrowed by what was typed.
    func historyLines(_ overlay: Overlay) -> [HistoryLine] {
        let start = HistoryLine(place: 0, title: "The beginning", detail: "", isDone: true)
        let done = undo.undo.enumerated().map {
            HistoryLine(place: $0 + 1, title: $1.title, detail: $1.detail, isDone: true)
        }
        let undone = undo.redo.reversed().enumerated().map {
            HistoryLine(
                place: done.count + $0 + 1, title: $1.title, detail: $1.detail, isDone: false)
        }
        let query = overlay.list?.entry.text ?? ""
        let all = [start] + done + undone
        return query.isEmpty ? all : all.filter { FuzzyMatch.score(query, in: $0.title) != nil }
    }
}
