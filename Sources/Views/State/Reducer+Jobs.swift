// The job list, the log, and what became of files.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func jobs(_ action: JobsAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .changed(let jobs, let isPaused):
            let selectedID = state.jobs.selectedJob?.id
            state.jobs.jobs = jobs
            state.jobs.isPaused = isPaused
            if let selectedID, let index = jobs.firstIndex(where: { $0.id == selectedID }) {
                state.jobs.selected = index
            }
            // Until somebody looks at the list, what happens now is selected.
            if state.layout.focus != .jobs {
                state.jobs.selected =
                    jobs.firstIndex { $0.state == .running || $0.state == .cancelling }
                    ?? jobs.count - 1
            }
            state.jobs.selected = max(0, min(jobs.count - 1, state.jobs.selected))
            // A job that was cancelled while it waited never says so itself.
            let cancelled = Set(jobs.filter { $0.state == .cancelled }.map(\.id))
            for run in state.runs.runs where run.state == .waiting {
                guard let job = run.job, cancelled.contains(job) else { continue }
                state.runs.update(run.id) { $0.state = .cancelled }
            }
            state.runs.forget()
        case .select(let index):
            state.jobs.selected = max(0, min(state.jobs.jobs.count - 1, index))
        case .cancel(let id): return [.cancelJob(id)]
        }
        return []
    }

    static func log(_ action: LogAction, _ state: inout AppState) {
        switch action {
        case .append(let lines):
            state.log.lines += lines
            let extra = state.log.lines.count - LogState.kept
            if extra > 0 { state.log.lines.removeFirst(extra) }
            // Scrolled up: what is read stays where it is.
            if state.log.scroll > 0 { state.log.scroll += lines.count }
            clampLog(&state)
        case .scroll(let lines):
            state.log.scroll += lines
            clampLog(&state)
        }
    }

    static func clampLog(_ state: inout AppState) {
        state.log.scroll = max(0, min(max(0, state.log.shown.count - 1), state.log.scroll))
    }

    /// Scrolls to the next older (+1) or newer (−1) line with the text searched for.
    static func searchLog(
        _ direction: Int, fromNewest: Bool = false, _ state: inout AppState
    ) -> [Effect] {
        let lines = state.log.shown
        let query = state.log.query.lowercased()
        guard !query.isEmpty else { return [] }
        var scroll = fromNewest ? 0 : state.log.scroll + direction
        while scroll >= 0, scroll < lines.count {
            if lines[lines.count - 1 - scroll].text.lowercased().contains(query) {
                state.log.scroll = scroll
                return []
            }
            scroll += direction
        }
        notify(.info, "“\(state.log.query)” is not in the log further on.", &state)
        return []
    }

    static func file(_ action: FileAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .pictureSaved(let path, let run):
            state.runs.update(run) { $0.isSaved = true }
            notify(.info, "Saved \(path), with its recipe inside.", &state)
            return [.log(.info, "Saved \(path).")]
        case .maskWritten(let path):
            state.mask.isMaskUnsaved = false
            notify(.info, "Wrote the mask to \(path).", &state)
            return [.log(.info, "Wrote \(path).")]
        case .exists(let kind, let path):
            state.overlays.append(
                .question(
                    Question(
                        kind: .overwrite(kind, path: path), title: "Replace the file?",
                        text: "\(path) is there already.", answers: ["Replace", "Keep it"],
                        selected: 1)))
        case .failed(let reason):
            notify(.error, reason, &state)
            return [.log(.error, reason)]
        case .recipe(let opened): return replay(opened, &state)
        }
        return []
    }

    // MARK: Saving

    static func askToSave(_ state: inout AppState) {
        let pane = state.layout.focus
        if pane == .mask, let run = state.mask.resultRun, state.mask.result != nil {
            state.overlays.append(
                .prompt(.savePicture(run), TextEntry("edit-\(run).png"), problem: nil))
            return
        }
        guard let run = state.runs.shown, let image = state.shownPicture else {
            notify(.info, "There is no picture to save yet. Enter generates one.", &state)
            return
        }
        _ = image
        let label = state.model?.className(run.request.classLabel) ?? "sample"
        let clean = label.map { $0.isLetter || $0.isNumber ? $0 : "-" }
        let name = "\(run.modelName)-\(String(clean))-\(run.request.seed).png"
        state.overlays.append(.prompt(.savePicture(run.id), TextEntry(name), problem: nil))
    }

    static func save(
        run id: Int, path: String, overwrites: Bool, _ state: inout AppState
    ) -> [Effect] {
        guard let run = state.runs.run(id: id) else { return [] }
        let images = run.latestImages
        let index = id == state.runs.shownID ? state.preview.picture : 0
        guard images.indices.contains(index) else { return [] }
        var image =
            id == state.runs.shownID && state.preview.pass != nil
            ? state.shownPicture ?? images[index] : images[index]
        if id == state.mask.resultRun, let canvas = state.mask.canvas {
            image = canvas.with(state.mask.result, mask: state.mask.mask)
        }
        guard
            let card = state.models.entries.first(where: { $0.card.name == run.modelName })?.card
                ?? state.model?.card
        else { return [] }
        let recipe = PictureRecipe(
            program: Version.current, card: card, index: index,
            sampling: run.request, schedule: run.schedule, edit: run.edit)
        return [
            .savePicture(image, recipe: recipe, path: path, run: id, overwrites: overwrites)
        ]
    }
}
