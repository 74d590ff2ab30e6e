// The command line that does the same as what the screen shows.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum CommandLineText {
    /// The command for what the focused pane shows; nil while there is no model.
    static func equivalent(to state: AppState) -> String? {
        switch state.layout.focus {
        case .models:
            guard let entry = state.models.selectedEntry else { return nil }
            return "workbench models show \(quoted(entry.card.name))"
        case .mask: return edit(of: state) ?? sample(of: state)
        case .preview:
            if state.preview.view == .compare, !state.runs.comparison.isEmpty {
                return state.runs.comparison.map { line(for: $0, state) }.joined(separator: " && ")
            }
            return state.runs.shown.map { line(for: $0, state) } ?? sample(of: state)
        case .tokens:
            return state.runs.shown.map {
                line(for: $0, state) + ($0.edit == nil ? " --trace trace" : "")
            } ?? sample(of: state)
        case .jobs:
            guard let job = state.jobs.selectedJob else { return sample(of: state) }
            if let run = state.runs.runs.first(where: { $0.job == job.id }) {
                return line(for: run, state)
            }
            let loaded = state.models.entries.first { job.title == "Load \($0.card.name)" }
            return loaded.map { "workbench models show \(quoted($0.card.name))" }
                ?? sample(of: state)
        case .train: return training(state)
        case .symmetry: return symmetry(state.symmetry) ?? sample(of: state)
        default: return sample(of: state)
        }
    }

    /// The value in focus, for a note or another program.
    static func value(of state: AppState) -> String? {
        let values = state.schedule.values
        switch state.layout.focus {
        case .models: return state.models.selectedEntry?.card.name
        case .schedule:
            switch state.schedule.field {
            case .row(let scale):
                return values.rows.indices.contains(scale) ? values.rows[scale].text : nil
            case .classLabel: return state.model?.className(values.classLabel)
            case .seed: return String(values.seed)
            case .cfg: return String(values.cfg)
            case .topK: return String(values.topK)
            case .topP: return String(values.topP)
            case .count: return String(values.count)
            case .variant: return values.variant.rawValue
            case .mode: return values.mode.rawValue
            case .preset, .generate:
                return state.schedule.schedule(for: values.variant).map(json)
            }
        case .mask:
            return state.mask.mask.map {
                "\(state.mask.cursor.x),\(state.mask.cursor.y) \($0.coverage)"
            }
        case .tokens:
            guard let grid = state.shownGrid else { return nil }
            let index = state.tokens.row * grid.side + state.tokens.column
            return grid.tokens.indices.contains(index) ? String(grid.tokens[index]) : nil
        case .log:
            let lines = state.log.shown
            let index = lines.count - 1 - state.log.scroll
            return lines.indices.contains(index) ? lines[index].text : nil
        case .jobs: return state.jobs.selectedJob?.title
        default: return state.runs.shown.map { String($0.request.seed) } ?? String(values.seed)
        }
    }

    private static func sample(of state: AppState) -> String? {
        guard let facts = state.model, let request = state.schedule.request() else { return nil }
        return line(for: request, model: facts.card.name)
    }

    private static func edit(of state: AppState) -> String? {
        guard let facts = state.model, let sampling = state.schedule.request(variant: .hmar),
            let edit = state.mask.request(sampling: sampling)
        else { return nil }
        return line(
            for: edit, model: facts.card.name, picture: state.mask.sourcePath ?? "picture.png")
    }

    /// The command that makes a run again, with the schedule that really ran.
    private static func line(for run: Run, _ state: AppState) -> String {
        var request = run.request
        request.schedule = run.schedule
        if run.request.start != nil {
            // The tokens it starts from travel in the saved picture.
            return "workbench replay " + quoted("\(run.modelName)-branch-\(run.id).png")
        }
        guard var edit = run.edit else { return line(for: request, model: run.modelName) }
        edit.sampling.schedule = run.schedule
        let isOpen = state.mask.source == edit.source
        return line(
            for: edit, model: run.modelName,
            picture: (isOpen ? state.mask.sourcePath : nil) ?? "picture.png")
    }

    /// `workbench train …` of the recipe selected.
    private static func training(_ state: AppState) -> String? {
        guard case .recipe(let recipe)? = state.train.selectedItem, recipe.problem == nil else {
            return nil
        }
        let request = Reducer.request(
            recipe, folder: state.train.folder(of: recipe),
            data: state.train.dataFolder(of: recipe), state)
        var words = ["workbench", "train", quoted(request.recipePath)]
        if let data = request.dataFolder { words += ["--data", quoted(data)] }
        words += ["--out", quoted(request.outFolder)]
        if let device = request.device { words += ["--device", device] }
        if state.train.shown?.status?.checkpointStep != nil { words.append("--resume") }
        return words.joined(separator: " ")
    }

    static func line(for request: SamplingRequest, model: String) -> String {
        var words = ["workbench", "sample", "--model", model]
        if request.variant != .hmar { words += ["--variant", request.variant.rawValue] }
        words += common(request)
        words += ["--count", String(request.count), "--schedule", quoted(json(request.schedule))]
        words += ["--out", "."]
        return words.joined(separator: " ")
    }

    static func line(for edit: EditRequest, model: String, picture: String) -> String {
        var words = ["workbench", "edit", "--model", model]
        words += ["--image", quoted(picture)]
        if edit.mode == .repaint { words += ["--share", String(edit.share * 100)] }
        if edit.mode.usesMask { words += ["--mask", "mask.png"] }
        words += ["--mode", edit.mode.rawValue, "--anchor", edit.anchor.rawValue]
        words += ["--keep-scales", String(edit.keepScales), "--dilate", String(edit.dilate)]
        words += ["--steps", edit.maskSteps.map(String.init).joined(separator: ",")]
        if edit.pasteBack { words.append("--paste-back") }
        words += common(edit.sampling)
        words += ["--out", "edited.png"]
        return words.joined(separator: " ")
    }

    private static func common(_ request: SamplingRequest) -> [String] {
        var words: [String] = []
        if let label = request.classLabel { words += ["--class", String(label)] }
        words += ["--seed", String(request.seed), "--cfg", String(request.cfg)]
        words += ["--top-k", String(request.topK), "--top-p", String(request.topP)]
        if request.mode == .exact { words += ["--compute", "exact"] }
        return words
    }

    static func json(_ schedule: SamplingSchedule) -> String {
        let rows = schedule.rows.map { "[" + $0.map(String.init).joined(separator: ",") + "]" }
        return "[" + rows.joined(separator: ",") + "]"
    }

    static func quoted(_ text: String) -> String {
        let plain = text.allSatisfy { $0.isLetter || $0.isNumber || "-_./".contains($0) }
        return plain && !text.isEmpty
            ? text
            : "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }
}
