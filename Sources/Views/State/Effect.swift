// Work that the reducer asks for and does not do itself.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum Effect: Sendable {
    case listModels
    /// Loads a model to compute on a device.
    case loadModel(ModelEntry, device: String)
    case listDevices
    case unloadModel
    case sample(run: Int, title: String, SamplingRequest)
    case edit(run: Int, title: String, EditRequest)
    case setRow(run: Int, row: [Int], scale: Int)
    case setPaused(run: Int, Bool)
    case step(run: Int)
    case cancelRun(Int)
    case cancelJob(Int)
    case moveJob(Int, by: Int)
    case pauseQueue(Bool)
    case clearFinishedJobs
    case removeJob(Int)
    /// Keeps what waits for the next start.
    case saveQueue([StoredRun])
    case openRecipe(path: String)
    case saveFirstSteps(Set<FirstStep>)
    case saveLayout([String: [Double]])
    /// Keeps finished runs for the next start.
    case saveGallery([Run])
    case openPicture(path: String, side: Int)
    case importMask(path: String, side: Int)
    case writeMask(PixelMask, path: String, overwrites: Bool)
    case savePicture(RGBImage, recipe: PictureRecipe, path: String, run: Int, overwrites: Bool)
    case listTrainings
    case startTraining(TrainingRequest)
    case sendTraining(TrainingCommand, folder: String)
    /// The run folder that is shown; nil for none.
    case followTraining(String?)
    case loadTrainingPicture(folder: String, TrainRun.Sample)
    case exportTraining(TrainExport, folder: String, overwrites: Bool)
    case saveSession(SessionSnapshot)
    case symmetry(SymmetryEffect)
    case terminal(TerminalRequest)
    case log(LogState.Line.Level, String)
    case setTheme(String)
    case resizePane(PaneResize)
    /// Reads themes and settings again where these files are theirs.
    case reload([String])
}
