// The queue: trying again, taking out, and what waits from the last start.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    /// Queues a run as it was stored.
    static func enqueue(_ stored: StoredRun, _ state: inout AppState) -> [Effect] {
        let edit: EditRequest?
        do {
            edit = try stored.editRequest()
        } catch {
            notify(.error, "A stored edit cannot be read: \(error)", &state)
            return []
        }
        let run = Run(
            id: state.runs.nextID, kind: edit.map { .edit($0.mode) } ?? .sample,
            modelName: stored.model, request: stored.sampling, edit: edit)
        state.runs.append(run)
        let title = state.title(of: run)
        if let edit { return [.edit(run: run.id, title: title, edit)] }
        return [.sample(run: run.id, title: title, stored.sampling)]
    }

    /// The same once more: a run with its request, a model with its loading.
    static func retryJob(_ state: inout AppState) -> [Effect] {
        guard let job = state.jobs.selectedJob else {
            notify(.info, "There is no job to try again.", &state)
            return []
        }
        guard job.state.isFinished else {
            notify(.info, "The job has not ended; x cancels it.", &state)
            return []
        }
        if let run = state.runs.runs.first(where: { $0.job == job.id }) {
            var effects: [Effect] = []
            if run.modelName != state.model?.card.name,
                let entry = state.models.entries.first(where: { $0.card.name == run.modelName })
            {
                effects += load(entry, &state)
            }
            notify(.info, "Queued again: \(job.title).", &state)
            return effects + enqueue(StoredRun(run), &state)
        }
        if let entry = state.models.entries.first(where: { job.title == "Load \($0.card.name)" }) {
            return load(entry, &state)
        }
        notify(.info, "What this job needs is not known any more.", &state)
        return []
    }

    /// Takes a job out of the list; one that waits can be brought back by undo.
    static func removeJob(_ state: inout AppState) -> [Effect] {
        guard let job = state.jobs.selectedJob else { return [] }
        switch job.state {
        case .running, .paused, .cancelling:
            notify(.info, "The job runs; x cancels it.", &state)
            return []
        case .queued:
            if let run = state.runs.runs.first(where: { $0.job == job.id }) {
                state.runs.update(run.id) { $0.state = .cancelled }
                state.undo.record(
                    UndoEntry(title: "Job removed: \(job.title)", change: .jobs([StoredRun(run)])))
                return [.cancelRun(run.id), .removeJob(job.id)]
            }
            return [.cancelJob(job.id), .removeJob(job.id)]
        case .cancelled, .done, .failed: return [.removeJob(job.id)]
        }
    }

    /// Shows the picture of the selected job.
    static func showJob(_ state: inout AppState) -> [Effect] {
        guard let job = state.jobs.selectedJob,
            let run = state.runs.runs.first(where: { $0.job == job.id })
        else {
            notify(.info, "This job has no picture.", &state)
            return []
        }
        focus(.preview, &state)
        return Self.run(.show(run.id), &state)
    }

    // MARK: The next start

    /// Unfinished runs in the order of the queue, and those whose model is not loaded yet.
    static func waitingRuns(_ state: AppState) -> [StoredRun] {
        let order = Dictionary(
            state.jobs.jobs.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first })
        let unfinished = state.runs.runs.filter(\.isActive).sorted {
            ($0.job.flatMap { order[$0] } ?? Int.max, $0.id)
                < ($1.job.flatMap { order[$0] } ?? Int.max, $1.id)
        }
        return unfinished.map { StoredRun($0) } + state.session.waiting
    }

    /// Brings the jobs of the last start back, held until the person says so.
    static func resumeWaiting(_ state: inout AppState) -> [Effect] {
        guard let name = state.model?.card.name else { return [] }
        let own = state.session.waiting.filter { $0.model == name }
        state.session.waiting.removeAll { $0.model == name }
        if own.isEmpty {
            if let other = state.session.waiting.first {
                notify(
                    .info, "Jobs of the last start wait for \(other.model): load it in Models (1).",
                    &state)
            }
            return []
        }
        let count = own.count == 1 ? "One job" : "\(own.count) jobs"
        notify(.info, "\(count) of the last start: p goes on, 6 shows the queue.", &state)
        return [.pauseQueue(true)] + own.flatMap { enqueue($0, &state) }
    }
}
