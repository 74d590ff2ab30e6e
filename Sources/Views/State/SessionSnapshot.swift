// What a session file holds.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The work of a session as it is written to disk: enough to go on after a crash.
nonisolated struct SessionSnapshot: Sendable, Equatable, Codable {
    var format = 1
    var model: String?
    var schedule: ScheduleValues
    var edit: EditSettings
    var mask: StoredMask?
    var sourceName: String
    /// The picture being edited and the last one generated; kept in PNG files beside the session.
    var source: StoredImage?
    var picture: StoredImage?
    var undo: UndoHistory
    /// Where models compute; absent in older files.
    var device: String?
    /// Folders typed for trainings, by recipe path; absent in older files.
    var trainingData: [String: String]?
    var trainingFolders: [String: String]?

    /// Undo entries kept in the file.
    static let undoLimit = 100

    init(_ state: AppState) {
        model = state.model?.card.name
        schedule = state.schedule.values
        edit = state.mask.settings
        mask = state.mask.mask.map { StoredMask($0) }
        sourceName = state.mask.sourceName
        source = state.mask.source.map { StoredImage($0) }
        picture = state.runs.runs.last { !$0.images.isEmpty }?.images.first.map { StoredImage($0) }
        // Runs have other numbers at the next start.
        undo = state.undo.limited(to: Self.undoLimit).withoutGallery
        device = state.models.device
        trainingData = state.train.dataFolders
        trainingFolders = state.train.outFolders
    }
}
