// A run that waits, as it is kept for the next start. SPDX-License-Identifier: Apache-2.0
import Core

/// Everything needed to make a run again.
nonisolated struct StoredRun: Sendable, Equatable, Codable {
    var model: String
    var sampling: SamplingRequest
    var edit: PictureRecipe.Edit?

    init(_ run: Run) {
        model = run.modelName
        sampling = run.request
        sampling.schedule = run.schedule
        edit = run.edit.map(PictureRecipe.Edit.init)
    }

    /// The edit of the run, if it is one.
    ///
    /// - Throws: `DecodingError` when the stored picture or mask does not have its stated size.
    func editRequest() throws -> EditRequest? { try edit?.request(sampling: sampling) }

    /// Whether it can be run; a file is no more trusted than typing.
    var isSound: Bool {
        (1...256).contains(sampling.count) && sampling.cfg.isFinite && sampling.topK >= 0
            && (0...1).contains(sampling.topP) && (sampling.classLabel ?? 0) >= 0
            && !sampling.schedule.patchNums.isEmpty
            && (edit == nil || (try? editRequest()) != nil)
    }
}
