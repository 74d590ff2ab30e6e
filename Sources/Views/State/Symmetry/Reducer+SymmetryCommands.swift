// What keys do in the symmetry pane, and what other panes send to it and take from it.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Command {
    /// Carries out the commands of the symmetry pane; nil for others.
    func applyToSymmetry(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .openSymmetrySet:
            guard state.symmetry.a.model != nil else {
                return Command.chooseSymmetryModel.applyToSymmetry(&state)
            }
            state.overlays.append(.symmetry(.set, FilteredList()))
        case .chooseSymmetryModel:
            guard Reducer.hasSymmetryModels(&state) else { return [] }
            state.overlays.append(.symmetry(.model(.a), FilteredList()))
        case .compareSymmetryModels:
            guard state.symmetry.facts != nil, Reducer.hasSymmetryModels(&state) else { return [] }
            state.overlays.append(.symmetry(.model(.b), FilteredList()))
        case .openSymmetryFolder:
            state.overlays.append(.prompt(.symmetryFolder, TextEntry(), problem: nil))
        case .nameSymmetryData:
            state.overlays.append(
                .prompt(
                    .symmetryData, TextEntry(state.symmetry.dataFolder ?? ""), problem: nil))
        case .nextSymmetryView: return Reducer.nextSymmetryView(1, &state)
        case .previousSymmetryView: return Reducer.nextSymmetryView(-1, &state)
        case .symmetryTable:
            return Reducer.setSymmetryView(
                state.symmetry.view == .table ? .bars : .table, &state)
        case .nextSymmetryScope:
            let all = SymmetryScopeChoice.allCases
            let index = all.firstIndex(of: state.symmetry.scope) ?? 0
            return Reducer.symmetry(.scope(all[(index + 1) % all.count]), &state)
        case .toggleRawPoses: state.symmetry.isCorrected.toggle()
        case .toggleTrueLaw: state.symmetry.showsTruth.toggle()
        case .nextSymmetryOrder:
            let all = SymmetryOrder.allCases
            let index = all.firstIndex(of: state.symmetry.order) ?? 0
            return Reducer.symmetry(.order(all[(index + 1) % all.count]), &state)
        case .moreNeighbours: return Reducer.changeSymmetry(.neighbours, by: 1, &state)
        case .fewerNeighbours: return Reducer.changeSymmetry(.neighbours, by: -1, &state)
        case .nextMetric: return Reducer.changeSymmetry(.metric, by: 1, &state)
        case .nextEstimator: return Reducer.changeSymmetry(.estimator, by: 1, &state)
        case .previousEstimator: return Reducer.changeSymmetry(.estimator, by: -1, &state)
        case .nextMean: return Reducer.changeSymmetry(.mean, by: 1, &state)
        case .widerTukey: return Reducer.changeSymmetry(.tukey, by: 1, &state)
        case .narrowerTukey: return Reducer.changeSymmetry(.tukey, by: -1, &state)
        case .nextSymmetryFamily: return Reducer.changeSymmetry(.family, by: 1, &state)
        case .widerKernel: return Reducer.changeSymmetry(.bandwidth, by: 1, &state)
        case .narrowerKernel: return Reducer.changeSymmetry(.bandwidth, by: -1, &state)
        case .nextOutsideRule: return Reducer.changeSymmetry(.outside, by: 1, &state)
        case .nextSymmetryPath: return Reducer.changeSymmetry(.path, by: 1, &state)
        case .nextSymmetryLook: return Reducer.changeSymmetry(.look, by: 1, &state)
        case .compareSymmetry: return Reducer.toggleSymmetryComparison(&state)
        case .switchSymmetrySide:
            if state.symmetry.isCompared {
                state.symmetry.active = state.symmetry.active.other
                state.symmetry.sortList()
            }
        case .typeRotation:
            guard state.symmetry.facts != nil else { return [] }
            state.overlays.append(
                .prompt(
                    .symmetryAngle,
                    TextEntry(formatDecimal(state.symmetry.rotation, decimals: 0)), problem: nil))
        case .unrotate: return Reducer.rotateSymmetry(to: 0, &state)
        case .nextRotationAxis:
            let all = SymmetryAxis.allCases
            let index = all.firstIndex(of: state.symmetry.axis) ?? 0
            state.symmetry.axis = all[(index + 1) % all.count]
            return state.symmetry.rotation == 0 ? [] : Reducer.askSymmetry(&state)
        case .toggleTurning:
            state.symmetry.isTurning.toggle()
            state.symmetry.turnedAt = nil
            if !state.symmetry.isTurning { state.symmetry.eye = SymmetryState.restingEye }
        case .exportSymmetry:
            guard state.symmetry.a.distribution != nil else {
                Reducer.notify(.info, "There is nothing to export yet.", &state)
                return []
            }
            state.overlays.append(
                .prompt(
                    .symmetryExport, TextEntry("symmetry-\(state.symmetry.selected)"),
                    problem: nil))
        case .sendToSymmetry: return Reducer.sendToSymmetry(&state)
        case .standardizedToMask: Reducer.standardizedToMask(&state)
        default: return nil
        }
        return []
    }
}

