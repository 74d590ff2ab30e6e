// The keys as shipped.
// SPDX-License-Identifier: Apache-2.0

nonisolated extension KeyBindings {
    static let `default` = KeyBindings(
        global + models + schedule + preview + mask + tokens + jobs + log + train + symmetry)

    private static func c(_ character: Character) -> KeyPress { KeyPress(character) }
    private static func ctrl(_ character: Character) -> KeyPress { KeyPress(character, .control) }
    private static func k(_ code: KeyCode, _ modifiers: KeyModifiers = []) -> KeyPress {
        KeyPress(code, modifiers)
    }

    private static let global: [Binding] = [
        Binding(.global, .help, [c("?"), k(.function(1))]),
        Binding(.global, .palette, [c(":"), ctrl("p")]),
        Binding(.global, .quit, [c("q")]),
        Binding(.global, .cancelRunning, [ctrl("c")]),
        Binding(.global, .nextPane, [k(.tab)]),
        Binding(.global, .previousPane, [k(.tab, .shift)]),
        Binding(.global, .focusModels, [c("1")]),
        Binding(.global, .focusSchedule, [c("2")]),
        Binding(.global, .focusPreview, [c("3")]),
        Binding(.global, .focusMask, [c("4")]),
        Binding(.global, .focusTokens, [c("5")]),
        Binding(.global, .focusJobs, [c("6")]),
        Binding(.global, .focusLog, [c("7")]),
        Binding(.global, .focusTrain, [c("8")]),
        Binding(.global, .focusSymmetry, [c("9")]),
        Binding(.global, .confirm, [k(.enter)]),
        Binding(.global, .back, [k(.escape)]),
        Binding(.global, .runAgain, [c("r")]),
        Binding(.global, .runNewSeed, [c("R")]),
        Binding(.global, .compare, [c("v")]),
        Binding(.global, .savePicture, [ctrl("s")]),
        Binding(.global, .openRecipe, [ctrl("o")]),
        Binding(.global, .copyCommand, [c("y")]),
        Binding(.global, .copyValue, [c("Y")]),
        Binding(.global, .undo, [c("u")]),
        Binding(.global, .history, [c("Z")]),
        Binding(.global, .redo, [c("U"), ctrl("r")]),
        Binding(.global, .pauseQueue, [c("p")]),
        Binding(.global, .moveUp, [k(.up), c("k")]),
        Binding(.global, .moveDown, [k(.down), c("j")]),
        Binding(.global, .moveLeft, [k(.left), c("h")]),
        Binding(.global, .moveRight, [k(.right), c("l")]),
        Binding(.global, .moveFirst, [c("g"), k(.home)]),
        Binding(.global, .moveLast, [c("G"), k(.end)]),
        Binding(.global, .pageUp, [k(.pageUp), ctrl("u")]),
        Binding(.global, .pageDown, [k(.pageDown), ctrl("d")]),
        Binding(.global, .toggle, [c(" ")]),
        Binding(.global, .increase, [c("+"), c("=")]),
        Binding(.global, .decrease, [c("-")]),
        Binding(.global, .increaseMore, [c("L")]),
        Binding(.global, .decreaseMore, [c("H")]),
        Binding(.global, .search, [c("/")]),
        Binding(.global, .searchNext, [c("n")]),
        Binding(.global, .searchPrevious, [c("N")]),
        Binding(.global, .themes, [c("t")]),
        Binding(.global, .toggleMouse, [ctrl("t")]),
        Binding(.global, .widenPane, [k(.right, .control)]),
        Binding(.global, .narrowPane, [k(.left, .control)]),
        Binding(.global, .heightenPane, [k(.down, .control)]),
        Binding(.global, .lowerPane, [k(.up, .control)]),
        Binding(.global, .zoomPane, [ctrl("f")]),
        Binding(.global, .redraw, [ctrl("l")]),
        Binding(.global, .suspend, [ctrl("z")]),
    ]

    private static let models: [Binding] = [
        Binding(.pane(.models), .loadModel, [k(.enter)]),
        Binding(.pane(.models), .unloadModel, [c("x")]),
        Binding(.pane(.models), .rescanModels, [c("s")]),
        Binding(.pane(.models), .moveModel, [c("m")]),
    ]

    private static let schedule: [Binding] = [
        Binding(.pane(.schedule), .generate, [k(.enter)]),
        Binding(.pane(.schedule), .edit, [c("e")]),
        Binding(.pane(.schedule), .addMaskStep, [c("a")]),
        Binding(.pane(.schedule), .removeMaskStep, [c("d")]),
        Binding(.pane(.schedule), .nextFamily, [c("f")]),
        Binding(.pane(.schedule), .previousFamily, [c("F")]),
        Binding(.pane(.schedule), .nextPreset, [c("P")]),
        Binding(.pane(.schedule), .chooseClass, [c("c")]),
        Binding(.pane(.schedule), .nextVariant, [c("m")]),
        Binding(.pane(.schedule), .nextMode, [c("x")]),
        Binding(.pane(.schedule), .randomSeed, [c("s")]),
        Binding(.pane(.schedule), .editColumns, [c("o")]),
        Binding(.pane(.schedule), .revertRow, [k(.backspace)]),
    ]

    private static let preview: [Binding] = [
        Binding(.pane(.preview), .generate, [k(.enter)]),
        Binding(.pane(.preview), .editPicture, [c("e")]),
        Binding(.pane(.preview), .pauseRun, [c(" ")]),
        Binding(.pane(.preview), .stepRun, [c(".")]),
        Binding(.pane(.preview), .scrubBack, [k(.left), c("h"), c(",")]),
        Binding(.pane(.preview), .scrubForward, [k(.right), c("l")]),
        Binding(.pane(.preview), .scrubFirst, [k(.home), c("g")]),
        Binding(.pane(.preview), .scrubLast, [k(.end), c("G")]),
        Binding(.pane(.preview), .previousPicture, [k(.up), c("k"), c("[")]),
        Binding(.pane(.preview), .nextPicture, [k(.down), c("j"), c("]")]),
        Binding(.pane(.preview), .nextView, [c("m")]),
        Binding(.pane(.preview), .zoomIn, [c("+"), c("=")]),
        Binding(.pane(.preview), .zoomOut, [c("-")]),
        Binding(.pane(.preview), .panLeft, [k(.left, .alt)]),
        Binding(.pane(.preview), .panRight, [k(.right, .alt)]),
        Binding(.pane(.preview), .panUp, [k(.up, .alt)]),
        Binding(.pane(.preview), .panDown, [k(.down, .alt)]),
        Binding(.pane(.preview), .cycleImages, [c("i")]),
        Binding(.pane(.preview), .sendToSymmetry, [c("s")]),
        Binding(.pane(.preview), .branch, [c("b")]),
        Binding(.pane(.preview), .branchNewSeed, [c("B")]),
        Binding(.pane(.preview), .viewGallery, [c("o")]),
        Binding(.pane(.preview), .viewBranches, [c("w")]),
        Binding(.pane(.preview), .toggleMark, [c("x")]),
        Binding(.pane(.preview), .comparePair, [c("d")]),
        Binding(.pane(.preview), .hidePicture, [k(.delete), c("D")]),
    ]

    private static let mask: [Binding] = [
        Binding(.pane(.mask), .runEdit, [k(.enter)]),
        Binding(.pane(.mask), .toggle, [c(" ")], title: "Paint at the cursor; corners of a box"),
        Binding(.pane(.mask), .drawUp, [k(.up, .shift), c("K")]),
        Binding(.pane(.mask), .drawDown, [k(.down, .shift), c("J")]),
        Binding(.pane(.mask), .drawLeft, [k(.left, .shift)]),
        Binding(.pane(.mask), .drawRight, [k(.right, .shift)]),
        Binding(.pane(.mask), .toolBrush, [c("b")]),
        Binding(.pane(.mask), .toolEraser, [c("e")]),
        Binding(.pane(.mask), .toolBox, [c("a")]),
        Binding(.pane(.mask), .toolEllipse, [c("o")]),
        Binding(.pane(.mask), .fillHere, [c("f")]),
        Binding(.pane(.mask), .swapTool, [c("x")]),
        Binding(.pane(.mask), .sizeDown, [c("[")]),
        Binding(.pane(.mask), .sizeUp, [c("]")]),
        Binding(.pane(.mask), .toolLasso, [c("w")]),
        Binding(.pane(.mask), .softer, [c("{")]),
        Binding(.pane(.mask), .harder, [c("}")]),
        Binding(.pane(.mask), .zoomIn, [c("+"), c("=")]),
        Binding(.pane(.mask), .zoomOut, [c("-")]),
        Binding(.pane(.mask), .panLeft, [k(.left, .alt)]),
        Binding(.pane(.mask), .panRight, [k(.right, .alt)]),
        Binding(.pane(.mask), .panUp, [k(.up, .alt)]),
        Binding(.pane(.mask), .panDown, [k(.down, .alt)]),
        Binding(.pane(.mask), .dilateLess, [c(",")]),
        Binding(.pane(.mask), .dilateMore, [c(".")]),
        Binding(.pane(.mask), .nextCells, [c("0")]),
        Binding(.pane(.mask), .extendLeft, [k(.left, [.alt, .shift])]),
        Binding(.pane(.mask), .extendRight, [k(.right, [.alt, .shift])]),
        Binding(.pane(.mask), .extendUp, [k(.up, [.alt, .shift])]),
        Binding(.pane(.mask), .extendDown, [k(.down, [.alt, .shift])]),
        Binding(.pane(.mask), .invertMask, [c("i")]),
        Binding(.pane(.mask), .clearMask, [c("c")]),
        Binding(.pane(.mask), .toggleMask, [c("m")]),
        Binding(.pane(.mask), .nextMaskView, [c("v")]),
        Binding(.pane(.mask), .takeSample, [c("s")]),
        Binding(.pane(.mask), .openPicture, [c("O")]),
        Binding(.pane(.mask), .importMask, [c("I")]),
        Binding(.pane(.mask), .writeMask, [c("W")]),
        Binding(.pane(.mask), .nextEditMode, [c("M")]),
        Binding(.pane(.mask), .nextAnchor, [c("A")]),
        Binding(.pane(.mask), .chooseClass, [c("C")]),
        Binding(.pane(.mask), .keepFewer, [c("<")]),
        Binding(.pane(.mask), .keepMore, [c(">")]),
        Binding(.pane(.mask), .fewerEditSteps, [c("(")]),
        Binding(.pane(.mask), .moreEditSteps, [c(")")]),
        Binding(.pane(.mask), .togglePasteBack, [c("P")]),
        Binding(.pane(.mask), .acceptResult, [c("S")]),
        Binding(.pane(.mask), .shrinkForOutpainting, [c("z")]),
    ]

    private static let tokens: [Binding] = [
        Binding(.pane(.tokens), .nextColoring, [c("m")]),
        Binding(.pane(.tokens), .previousScale, [c("[")]),
        Binding(.pane(.tokens), .nextScale, [c("]")]),
        Binding(.pane(.tokens), .followScale, [c("f")]),
    ]

    private static let jobs: [Binding] = [
        Binding(.pane(.jobs), .showJob, [k(.enter)]),
        Binding(.pane(.jobs), .cancelJob, [c("x")]),
        Binding(.pane(.jobs), .retryJob, [c("r")]),
        Binding(.pane(.jobs), .removeJob, [c("d"), k(.delete)]),
        Binding(.pane(.jobs), .jobUp, [c("K"), k(.up, .shift)]),
        Binding(.pane(.jobs), .jobDown, [c("J"), k(.down, .shift)]),
        Binding(.pane(.jobs), .clearFinished, [c("c")]),
    ]

    private static let log: [Binding] = [
        Binding(.pane(.log), .logMore, [c("+"), c("=")]),
        Binding(.pane(.log), .logLess, [c("-")]),
    ]

    private static let symmetry: [Binding] = [
        Binding(.pane(.symmetry), .openSymmetrySet, [c("o")]),
        Binding(.pane(.symmetry), .openSymmetryFolder, [c("O")]),
        Binding(.pane(.symmetry), .nameSymmetryData, [c("D")]),
        Binding(.pane(.symmetry), .chooseSymmetryModel, [c("M")]),
        Binding(.pane(.symmetry), .moveUp, [k(.up), c("k")], title: "Input above"),
        Binding(.pane(.symmetry), .moveDown, [k(.down), c("j")], title: "Input below"),
        Binding(.pane(.symmetry), .moveLeft, [k(.left), c("h")], title: "Bin to the left"),
        Binding(.pane(.symmetry), .moveRight, [k(.right), c("l")], title: "Bin to the right"),
        Binding(.pane(.symmetry), .increase, [c("+"), c("=")], title: "Turn the input by 5°"),
        Binding(.pane(.symmetry), .decrease, [c("-")], title: "Turn the input by −5°"),
        Binding(.pane(.symmetry), .increaseMore, [c("L")], title: "Turn the input by 30°"),
        Binding(.pane(.symmetry), .decreaseMore, [c("H")], title: "Turn the input by −30°"),
        Binding(.pane(.symmetry), .typeRotation, [c("e")]),
        Binding(.pane(.symmetry), .unrotate, [c("0")]),
        Binding(.pane(.symmetry), .nextRotationAxis, [c("A")]),
        Binding(.pane(.symmetry), .nextSymmetryScope, [c("s")]),
        Binding(.pane(.symmetry), .nextSymmetryView, [c("m")]),
        Binding(.pane(.symmetry), .symmetryTable, [c("T")]),
        Binding(.pane(.symmetry), .toggleRawPoses, [c("w")]),
        Binding(.pane(.symmetry), .toggleTrueLaw, [c("z")]),
        Binding(.pane(.symmetry), .nextSymmetryOrder, [c("i")]),
        Binding(.pane(.symmetry), .fewerNeighbours, [c("[")]),
        Binding(.pane(.symmetry), .moreNeighbours, [c("]")]),
        Binding(.pane(.symmetry), .nextMetric, [c("d")]),
        Binding(.pane(.symmetry), .nextEstimator, [c("E")]),
        Binding(.pane(.symmetry), .nextMean, [c("c")]),
        Binding(.pane(.symmetry), .narrowerTukey, [c("{")]),
        Binding(.pane(.symmetry), .widerTukey, [c("}")]),
        Binding(.pane(.symmetry), .nextSymmetryFamily, [c("f")]),
        Binding(.pane(.symmetry), .narrowerKernel, [c("(")]),
        Binding(.pane(.symmetry), .widerKernel, [c(")")]),
        Binding(.pane(.symmetry), .nextOutsideRule, [c("x")]),
        Binding(.pane(.symmetry), .nextSymmetryPath, [c("a")]),
        Binding(.pane(.symmetry), .nextSymmetryLook, [c("C")]),
        Binding(.pane(.symmetry), .compareSymmetry, [c("v")]),
        Binding(.pane(.symmetry), .compareSymmetryModels, [c("V")]),
        Binding(.pane(.symmetry), .switchSymmetrySide, [c("b")]),
        Binding(.pane(.symmetry), .toggleTurning, [c(" ")]),
        Binding(.pane(.symmetry), .standardizedToMask, [c("S")]),
        Binding(.pane(.symmetry), .exportSymmetry, [c("W")]),
    ]
    /// Those of a training that does not run are about starting one; those of the preview differ where it shows many pictures.
    static func hints(for pane: PaneID, view: PreviewView, trains: Bool = true) -> [Command] {
        if pane == .train, !trains {
            return [
                .startTraining, .setDataFolder, .setRunFolder, .nextTrainDevice, .nextTrainView,
                .exportTraining,
            ]
        }
        guard pane == .preview else { return hints(for: pane) }
        switch view {
        case .gallery:
            return [.generate, .pauseRun, .search, .comparePair, .editPicture, .hidePicture]
        case .pair: return [.pauseRun, .comparePair, .zoomIn, .viewGallery]
        case .branches: return [.generate, .nextPicture, .scrubBack, .branchNewSeed, .toggleMark]
        case .picture, .scales, .grid, .compare: return hints(for: pane)
        }
    }

    private static let train: [Binding] = [
        Binding(.pane(.train), .startTraining, [k(.enter)]),
        Binding(.pane(.train), .holdTraining, [c(" ")]),
        Binding(.pane(.train), .saveCheckpoint, [c("c")]),
        Binding(.pane(.train), .makeSamples, [c("s")]),
        Binding(.pane(.train), .stopTraining, [c("x")]),
        Binding(.pane(.train), .nextTrainView, [c("m")]),
        Binding(.pane(.train), .previousFigures, [c("[")]),
        Binding(.pane(.train), .nextFigures, [c("]")]),
        Binding(.pane(.train), .toggleLogScale, [c("f")]),
        Binding(.pane(.train), .trainTable, [c("T")]),
        Binding(.pane(.train), .setDataFolder, [c("d")]),
        Binding(.pane(.train), .setRunFolder, [c("o")]),
        Binding(.pane(.train), .nextTrainDevice, [c("D")]),
        Binding(.pane(.train), .rescanTrainings, [c("S")]),
        Binding(.pane(.train), .exportTraining, [c("W")]),
    ]

    /// The most useful keys of a pane, for the bottom line.
    static func hints(for pane: PaneID) -> [Command] {
        switch pane {
        case .models: [.loadModel, .unloadModel, .moveModel, .focusSchedule, .help, .palette]
        case .schedule: [.generate, .increase, .decrease, .edit, .nextFamily, .chooseClass]
        case .preview: [.generate, .runNewSeed, .pauseRun, .stepRun, .nextView, .editPicture]
        case .mask: [.runEdit, .toolBrush, .toolEraser, .toolBox, .nextEditMode, .undo]
        case .tokens: [.previousScale, .nextScale, .nextColoring, .followScale, .help]
        case .jobs: [.cancelJob, .retryJob, .pauseQueue, .removeJob, .jobUp, .clearFinished]
        case .log: [.search, .logMore, .logLess, .help, .palette]
        case .symmetry:
            [
                .openSymmetrySet, .nextSymmetryScope, .nextSymmetryView, .nextMean,
                .compareSymmetry, .exportSymmetry,
            ]
        case .train:
            [
                .startTraining, .holdTraining, .saveCheckpoint, .stopTraining, .nextTrainView,
                .nextFigures,
            ]
        }
    }
}

nonisolated extension Command {
    /// The commands of a pane's action menu.
    static func menu(of pane: PaneID, _ bindings: KeyBindings) -> [Command] {
        let own = bindings.commands(in: .pane(pane))
        let hints = KeyBindings.hints(for: pane).filter { !own.contains($0) }
        return own + hints
    }
}

nonisolated extension PreviewView {
    /// What keys do in this view, where it is not what they do in the others.
    var hintWords: [Command: String] {
        switch self {
        case .gallery: [.generate: "open", .pauseRun: "mark"]
        case .pair: [.pauseRun: "flip", .comparePair: "next way"]
        case .branches: [.generate: "open", .nextPicture: "next", .scrubBack: "parent"]
        case .picture, .scales, .grid, .compare: [:]
        }
    }
}
