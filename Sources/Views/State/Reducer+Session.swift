// Writing the session and taking one up again.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func session(_ action: SessionAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .opened(let recovered, let queue):
            state.session.isReadOnly = false
            state.session.waiting = queue
            state.session.recovered = recovered
            if recovered != nil {
                state.overlays.append(
                    .question(
                        Question(
                            kind: .restore, title: "Restore the last session?",
                            text: "The program ended unexpectedly. Its mask, schedule, parameters "
                                + "and last picture were kept.",
                            answers: ["Restore", "Start anew"])))
            }
            return resumeWaiting(&state)
        case .firstSteps(let taken): state.firstSteps = FirstStepsState(taken: taken, isKnown: true)
        case .layout(let weights): state.layout.kept = weights
        case .gallery(let runs): restoreGallery(runs, &state)
        case .readOnly(let reason):
            state.session.isReadOnly = true
            if !reason.isEmpty {
                notify(.warning, reason, &state)
                return [.log(.warning, reason)]
            }
        case .restore: return restore(&state)
        case .written: break
        case .keptGallery: state.session.hasLostGallery = false
        case .lostGallery(let reason):
            state.session.hasLostGallery = true
            notify(.error, reason, &state)
            return [.log(.error, reason)]
        }
        return []
    }

    /// The effect that keeps where dividers were dragged to, if any was.
    static func saveLayout(_ state: inout AppState) -> [Effect] {
        guard state.layout.isUnsaved else { return [] }
        state.layout.isUnsaved = false
        return state.session.isReadOnly ? [] : [.saveLayout(state.layout.weights)]
    }

    /// The effect that writes the session, if there is something to write.
    static func saveSession(_ state: inout AppState, beforeJob: Bool = false) -> [Effect] {
        guard !state.session.isReadOnly, beforeJob || state.session.dirtySince != nil,
            !state.schedule.values.rows.isEmpty
        else {
            state.session.dirtySince = nil
            return []
        }
        state.session.dirtySince = nil
        return [.saveSession(SessionSnapshot(state))]
    }

    private static func restore(_ state: inout AppState) -> [Effect] {
        guard let snapshot = state.session.recovered else { return [] }
        state.session.recovered = nil
        state.schedule.values = snapshot.schedule
        state.schedule.field = .generate
        state.schedule.editing = nil
        state.mask.settings = snapshot.edit
        if let source = try? snapshot.source?.image() {
            state.mask.open(source, name: snapshot.sourceName, notice: nil)
            if let mask = try? snapshot.mask?.mask(), mask.width == source.width,
                mask.height == source.height
            {
                state.mask.mask = mask
            }
        }
        state.undo.replace(by: snapshot.undo)
        state.train.dataFolders.merge(snapshot.trainingData ?? [:]) { now, _ in now }
        state.train.outFolders.merge(snapshot.trainingFolders ?? [:]) { now, _ in now }
        if let device = snapshot.device,
            state.models.devices.isEmpty
                || state.models.devices.contains(where: { $0.name == device })
        {
            state.models.device = device
        }
        if let picture = try? snapshot.picture?.image(),
            let known = state.runs.runs.last(where: { $0.images.first == picture })
        {
            state.runs.shownID = known.id
        } else if let picture = try? snapshot.picture?.image(),
            let request = state.schedule.request()
        {
            var run = Run(
                id: state.runs.nextID, kind: .sample, modelName: snapshot.model ?? "",
                request: request)
            run.state = .done
            run.images = [picture]
            run.isSaved = true
            state.runs.append(run)
            state.runs.shownID = run.id
        }
        notify(.info, "The last session is back.", &state)
        if let name = snapshot.model,
            state.model?.card.name != name || state.models.loadedDevice != state.models.device,
            let entry = state.models.entries.first(where: { $0.card.name == name })
        {
            return load(entry, &state)
        }
        return []
    }
}
