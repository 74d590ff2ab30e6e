// News of trainings, and what a person asks of them.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum TrainAction: Sendable {
    case listed([RecipeEntry], runs: [String])
    case news(String, TrainingNews)
    case started(folder: String)
    case refused(String)
    case picture(folder: String, TrainRun.Sample, RGBImage)
    case select(Int)
    case view(TrainView)
    case group(by: Int)
    case cursor(Double?)
    case scroll(Int)
}

nonisolated extension Reducer {
    static func train(_ action: TrainAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .listed(let recipes, let runs): return listed(recipes, runs, &state)
        case .news(let folder, let news): return take(news, of: folder, &state)
        case .started(let folder):
            // What was typed may have been a short form.
            for (recipe, typed) in state.train.outFolders where typed == state.train.starting {
                state.train.outFolders[recipe] = folder
            }
            state.train.starting = folder
            if !state.train.order.contains(folder) { state.train.order.insert(folder, at: 0) }
            if state.train.runs[folder] == nil {
                state.train.runs[folder] = TrainRun(folder: folder)
            }
            notify(
                .info,
                "The training begins. It is a process of its own: it goes on when this "
                    + "program ends.", &state)
            return [.log(.info, "Training in \(folder)."), followShown(state)]
        case .refused(let reason):
            state.train.starting = nil
            notify(.error, reason, &state)
            return [.log(.error, reason)]
        case .picture(let folder, let sample, let image):
            state.train.runs[folder]?.picture = (sample, image)
        case .select(let index):
            let last = max(0, state.train.items.count - 1)
            state.train.selected = max(0, min(last, index))
            state.train.cursor = nil
            state.train.tableScroll = 0
            return [followShown(state)] + loadSample(state)
        case .view(let view):
            state.train.view = view
            return loadSample(state)
        case .group(let steps):
            let (groups, index) = state.train.shownGroup
            guard !groups.isEmpty else { return [] }
            state.train.group = groups[wrap(index + steps, groups.count)].name
        case .cursor(let step):
            state.train.cursor = step
            return loadSample(state)
        case .scroll(let lines):
            let count = state.train.shown?.curves.series.count ?? 0
            state.train.tableScroll = max(0, min(count - 1, state.train.tableScroll + lines))
        }
        return []
    }

    private static func followShown(_ state: AppState) -> Effect {
        .followTraining(state.train.selectedItem.map { state.train.folder(of: $0) })
    }

    private static func listed(
        _ recipes: [RecipeEntry], _ runs: [String], _ state: inout AppState
    ) -> [Effect] {
        let isFirst = !state.train.isListed
        let before = state.train.selectedItem.map { state.train.folder(of: $0) }
        state.train.isListed = true
        state.train.recipes = recipes
        state.train.order = runs + state.train.order.filter { !runs.contains($0) }
        for folder in runs where state.train.runs[folder] == nil {
            state.train.runs[folder] = TrainRun(folder: folder)
        }
        let items = state.train.items
        let kept = before.flatMap { folder in
            items.firstIndex { state.train.folder(of: $0) == folder }
        }
        state.train.selected = max(0, min(items.count - 1, kept ?? state.train.selected))
        let problems = isFirst ? recipes.compactMap(\.problem) : []
        return problems.map { .log(.warning, $0) } + [followShown(state)]
    }

    private static func take(
        _ news: TrainingNews, of folder: String, _ state: inout AppState
    ) -> [Effect] {
        var run = state.train.runs[folder] ?? TrainRun(folder: folder)
        let before = run.status?.phase
        if news.beginsAnew {
            run.curves = TrainCurves()
            run.samples = []
        }
        for record in news.records {
            run.curves.add(record)
            if record.kind == .sample, let file = record.file {
                run.samples.removeAll { $0.step >= record.step }
                run.samples.append(.init(step: record.step, file: file))
            }
        }
        run.unreadableLines += news.unreadableLines
        if var status = news.status {
            // A process that has only begun says nothing of its own yet.
            if status.name.isEmpty, let old = run.status {
                status.name = old.name
                status.recipe = old.recipe
                status.system = old.system
                status.data = old.data
            }
            run.status = status
        }
        state.train.runs[folder] = run
        if !state.train.order.contains(folder) { state.train.order.append(folder) }
        var effects = announce(run, before: before, &state)
        // On the first look, a training at work comes before the first recipe.
        if before == nil, run.isActive, state.train.shown?.isActive != true,
            state.layout.focus != .train,
            let index = state.train.items.firstIndex(where: { state.train.folder(of: $0) == folder }
            )
        {
            effects += train(.select(index), &state)
        }
        if state.train.shown?.folder == folder { effects += loadSample(state) }
        return effects
    }

    /// Tells of a change that a person waits for.
    private static func announce(
        _ run: TrainRun, before: TrainingStatus.Phase?, _ state: inout AppState
    ) -> [Effect] {
        guard let status = run.status, status.phase != before else { return [] }
        let wasWatched = before?.isActive == true || state.train.starting == run.folder
        guard wasWatched else { return [] }
        let name = status.name.nonEmpty ?? run.folder
        switch status.phase {
        case .preparing: return []
        case .running:
            state.train.starting = nil
            if before == .paused { notify(.info, "\(name) goes on.", &state) }
            return []
        case .paused: notify(.info, "\(name) is held at step \(status.step).", &state)
        case .stopped:
            notify(.info, "\(name) stopped; its checkpoint is saved. Enter resumes it.", &state)
        case .done:
            notify(.info, "\(name) is trained: weights.safetensors in \(run.folder).", &state)
        case .failed, .lost:
            let text = "\(name): \(status.problem ?? "it ended.")"
            notify(.error, text, &state)
            state.train.starting = nil
            return [.log(.error, text)]
        }
        state.train.starting = nil
        return [.log(.info, "\(name): \(status.phase.rawValue) at step \(status.step).")]
    }

    /// Reads the sample that the pane shows, unless it is there.
    private static func loadSample(_ state: AppState) -> [Effect] {
        guard let run = state.train.shown, let sample = run.sample(at: state.train.cursor),
            run.picture?.sample != sample,
            state.train.view == .samples || state.train.view == .overview
        else { return [] }
        return [.loadTrainingPicture(folder: run.folder, sample)]
    }

    // MARK: Starting and steering

    /// Starts or resumes what is selected; asks for the data folder first where none is known.
    static func startTraining(_ state: inout AppState, dataIsAsked: Bool = false) -> [Effect] {
        guard let item = state.train.selectedItem else {
            notify(.info, "There is no recipe; `workbench paths` says where they belong.", &state)
            return []
        }
        let folder = state.train.folder(of: item)
        let run = state.train.runs[folder]
        if run?.isActive == true || state.train.starting == folder {
            notify(.info, "It is at work: Space holds it, c saves, x stops.", &state)
            return []
        }
        switch item {
        case .recipe(let recipe):
            if let problem = recipe.problem {
                notify(.error, problem, &state)
                return []
            }
            if let status = run?.status, status.phase == .done, recipe.steps <= status.step {
                notify(.info, "This run is done. Type another folder (o) to train again.", &state)
                return []
            }
            let data = state.train.dataFolder(of: recipe)
            if data == nil, !recipe.dataKind.isEmpty, !dataIsAsked {
                askForData(recipe, starts: true, &state)
                return []
            }
            state.train.starting = folder
            return [.startTraining(request(recipe, folder: folder, data: data, state))]
        case .run:
            guard let status = run?.status, !status.recipe.isEmpty, status.phase != .done else {
                notify(.info, "There is nothing to go on with here.", &state)
                return []
            }
            state.train.starting = folder
            return [
                .startTraining(
                    TrainingRequest(
                        recipePath: status.recipe, dataFolder: status.data, outFolder: folder,
                        device: state.train.device))
            ]
        }
    }

    static func request(
        _ recipe: RecipeEntry, folder: String, data: String?, _ state: AppState
    ) -> TrainingRequest {
        TrainingRequest(
            recipePath: recipe.path, dataFolder: data?.nonEmpty, outFolder: folder,
            device: state.train.device)
    }

    static func askForData(_ recipe: RecipeEntry, starts: Bool, _ state: inout AppState) {
        state.overlays.append(
            .prompt(
                .trainingData(recipe: recipe.path, starts: starts),
                TextEntry(state.train.dataFolder(of: recipe) ?? ""), problem: nil))
    }

    static func askForFolder(_ recipe: RecipeEntry, _ state: inout AppState) {
        state.overlays.append(
            .prompt(
                .trainingFolder(recipe: recipe.path), TextEntry(state.train.folder(of: recipe)),
                problem: nil))
    }

    /// Takes the answer to one of these questions.
    static func answerTraining(
        _ kind: PromptKind, _ text: String, _ state: inout AppState
    ) -> [Effect] {
        switch kind {
        case .trainingData(let recipe, let starts):
            state.train.dataFolders[recipe] = text
            markDirty(&state)
            return starts ? startTraining(&state, dataIsAsked: true) : []
        case .trainingFolder(let recipe):
            let previous = state.train.recipes.first { $0.path == recipe }?.runFolder
            // Runs lie beside each other unless a whole path is given.
            let parent = previous.flatMap { path in
                path.lastIndex(of: "/").map { String(path[..<$0]) }
            }
            let isPath = text.hasPrefix("/") || text.hasPrefix("~")
            state.train.outFolders[recipe] = isPath ? text : parent.map { "\($0)/\(text)" } ?? text
            markDirty(&state)
            return [.listTrainings]
        default: return []
        }
    }

    /// Sends a command to the training shown, if it is at work.
    static func steerTraining(_ command: TrainingCommand, _ state: inout AppState) -> [Effect] {
        guard let run = state.train.shown, run.isActive else {
            notify(.info, "It does not run; Enter starts or resumes it.", &state)
            return []
        }
        let words: [TrainingCommand: String] = [
            .checkpoint: "A checkpoint is saved after this step.",
            .sample: "Samples are made after this step.",
            .stop: "It saves a checkpoint and stops.",
        ]
        if let text = words[command] { notify(.info, text, &state) }
        return [.sendTraining(command, folder: run.folder)]
    }

    static func cycleTrainDevice(_ state: inout AppState) {
        let names: [String?] = [nil] + state.models.devices.map(\.name)
        let index = names.firstIndex(of: state.train.device) ?? 0
        state.train.device = names[wrap(index + 1, names.count)]
        markDirty(&state)
        if names.count <= 2, let reason = state.models.devicesProblem {
            notify(.info, "There is no GPU: \(reason)", &state)
        }
    }

    /// Holds the training shown, or lets it go on.
    static func holdTraining(_ state: inout AppState) -> [Effect] {
        let isHeld = state.train.shown?.status?.phase == .paused
        return steerTraining(isHeld ? .resume : .pause, &state)
    }

    /// Moves the cursor along the steps that were logged.
    static func moveTrainCursor(_ steps: Int, _ state: inout AppState) -> [Effect] {
        guard let run = state.train.shown else { return [] }
        let places =
            state.train.view == .samples
            ? run.samples.map { Double($0.step) }
            : run.curves.series.max { $0.steps.count < $1.steps.count }?.steps ?? []
        guard !places.isEmpty else { return [] }
        let now = state.train.cursor.map { cursor in
            places.lastIndex { $0 <= cursor } ?? 0
        }
        let next = (now ?? (steps < 0 ? places.count : places.count - 1)) + steps
        return train(
            .cursor(next >= places.count ? nil : places[max(0, next)]), &state)
    }
}
