// Every action that has a name: the key table, the help and the palette are made of these.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum Command: String, Sendable, CaseIterable, Codable {
    // Everywhere
    case help, palette, quit, cancelRunning, nextPane, previousPane
    case focusModels, focusSchedule, focusPreview, focusMask, focusTokens, focusJobs, focusLog
    case focusTrain
    case undo, redo, history, back, confirm, toggle
    case moveUp, moveDown, moveLeft, moveRight, moveFirst, moveLast, pageUp, pageDown
    case increase, decrease, increaseMore, decreaseMore, edit
    case generate, runAgain, runNewSeed, compare, savePicture, openRecipe, copyCommand, copyValue
    case widenPane, narrowPane, heightenPane, lowerPane
    case pauseQueue, themes, redraw, suspend, zoomPane, toggleMouse, cycleImages
    case search, searchNext, searchPrevious, hideFirstSteps
    // Models
    case loadModel, unloadModel, rescanModels, moveModel
    // Schedule
    case nextFamily, previousFamily, nextPreset, chooseClass, nextVariant, nextMode
    case addMaskStep, removeMaskStep, revertRow, randomSeed, editColumns
    case presetDefault, presetNextScaleOnly, presetBenchmark, presetCosine, presetOneByOne
    // Preview
    case pauseRun, stepRun, nextView, viewPicture, viewScales, viewGrid, viewCompare
    case scrubBack, scrubForward, scrubFirst, scrubLast, nextPicture, previousPicture
    case zoomIn, zoomOut, panLeft, panRight, panUp, panDown, editPicture
    case viewGallery, viewBranches, comparePair, toggleMark, hidePicture, branch, branchNewSeed
    // Mask
    case openPicture, takeSample, toolBrush, toolEraser, toolBox, toolEllipse, toolLasso, toolFill
    case harder, softer, nextCells, extendLeft, extendRight, extendUp, extendDown
    case swapTool, sizeUp, sizeDown, invertMask, clearMask, toggleMask, fillHere
    case importMask, writeMask, nextEditMode, nextAnchor, keepMore, keepFewer
    case dilateMore, dilateLess, moreEditSteps, fewerEditSteps, togglePasteBack, nextMaskView
    case runEdit, acceptResult, shrinkForOutpainting
    case drawUp, drawDown, drawLeft, drawRight
    // Tokens
    case nextScale, previousScale, nextColoring, followScale
    // Symmetry
    case focusSymmetry, openSymmetrySet, openSymmetryFolder, nameSymmetryData
    case chooseSymmetryModel, compareSymmetryModels, compareSymmetry, switchSymmetrySide
    case nextSymmetryView, previousSymmetryView, symmetryTable, nextSymmetryScope
    case toggleRawPoses, toggleTrueLaw, nextSymmetryOrder
    case moreNeighbours, fewerNeighbours, nextMetric, nextEstimator, previousEstimator
    case nextMean, widerTukey, narrowerTukey, nextSymmetryFamily, widerKernel, narrowerKernel
    case nextOutsideRule, nextSymmetryPath, nextSymmetryLook
    case typeRotation, unrotate, nextRotationAxis
    case toggleTurning, exportSymmetry, sendToSymmetry, standardizedToMask
    // Train
    case startTraining, holdTraining, saveCheckpoint, makeSamples, stopTraining
    case setDataFolder, setRunFolder, nextTrainDevice, nextTrainView, trainTable
    case nextFigures, previousFigures, toggleLogScale, rescanTrainings, exportTraining
    // Jobs and log
    case cancelJob, retryJob, removeJob, showJob, jobUp, jobDown, clearFinished, logMore, logLess

    /// Whether it moves a selection in lists and popups.
    var isMovement: Bool {
        switch self {
        case .moveUp, .moveDown, .moveLeft, .moveRight, .moveFirst, .moveLast, .pageUp, .pageDown,
            .back, .confirm, .toggle:
            true
        default: false
        }
    }

    /// What it does, as help and palette say it.
    var title: String {
        switch self {
        case .help: "Help for this pane"
        case .palette: "Command palette"
        case .quit: "Close, or quit"
        case .cancelRunning: "Cancel the running job (twice: quit)"
        case .nextPane: "Next pane"
        case .previousPane: "Previous pane"
        case .focusModels: "Go to Models"
        case .focusSchedule: "Go to Schedule"
        case .focusPreview: "Go to Preview"
        case .focusMask: "Go to Mask"
        case .focusTokens: "Go to Tokens"
        case .focusJobs: "Go to Jobs"
        case .focusLog: "Go to Log"
        case .focusTrain: "Go to Train"
        case .undo: "Undo"
        case .redo: "Redo"
        case .history: "History: go back and forth"
        case .back: "Back; cancel the running job"
        case .confirm: "Open or confirm"
        case .toggle: "Toggle"
        case .moveUp: "Up"
        case .moveDown: "Down"
        case .moveLeft: "Left"
        case .moveRight: "Right"
        case .moveFirst: "First"
        case .moveLast: "Last"
        case .pageUp: "Page up"
        case .pageDown: "Page down"
        case .increase: "Increase the value"
        case .decrease: "Decrease the value"
        case .increaseMore: "Increase by ten steps"
        case .decreaseMore: "Decrease by ten steps"
        case .edit: "Type a value"
        case .generate: "Generate"
        case .runAgain: "Run again"
        case .runNewSeed: "Run with a new seed"
        case .compare: "Compare VAR, HMAR without and with mask steps"
        case .savePicture: "Save the picture"
        case .copyCommand: "Copy the command line"
        case .copyValue: "Copy the value"
        case .openRecipe: "Make a saved picture again from its recipe"
        case .widenPane: "Wider pane"
        case .narrowPane: "Narrower pane"
        case .heightenPane: "Higher pane"
        case .lowerPane: "Lower pane"
        case .pauseQueue: "Pause or resume the queue"
        case .themes: "Choose a theme"
        case .redraw: "Redraw the screen"
        case .suspend: "Stop; the shell's fg continues"
        case .zoomPane: "Enlarge the pane"
        case .toggleMouse: "Mouse on or off"
        case .search: "Search"
        case .hideFirstSteps: "First steps: show no more"
        case .searchNext: "Next match"
        case .searchPrevious: "Previous match"
        case .cycleImages: "Change how pictures are shown"
        case .loadModel: "Load the model"
        case .unloadModel: "Unload the model"
        case .rescanModels: "Look for models again"
        case .moveModel: "Move between CPU and GPU"
        case .nextFamily: "Next family"
        case .previousFamily: "Previous family"
        case .nextPreset: "Next preset"
        case .chooseClass: "Choose the class"
        case .nextVariant: "Next variant (HMAR, without mask steps, VAR)"
        case .nextMode: "Exact or fast"
        case .addMaskStep: "Add a mask step"
        case .removeMaskStep: "Remove a mask step"
        case .revertRow: "Return to the row in force"
        case .randomSeed: "New seed"
        case .editColumns: "Steps of the scale as columns"
        case .presetDefault: "Preset: default"
        case .presetNextScaleOnly: "Preset: next-scale only"
        case .presetBenchmark: "Preset: benchmark-like"
        case .presetCosine: "Preset: cosine everywhere"
        case .presetOneByOne: "Preset: one token at a time"
        case .pauseRun: "Pause or resume"
        case .stepRun: "One pass"
        case .nextView: "Next view"
        case .viewPicture: "View: picture"
        case .viewScales: "View: scales"
        case .viewGrid: "View: grid"
        case .viewCompare: "View: compare"
        case .scrubBack: "Pass before"
        case .scrubForward: "Pass after"
        case .scrubFirst: "First pass"
        case .scrubLast: "Newest pass"
        case .nextPicture: "Next picture of the batch"
        case .previousPicture: "Previous picture of the batch"
        case .zoomIn: "Zoom in"
        case .zoomOut: "Zoom out"
        case .panLeft: "Pan left"
        case .panRight: "Pan right"
        case .panUp: "Pan up"
        case .panDown: "Pan down"
        case .editPicture: "Edit this picture with a mask"
        case .viewGallery: "View: gallery"
        case .viewBranches: "View: tree of branches"
        case .comparePair: "Compare two pictures: side by side, first, second, difference"
        case .toggleMark: "Mark the picture"
        case .hidePicture: "Take the picture out of the gallery"
        case .branch: "Go back to this scale and draw on from it"
        case .branchNewSeed: "The same with a new seed"
        case .openPicture: "Open a picture"
        case .takeSample: "Take the last sample"
        case .toolBrush: "Brush"
        case .toolEraser: "Eraser"
        case .toolBox: "Box"
        case .toolEllipse: "Ellipse"
        case .toolLasso: "Lasso"
        case .harder: "Harder edge"
        case .softer: "Softer edge"
        case .nextCells: "Cells drawn anew, scale by scale"
        case .extendLeft: "Extend the canvas to the left"
        case .extendRight: "Extend the canvas to the right"
        case .extendUp: "Extend the canvas upwards"
        case .extendDown: "Extend the canvas downwards"
        case .toolFill: "Fill tool"
        case .swapTool: "Swap brush and eraser"
        case .sizeUp: "Larger tool"
        case .sizeDown: "Smaller tool"
        case .invertMask: "Invert the mask"
        case .clearMask: "Clear the mask"
        case .toggleMask: "Show or hide the mask"
        case .fillHere: "Fill at the cursor"
        case .importMask: "Import a mask"
        case .writeMask: "Write the mask as PNG"
        case .nextEditMode: "Mode: inpaint, outpaint, class, vary, repaint"
        case .nextAnchor: "Anchor: tokens or residual"
        case .keepMore: "Keep one more scale"
        case .keepFewer: "Keep one scale less"
        case .dilateMore: "Grow the mask by a token cell; repaint more"
        case .dilateLess: "Shrink the growth by a token cell; repaint less"
        case .moreEditSteps: "One more mask step"
        case .fewerEditSteps: "One mask step less"
        case .togglePasteBack: "Paste the kept pixels back"
        case .nextMaskView: "Mask, before, after, difference"
        case .runEdit: "Run the edit"
        case .acceptResult: "Go on from the result"
        case .shrinkForOutpainting: "Shrink on the canvas and mask the rim"
        case .drawUp: "Draw up"
        case .drawDown: "Draw down"
        case .drawLeft: "Draw left"
        case .drawRight: "Draw right"
        case .nextScale: "Next scale"
        case .previousScale: "Previous scale"
        case .nextColoring: "Colour by confidence, entropy, step"
        case .followScale: "Follow the running scale"
        case .startTraining: "Start or resume the training"
        case .holdTraining: "Hold the training, or go on"
        case .saveCheckpoint: "Save a checkpoint now"
        case .makeSamples: "Make samples now"
        case .stopTraining: "Stop the training after a checkpoint"
        case .setDataFolder: "Type the data folder"
        case .setRunFolder: "Type the run folder"
        case .nextTrainDevice: "Next device for trainings"
        case .nextTrainView: "Next view: overview, curves, codes, samples, table"
        case .trainTable: "Figures as a table, and back"
        case .nextFigures: "Next group of figures"
        case .previousFigures: "Group of figures before"
        case .toggleLogScale: "Linear or logarithmic"
        case .rescanTrainings: "Look for recipes and runs again"
        case .exportTraining: "Write the figures: PNG, CSV, JSON"
        case .cancelJob: "Cancel the job"
        case .retryJob: "Try the job again"
        case .removeJob: "Take the job out of the list"
        case .showJob: "Show the job's picture"
        case .jobUp: "Move the job up"
        case .jobDown: "Move the job down"
        case .clearFinished: "Clear finished jobs"
        case .logMore: "Show more detail"
        case .logLess: "Show less detail"
        case .focusSymmetry: "Go to Symmetry"
        case .openSymmetrySet: "Choose the set of inputs"
        case .openSymmetryFolder: "Open a folder of inputs"
        case .nameSymmetryData: "Name the folder with the source data"
        case .chooseSymmetryModel: "Choose the symmetry model"
        case .compareSymmetryModels: "Side by side: two models"
        case .compareSymmetry: "Side by side: two settings"
        case .switchSymmetrySide: "Change side A or B"
        case .nextSymmetryView: "View: bars, rose or sphere, classes, table"
        case .previousSymmetryView: "View before"
        case .symmetryTable: "The chart as a table"
        case .nextSymmetryScope: "Poses of: neighbours, class, all, this input"
        case .toggleRawPoses: "Raw or corrected poses"
        case .toggleTrueLaw: "Show or hide the true law"
        case .nextSymmetryOrder: "Sort by number, level, OOD score"
        case .moreNeighbours: "More neighbours"
        case .fewerNeighbours: "Fewer neighbours"
        case .nextMetric: "Next metric of embeddings"
        case .nextEstimator: "Next estimator of the level"
        case .previousEstimator: "Estimator before"
        case .nextMean: "Mean: none, Fréchet, Tukey"
        case .widerTukey: "Larger c of Tukey's mean"
        case .narrowerTukey: "Smaller c of Tukey's mean"
        case .nextSymmetryFamily: "Next family of laws"
        case .widerKernel: "Wider kernels"
        case .narrowerKernel: "Narrower kernels"
        case .nextOutsideRule: "Rule for poses outside of the data"
        case .nextSymmetryPath: "Answer by neighbours or networks"
        case .nextSymmetryLook: "Look once or twice at who is alike"
        case .typeRotation: "Type the angle of the turn"
        case .unrotate: "Turn back to 0°"
        case .nextRotationAxis: "Next axis of the turn (space)"
        case .toggleTurning: "Turn the view or stop (space)"
        case .exportSymmetry: "Write everything shown: PNG, CSV, JSON"
        case .sendToSymmetry: "Ask the symmetry model about this picture"
        case .standardizedToMask: "Edit the upright picture with a mask"
        }
    }

    /// The word for the hint bar.
    var hint: String {
        switch self {
        case .generate: "generate"
        case .runEdit: "run edit"
        case .runNewSeed: "new seed"
        case .help: "help"
        case .palette: "commands"
        case .quit: "quit"
        case .loadModel: "load"
        case .unloadModel: "unload"
        case .moveModel: "CPU/GPU"
        case .nextPane: "next pane"
        case .increase: "more"
        case .decrease: "less"
        case .edit: "type"
        case .nextFamily: "family"
        case .nextPreset: "preset"
        case .chooseClass: "class"
        case .pauseRun: "pause"
        case .stepRun: "one pass"
        case .nextView: "view"
        case .editPicture: "edit"
        case .viewGallery: "gallery"
        case .viewBranches: "branches"
        case .comparePair: "compare two"
        case .toggleMark: "mark"
        case .hidePicture: "remove"
        case .branch: "branch"
        case .branchNewSeed: "branch, new seed"
        case .editColumns: "columns"
        case .toolLasso: "lasso"
        case .zoomIn: "zoom"
        case .compare: "compare"
        case .savePicture: "save"
        case .toolBrush: "brush"
        case .toolEraser: "eraser"
        case .toolBox: "box"
        case .openPicture: "open"
        case .takeSample: "last sample"
        case .nextEditMode: "mode"
        case .nextMaskView: "view"
        case .undo: "undo"
        case .nextScale: "scale +"
        case .previousScale: "scale −"
        case .nextColoring: "colour by"
        case .followScale: "follow"
        case .startTraining: "start"
        case .holdTraining: "hold"
        case .saveCheckpoint: "checkpoint"
        case .exportTraining: "export"
        case .setDataFolder: "data folder"
        case .setRunFolder: "run folder"
        case .nextTrainDevice: "device"
        case .makeSamples: "samples"
        case .stopTraining: "stop"
        case .nextTrainView: "view"
        case .nextFigures: "figures"
        case .toggleLogScale: "log"
        case .cancelJob: "cancel"
        case .retryJob: "again"
        case .removeJob: "remove"
        case .showJob: "show"
        case .history: "history"
        case .jobUp: "up"
        case .jobDown: "down"
        case .pauseQueue: "pause queue"
        case .clearFinished: "clear done"
        case .search: "search"
        case .logMore: "more detail"
        case .logLess: "less detail"
        case .focusSchedule: "schedule"
        case .focusMask: "mask"
        case .focusPreview: "preview"
        case .acceptResult: "keep result"
        case .openSymmetrySet: "set"
        case .nextSymmetryView: "view"
        case .nextSymmetryScope: "poses of"
        case .moreNeighbours: "k +"
        case .nextMean: "mean"
        case .nextEstimator: "estimator"
        case .compareSymmetry: "side by side"
        case .exportSymmetry: "export"
        case .sendToSymmetry: "symmetry"
        default: title.lowercased()
        }
    }
}
