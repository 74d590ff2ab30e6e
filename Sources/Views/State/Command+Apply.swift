// What each command does in the pane that has the focus.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Command {
    /// Carries the command out; commands that mean nothing here change nothing.
    func apply(to state: inout AppState) -> [Effect] {
        if let effects = Reducer.galleryCommand(self, &state) { return effects }
        switch self {
        case .help:
            state.overlays.append(.help(state.layout.focus, FilteredList()))
        case .palette: state.overlays.append(.palette(FilteredList()))
        case .themes:
            state.overlays.append(.themes(FilteredList(), before: state.themeName))
            if let index = state.themes.firstIndex(of: state.themeName) {
                return Reducer.overlay(.select(index), &state)
            }
        case .quit: return Reducer.quit(&state)
        case .cancelRunning: return Reducer.interrupt(&state)
        case .back: return Reducer.back(&state)
        case .nextPane: return Reducer.cycleFocus(1, &state)
        case .previousPane: return Reducer.cycleFocus(-1, &state)
        case .focusModels: Reducer.focus(.models, &state)
        case .focusSchedule: Reducer.focus(.schedule, &state)
        case .focusPreview: Reducer.focus(.preview, &state)
        case .focusMask: Reducer.focus(.mask, &state)
        case .focusTokens: Reducer.focus(.tokens, &state)
        case .focusJobs: Reducer.focus(.jobs, &state)
        case .focusLog: Reducer.focus(.log, &state)
        case .focusSymmetry:
            Reducer.focus(.symmetry, &state)
            return Reducer.enterSymmetry(&state)
        case .focusTrain:
            Reducer.focus(.train, &state)
            return [.listTrainings]
        case .zoomPane: state.layout.zoom = ScreenLayout.nextZoom(state)
        case .toggleMouse:
            state.isMouseOn.toggle()
            Reducer.notify(
                .info,
                state.isMouseOn ? "The mouse is on." : "The mouse is off: select text freely.",
                &state)
        case .cycleImages: Reducer.cycleImages(&state)
        case .redraw: return Reducer.redraw(&state)
        case .suspend: return [.terminal(.suspend)]
        case .undo: return Reducer.undo(&state)
        case .redo: return Reducer.redo(&state)
        case .history:
            state.overlays.append(.history(FilteredList(selected: state.undo.undo.count)))
        case .generate: return Reducer.generate(&state)
        case .runAgain:
            return state.layout.focus == .mask ? Reducer.runEdit(&state) : Reducer.generate(&state)
        case .runNewSeed:
            if state.layout.focus == .mask {
                let seed = Reducer.nextSeed(after: state.schedule.values.seed)
                let effects = Reducer.setSchedule("Seed", &state) { $0.seed = seed }
                return effects + Reducer.runEdit(&state)
            }
            return Reducer.generateWithNewSeed(&state)
        case .runEdit: return Reducer.runEdit(&state)
        case .compare: return Reducer.compare(&state)
        case .savePicture:
            if state.layout.focus == .symmetry {
                return Command.exportSymmetry.applyToSymmetry(&state) ?? []
            }
            Reducer.askToSave(&state)
        case .copyCommand: return Reducer.copyCommand(&state)
        case .copyValue: return Reducer.copyValue(&state)
        case .openRecipe:
            state.overlays.append(.prompt(.openRecipe, TextEntry(), problem: nil))
        case .widenPane: return [.resizePane(.wider)]
        case .narrowPane: return [.resizePane(.narrower)]
        case .heightenPane: return [.resizePane(.higher)]
        case .lowerPane: return [.resizePane(.lower)]
        case .pauseQueue: return [.pauseQueue(!state.jobs.isPaused)]
        case .search: Reducer.search(&state)
        case .hideFirstSteps:
            state.firstSteps.taken = Set(FirstStep.allCases)
            return [.saveFirstSteps(state.firstSteps.taken)]
        case .searchNext: return Reducer.searchLog(1, &state)
        case .searchPrevious: return Reducer.searchLog(-1, &state)
        default:
            return applyMovement(to: &state) ?? applyToSchedule(&state) ?? applyToRun(&state)
                ?? applyToMask(&state) ?? applyToLists(&state) ?? applyToTraining(&state)
                ?? applyToSymmetry(&state) ?? []
        }
        return []
    }

    // MARK: Movement, by pane

    private func applyMovement(to state: inout AppState) -> [Effect]? {
        switch self {
        case .moveUp: return Reducer.move(x: 0, y: -1, &state)
        case .moveDown: return Reducer.move(x: 0, y: 1, &state)
        case .moveLeft: return Reducer.move(x: -1, y: 0, &state)
        case .moveRight: return Reducer.move(x: 1, y: 0, &state)
        case .moveFirst: return Reducer.moveToEnd(-1, &state)
        case .moveLast: return Reducer.moveToEnd(1, &state)
        case .pageUp: return Reducer.page(-1, &state)
        case .pageDown: return Reducer.page(1, &state)
        case .confirm: return Reducer.confirm(&state)
        case .toggle: return Reducer.toggle(&state)
        case .increase: return Reducer.step(1, &state)
        case .decrease: return Reducer.step(-1, &state)
        case .increaseMore: return Reducer.step(10, &state)
        case .decreaseMore: return Reducer.step(-10, &state)
        case .drawUp: Reducer.moveMaskCursor(x: 0, y: -1, draws: true, &state)
        case .drawDown: Reducer.moveMaskCursor(x: 0, y: 1, draws: true, &state)
        case .drawLeft: Reducer.moveMaskCursor(x: -1, y: 0, draws: true, &state)
        case .drawRight: Reducer.moveMaskCursor(x: 1, y: 0, draws: true, &state)
        default: return nil
        }
        return []
    }

    private func applyToSchedule(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .edit: Reducer.beginScheduleEdit(state.schedule.field, &state)
        case .editColumns: Reducer.openColumns(&state)
        case .nextFamily: return Reducer.cycleFamily(by: 1, &state)
        case .previousFamily: return Reducer.cycleFamily(by: -1, &state)
        case .nextPreset: return Reducer.change(.preset, by: 1, &state)
        case .chooseClass:
            if Reducer.readyModel(&state) != nil {
                state.overlays.append(.classes(FilteredList()))
                let mode = state.mask.settings.mode
                if state.layout.focus == .mask, mode == .inpaint || mode == .outpaint {
                    Reducer.notify(
                        .info, "Mode \(mode.rawValue) takes no class: M goes on to mode class.",
                        &state)
                }
            }
        case .nextVariant: return Reducer.change(.variant, by: 1, &state)
        case .nextMode: return Reducer.change(.mode, by: 1, &state)
        case .addMaskStep: return Reducer.step(1, &state)
        case .removeMaskStep: return Reducer.step(-1, &state)
        case .revertRow:
            guard case .row(let scale) = state.schedule.field else { return [] }
            return Reducer.setSchedule("Row of scale \(scale)", &state) {
                $0.rows[scale].revert()
            }
        case .randomSeed:
            let seed = Reducer.nextSeed(after: state.schedule.values.seed)
            return Reducer.schedule(.setSeed(seed), &state)
        case .presetDefault: return Reducer.schedule(.setPreset(.default), &state)
        case .presetNextScaleOnly: return Reducer.schedule(.setPreset(.nextScaleOnly), &state)
        case .presetBenchmark: return Reducer.schedule(.setPreset(.benchmark), &state)
        case .presetCosine: return Reducer.schedule(.setPreset(.cosine), &state)
        case .presetOneByOne: return Reducer.schedule(.setPreset(.oneByOne), &state)
        default: return nil
        }
        return []
    }

    private func applyToRun(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .pauseRun: return Reducer.pauseRun(&state)
        case .stepRun: return Reducer.stepRun(&state)
        case .nextView:
            let all = PreviewView.cycle
            let index = all.firstIndex(of: state.preview.view) ?? -1
            state.preview.view = all[(index + 1) % all.count]
        case .viewPicture: state.preview.view = .picture
        case .viewScales: state.preview.view = .scales
        case .viewGrid: state.preview.view = .grid
        case .viewCompare: state.preview.view = .compare
        case .viewGallery: Reducer.showView(.gallery, &state)
        case .viewBranches: Reducer.showView(.branches, &state)
        case .comparePair: Reducer.comparePair(&state)
        case .toggleMark: Reducer.toggleMark(&state)
        case .hidePicture: Reducer.hidePicture(&state)
        case .branch: return Reducer.branch(newSeed: false, &state)
        case .branchNewSeed: return Reducer.branch(newSeed: true, &state)
        case .scrubBack: Reducer.scrubBy(-1, &state)
        case .scrubForward: Reducer.scrubBy(1, &state)
        case .scrubFirst: Reducer.preview(.scrub(to: 0), &state)
        case .scrubLast: Reducer.preview(.scrub(to: nil), &state)
        case .nextPicture:
            Reducer.preview(.selectPicture(state.preview.picture + 1), &state)
        case .previousPicture:
            Reducer.preview(.selectPicture(state.preview.picture - 1), &state)
        case .zoomIn where state.layout.focus == .mask: Reducer.zoomMask(by: 1, &state)
        case .zoomOut where state.layout.focus == .mask: Reducer.zoomMask(by: -1, &state)
        case .zoomIn: Reducer.preview(.zoom(1), &state)
        case .zoomOut: Reducer.preview(.zoom(-1), &state)
        case .panLeft where state.layout.focus == .mask:
            Reducer.panMask(x: -0.1, y: 0, &state)
        case .panLeft: Reducer.preview(.pan(x: -0.1, y: 0), &state)
        case .panRight where state.layout.focus == .mask:
            Reducer.panMask(x: 0.1, y: 0, &state)
        case .panRight: Reducer.preview(.pan(x: 0.1, y: 0), &state)
        case .panUp where state.layout.focus == .mask:
            Reducer.panMask(x: 0, y: -0.1, &state)
        case .panUp: Reducer.preview(.pan(x: 0, y: -0.1), &state)
        case .panDown where state.layout.focus == .mask:
            Reducer.panMask(x: 0, y: 0.1, &state)
        case .panDown: Reducer.preview(.pan(x: 0, y: 0.1), &state)
        case .editPicture, .takeSample: Reducer.takeSample(&state)
        case .nextScale: Reducer.changeTokenScale(1, &state)
        case .previousScale: Reducer.changeTokenScale(-1, &state)
        case .followScale: Reducer.tokens(.scale(nil), &state)
        case .nextColoring:
            let all = TokenColoring.allCases
            let index = all.firstIndex(of: state.tokens.coloring) ?? 0
            state.tokens.coloring = all[(index + 1) % all.count]
        default: return nil
        }
        return []
    }

    private func applyToMask(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .openPicture:
            if Reducer.readyModel(&state) != nil {
                state.overlays.append(.prompt(.openPicture, TextEntry(), problem: nil))
            }
        case .importMask:
            if Reducer.readyModel(&state) != nil {
                state.overlays.append(.prompt(.importMask, TextEntry(), problem: nil))
            }
        case .writeMask:
            guard state.mask.mask != nil else {
                Reducer.notify(.info, "There is no mask yet.", &state)
                return []
            }
            state.overlays.append(.prompt(.writeMask, TextEntry("mask.png"), problem: nil))
        case .toolBrush: return Reducer.mask(.setTool(.brush), &state)
        case .toolEraser: return Reducer.mask(.setTool(.eraser), &state)
        case .toolBox: return Reducer.mask(.setTool(.box), &state)
        case .toolEllipse: return Reducer.mask(.setTool(.ellipse), &state)
        case .toolLasso: return Reducer.mask(.setTool(.lasso), &state)
        case .harder: Reducer.changeHardness(25, &state)
        case .softer: Reducer.changeHardness(-25, &state)
        case .nextCells: Reducer.nextCellsScale(&state)
        case .extendLeft: Reducer.extendCanvas(.left, &state)
        case .extendRight: Reducer.extendCanvas(.right, &state)
        case .extendUp: Reducer.extendCanvas(.up, &state)
        case .extendDown: Reducer.extendCanvas(.down, &state)
        case .toolFill: return Reducer.mask(.setTool(.fill), &state)
        case .swapTool:
            return Reducer.mask(
                .setTool(state.mask.tool == .brush ? .eraser : .brush), &state)
        case .sizeUp: Reducer.resizeTool(1, &state)
        case .sizeDown: Reducer.resizeTool(-1, &state)
        case .invertMask: Reducer.changeMask("Invert", &state) { $0 = $0.inverted() }
        case .clearMask:
            Reducer.changeMask("Clear", &state) {
                $0 = PixelMask(width: $0.width, height: $0.height)
            }
        case .fillHere:
            let cursor = state.mask.cursor
            Reducer.changeMask("Fill", &state) { $0.fill(cursor) }
        case .toggleMask: state.mask.isMaskShown.toggle()
        case .nextEditMode:
            Reducer.setEdit("Mode", &state) {
                let all = EditMode.allCases
                let index = all.firstIndex(of: $0.mode) ?? 0
                $0.mode = all[(index + 1) % all.count]
            }
        case .nextAnchor:
            Reducer.setEdit("Anchor", &state) {
                $0.anchor = $0.anchor == .tokens ? .residual : .tokens
            }
        case .keepMore:
            let scales = state.model?.geometry.patchNums.count ?? 1
            Reducer.setEdit("Scales kept", &state) {
                $0.keepScales = min(scales, $0.keepScales + 1)
            }
        case .keepFewer:
            Reducer.setEdit("Scales kept", &state) { $0.keepScales = max(0, $0.keepScales - 1) }
        case .dilateMore:
            Reducer.setEdit("Growth", &state) { $0.grow(by: 1) }
        case .dilateLess:
            Reducer.setEdit("Growth", &state) { $0.grow(by: -1) }
        case .moreEditSteps:
            Reducer.setEdit("Mask steps", &state) { $0.maskSteps = min(32, $0.maskSteps + 1) }
        case .fewerEditSteps:
            Reducer.setEdit("Mask steps", &state) { $0.maskSteps = max(0, $0.maskSteps - 1) }
        case .togglePasteBack: Reducer.setEdit("Paste back", &state) { $0.pasteBack.toggle() }
        case .nextMaskView: Reducer.nextMaskView(&state)
        case .acceptResult: Reducer.acceptResult(&state)
        case .shrinkForOutpainting: Reducer.shrinkForOutpainting(&state)
        default: return nil
        }
        return []
    }

    private func applyToTraining(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .startTraining: return Reducer.startTraining(&state)
        case .holdTraining: return Reducer.holdTraining(&state)
        case .saveCheckpoint: return Reducer.steerTraining(.checkpoint, &state)
        case .exportTraining: Reducer.askForTrainingExport(&state)
        case .makeSamples: return Reducer.steerTraining(.sample, &state)
        case .stopTraining: return Reducer.steerTraining(.stop, &state)
        case .setDataFolder, .setRunFolder:
            guard case .recipe(let recipe)? = state.train.selectedItem, recipe.problem == nil else {
                Reducer.notify(.info, "Choose a recipe first.", &state)
                return []
            }
            if self == .setDataFolder {
                Reducer.askForData(recipe, starts: false, &state)
            } else {
                Reducer.askForFolder(recipe, &state)
            }
        case .nextTrainDevice: Reducer.cycleTrainDevice(&state)
        case .nextTrainView:
            let all = TrainView.allCases
            let index = all.firstIndex(of: state.train.view) ?? 0
            return Reducer.train(.view(all[(index + 1) % all.count]), &state)
        case .trainTable:
            return Reducer.train(
                .view(state.train.view == .table ? .overview : .table), &state)
        case .nextFigures: return Reducer.train(.group(by: 1), &state)
        case .previousFigures: return Reducer.train(.group(by: -1), &state)
        case .toggleLogScale: state.train.isLogarithmic.toggle()
        case .rescanTrainings: return [.listTrainings]
        default: return nil
        }
        return []
    }

    private func applyToLists(_ state: inout AppState) -> [Effect]? {
        switch self {
        case .loadModel:
            return state.models.selectedEntry.map { Reducer.load($0, &state) } ?? []
        case .unloadModel:
            guard state.model != nil else { return [] }
            if state.runs.hasUnfinished {
                Reducer.notify(.warning, "The model is at work; cancel the jobs first.", &state)
                return []
            }
            return [.unloadModel]
        case .rescanModels: return [.listModels, .listDevices]
        case .moveModel: return Reducer.moveModel(&state)
        case .cancelJob:
            guard let job = state.jobs.selectedJob, !job.state.isFinished else { return [] }
            return [.cancelJob(job.id)]
        case .retryJob: return Reducer.retryJob(&state)
        case .removeJob: return Reducer.removeJob(&state)
        case .showJob: return Reducer.showJob(&state)
        case .jobUp:
            return state.jobs.selectedJob.map { [.moveJob($0.id, by: -1)] } ?? []
        case .jobDown:
            return state.jobs.selectedJob.map { [.moveJob($0.id, by: 1)] } ?? []
        case .clearFinished: return [.clearFinishedJobs]
        case .logMore, .logLess:
            let step = self == .logMore ? -1 : 1
            let level = LogState.Line.Level(rawValue: state.log.level.rawValue + step)
            state.log.level = level ?? state.log.level
            Reducer.clampLog(&state)
        default: return nil
        }
        return []
    }
}