nonisolated extension Reducer {
    static func hasSymmetryModels(_ state: inout AppState) -> Bool {
        if !state.symmetry.models.isEmpty { return true }
        notify(.info, "No symmetry model was found; `workbench models` lists all.", &state)
        return false
    }

    /// The pane was entered: the first model whose data is here opens its first set, once.
    static func enterSymmetry(_ state: inout AppState) -> [Effect] {
        guard state.symmetry.facts == nil, state.symmetry.opening == .idle,
            state.symmetry.a.model == nil, let first = state.symmetry.models.first
        else { return [] }
        state.symmetry.sought = 0
        return loadSymmetry(first, .a, &state)
    }

    /// Movement with the symmetry pane in focus.
    static func moveInSymmetry(x: Int, y: Int, _ state: inout AppState) -> [Effect] {
        if y != 0 {
            if state.symmetry.view == .table {
                setSymmetryBin((state.symmetry.bin ?? -1) + y, &state)
                return []
            }
            return moveInSymmetryList(y, &state)
        }
        if x != 0 {
            let bins = state.symmetry.bins
            // From no cursor the first key shows it in the middle.
            let bin = state.symmetry.bin.map { $0 + x } ?? bins / 2
            setSymmetryBin(max(0, min(bins - 1, bin)), &state)
        }
        return []
    }

    /// Turns the input by steps of five degrees.
    static func turnInput(_ steps: Int, _ state: inout AppState) -> [Effect] {
        // Ten steps at once are 30 degrees: twelve of them go around.
        let degrees = abs(steps) >= 10 ? 30.0 * Double(steps.signum()) : 5 * Double(steps)
        return rotateSymmetry(to: state.symmetry.rotation + degrees, &state)
    }

    /// The shown picture of the image models becomes an input.
    static func sendToSymmetry(_ state: inout AppState) -> [Effect] {
        guard let run = state.runs.shown ?? state.runs.runs.last, let image = state.shownPicture
        else {
            notify(.info, "There is no sample yet: 3, then Enter, generates one.", &state)
            return []
        }
        let name =
            (state.model?.classTitle(run.request.classLabel) ?? "sample")
            + ", seed \(run.request.seed)"
        guard state.symmetry.facts != nil else {
            state.symmetry.pending.append(.init(image: image, name: name))
            focus(.symmetry, &state)
            let effects = enterSymmetry(&state)
            if state.symmetry.models.isEmpty {
                state.symmetry.pending = []
                notify(.info, "No symmetry model was found to ask.", &state)
            }
            return effects
        }
        return [.symmetry(.add(image, name: name))]
    }

    /// The standardised picture becomes the one to edit.
    static func standardizedToMask(_ state: inout AppState) {
        let side = state.symmetry.current
        guard
            case .picture(let image)? = side.response?.standardized ?? side.shapes[.standardized]
        else {
            notify(.info, "There is no standardised picture to send.", &state)
            return
        }
        guard let size = readyModel(&state)?.geometry.imageSize else { return }
        let fit = PictureFit(width: image.width, height: image.height, side: size)
        endStroke(&state)
        state.mask.mask = nil
        state.mask.open(
            fit.apply(to: image), name: "\(state.symmetry.name(state.symmetry.selected)), upright",
            notice: fit.notice)
        focus(.mask, &state)
        markDirty(&state)
    }

    /// What was typed into a prompt of the pane.
    static func confirmSymmetryPrompt(
        _ kind: PromptKind, _ text: String, _ state: inout AppState
    ) -> [Effect] {
        switch kind {
        case .symmetryFolder: return openSymmetry(.a, .folder(text), &state)
        case .symmetryData:
            state.symmetry.dataFolder = text
            let known = state.symmetry.a.model?.constructions ?? []
            var wanted = known.first
            if case .construction(let name, _, _, _)? = state.symmetry.facts?.source {
                wanted = known.first { $0.name == name } ?? wanted
            }
            guard let wanted else {
                notify(.info, "First choose a symmetry model: M lists them.", &state)
                return []
            }
            return openSymmetry(.a, source(wanted, &state), &state)
        case .symmetryAngle:
            guard let degrees = Double(text.replacing("°", with: "")), degrees.isFinite else {
                notify(.error, "“\(text)” is not an angle in degrees.", &state)
                return []
            }
            return rotateSymmetry(to: degrees, &state)
        case .symmetryExport: return exportSymmetry(base: text, overwrites: false, &state)
        default: return []
        }
    }

    static func exportSymmetry(
        base: String, overwrites: Bool, _ state: inout AppState
    ) -> [Effect] {
        guard let export = SymmetryExport(state.symmetry, base: base) else { return [] }
        return [.symmetry(.export(export, overwrites: overwrites))]
    }

    /// Moves the eye around a turning input.
    static func turnEye(_ state: inout AppState) {
        guard state.isSymmetryTurning else {
            state.symmetry.turnedAt = nil
            return
        }
        guard let last = state.symmetry.turnedAt else {
            state.symmetry.turnedAt = state.now
            return
        }
        let passed = state.now - last
        guard passed >= SymmetryState.turningInterval * 0.9 else { return }
        state.symmetry.turnedAt = state.now
        // After a pause the eye goes on from where it was.
        state.symmetry.eye = SymmetryPose.wrap(
            state.symmetry.eye + SymmetryState.turningSpeed * min(0.25, passed))
    }
}

nonisolated extension AppState {
    /// Whether a space input turns on the screen now.
    var isSymmetryTurning: Bool {
        layout.focus == .symmetry && symmetry.isTurning && symmetry.group == .so3
            && symmetry.facts != nil && !options.isDeterministic && !options.isMotionReduced
    }

    /// When the next picture of a turning input is due.
    var symmetryDeadline: Double? {
        guard isSymmetryTurning else { return nil }
        return (symmetry.turnedAt ?? now) + SymmetryState.turningInterval
    }
}
