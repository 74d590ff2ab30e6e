// Everything that can change the state: a person's doing, or news from a worker.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum Action: Sendable {
    case command(Command)
    /// A key for the popup on top, or for the value being typed.
    case key(KeyPress)
    case paste(String)
    case focus(PaneID)
    case layout(LayoutAction)
    case overlay(OverlayAction)
    case models(ModelsAction)
    case schedule(ScheduleAction)
    case run(RunAction)
    case preview(PreviewAction)
    case gallery(GalleryItem)
    case columns(ColumnsAction)
    case mask(MaskAction)
    case tokens(TokensAction)
    case symmetry(SymmetryAction)
    case jobs(JobsAction)
    case log(LogAction)
    case train(TrainAction)
    case file(FileAction)
    case session(SessionAction)
    case notice(Notice.Level, String)
    case terminal(Capabilities)
    case files(FilesAction)
    /// The clock, in seconds; monotonic.
    case tick(Double)
}

nonisolated enum LayoutAction: Sendable {
    case resized(CellSize)
    case setTree(ScreenForm, Layout<LayoutSlot>)
}

nonisolated enum OverlayAction: Sendable {
    case close
    /// Selects a line of the popup on top.
    case select(Int)
    /// Chooses a line of it.
    case choose(Int)
    case scroll(Int)
    case menu(PaneID, Point)
    /// Asks whether to quit, whatever is unsaved.
    case askToQuit
}

nonisolated enum ModelsAction: Sendable {
    case listed([ModelEntry], problems: [String])
    case select(Int)
    case load(String)
    case loading(String)
    case loaded(LoadedModelFacts, device: String)
    case devices([DeviceEntry], problem: String?)
    case failed(String, reason: String)
    case unloaded
    case scrollCard(Int)
}

nonisolated enum ScheduleAction: Sendable {
    case select(ScheduleField)
    /// Changes the value of a field by so many steps.
    case change(ScheduleField, by: Int)
    case setPreset(SchedulePreset)
    case setFamily(scale: Int, ScheduleFamily)
    case setText(scale: Int, String)
    case setClass(Int?)
    case setSeed(UInt64)
    case beginEdit(ScheduleField)
    case scroll(Int)
}

nonisolated enum ColumnsAction: Sendable {
    /// A column pulled to so many tokens.
    case drag(step: Int, value: Int)
    case change(Int)
    case select(Int)
    case split, join, family
    case scale(Int)
    /// The button was let go.
    case settle
    case cancel
}

nonisolated enum RunAction: Sendable {
    /// A run waits as a job.
    case queued(Int, job: Int)
    case started(Int)
    case pass(Int, PassReport)
    case sampled(Int, SamplingResult)
    /// Pictures after scales that went by too fast to be shown.
    case scalePictures(Int, [Int: [RGBImage]])
    case edited(Int, EditResult)
    case cancelled(Int)
    case failed(Int, reason: String)
    case show(Int)
}

nonisolated enum PreviewAction: Sendable {
    case scrub(to: Int?)
    case selectPicture(Int)
    case view(PreviewView)
    case zoom(Int)
    case pan(x: Double, y: Double)
    /// By rows of the gallery or of the branches.
    case browse(Int)
}

nonisolated enum MaskAction: Sendable {
    case begin(MaskPoint, erases: Bool)
    case move(MaskPoint)
    case end
    case opened(RGBImage, path: String, notice: String?)
    case imported(PixelMask, name: String)
    case setTool(MaskTool)
    case setView(MaskView)
    case zoom(Int)
    case pan(x: Double, y: Double)
}

nonisolated enum TokensAction: Sendable {
    case select(row: Int, column: Int)
    case scale(Int?)
    case coloring(TokenColoring)
}

nonisolated enum JobsAction: Sendable {
    case changed([Job], isPaused: Bool)
    case select(Int)
    case cancel(Int)
}

nonisolated enum LogAction: Sendable {
    case append([LogState.Line])
    case scroll(Int)
}

nonisolated enum FileAction: Sendable {
    case pictureSaved(path: String, run: Int)
    case maskWritten(path: String)
    /// The file is there already: ask before it is replaced.
    case exists(PromptKind, path: String)
    case failed(String)
    case recipe(OpenedRecipe)
}

/// Files of the application itself, changed by another program.
nonisolated enum FilesAction: Sendable {
    case changed([String])
    case themes([String])
    case settings(Settings)
}

nonisolated enum SessionAction: Sendable {
    /// A session may be written; `recovered` was left behind by a program that did not end.
    case opened(recovered: SessionSnapshot?, queue: [StoredRun])
    case firstSteps(Set<FirstStep>)
    /// Weights of layouts that were dragged at earlier starts.
    case layout([String: [Double]])
    /// Finished runs of earlier starts.
    case gallery([Run])
    case readOnly(String)
    case restore
    case written
    /// The gallery is on the disk, or could not be written there.
    case keptGallery
    case lostGallery(String)
}
