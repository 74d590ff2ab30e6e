// Everything that can be undone, newest last.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One undoable change with the title that notices show.
nonisolated struct UndoEntry: Sendable, Equatable, Codable {
    enum Change: Sendable, Equatable, Codable {
        case mask([MaskRowDifference])
        case settings(before: ScheduleValues, after: ScheduleValues)
        case edit(before: EditSettings, after: EditSettings)
        /// Settings of side A (0) or B (1) of the symmetry pane.
        case symmetry(side: Int, before: SymmetrySettings, after: SymmetrySettings)
        /// Another picture to edit, with its mask.
        case canvas(before: StoredCanvas, after: StoredCanvas)
        case model(before: StoredModel, after: StoredModel)
        /// Jobs that waited and were taken out.
        case jobs([StoredRun])
        /// A picture taken out of the gallery.
        case gallery(run: Int, picture: Int)
    }

    var title: String
    var change: Change

    var bytes: Int {
        switch change {
        case .mask(let rows): rows.reduce(64) { $0 + 8 * $1.toggled.count + 48 }
        case .settings: 4096
        case .edit, .symmetry, .gallery: 512
        case .canvas(let before, let after): before.bytes + after.bytes
        case .model(let before, let after): 8192 + before.canvas.bytes + after.canvas.bytes
        case .jobs(let runs): runs.reduce(512) { $0 + ($1.edit?.source.pixels.count ?? 0) + 1024 }
        }
    }
}

/// Undo and redo stacks held below a memory limit.
nonisolated struct UndoHistory: Sendable, Equatable, Codable {
    private(set) var undo: [UndoEntry] = []
    private(set) var redo: [UndoEntry] = []
    /// Counts steps taken back or forward; not kept in files.
    private(set) var generation = 0

    private enum CodingKeys: String, CodingKey { case undo, redo }

    static let limit = 64 << 20
    /// Bytes of it that go into a session file.
    static let fileLimit = 8 << 20

    /// Notes a change that was just made.
    ///
    /// - Parameter merging: joins it with the last entry when both change settings under the same
    ///   title, so that a held key is one step.
    mutating func record(_ entry: UndoEntry, merging: Bool = false) {
        redo = []
        if merging, let last = undo.last, last.title == entry.title,
            case .settings(let before, _) = last.change,
            case .settings(_, let after) = entry.change
        {
            undo[undo.count - 1].change = .settings(before: before, after: after)
            return
        }
        undo.append(entry)
        var total = undo.reduce(0) { $0 + $1.bytes }
        while total > Self.limit, undo.count > 1 { total -= undo.removeFirst().bytes }
    }

    mutating func takeUndo() -> UndoEntry? {
        guard let entry = undo.popLast() else { return nil }
        generation += 1
        redo.append(entry)
        return entry
    }

    mutating func takeRedo() -> UndoEntry? {
        guard let entry = redo.popLast() else { return nil }
        generation += 1
        undo.append(entry)
        return entry
    }

    /// Another history takes the place of this one; what it was restored with is no step of it.
    mutating func replace(by other: UndoHistory) {
        let count = generation
        self = other
        generation = count + 1
    }

    /// Forgets changes of the mask after so many entries: a bigger change contains them.
    mutating func dropMasks(since count: Int) {
        guard count < undo.count else { return }
        undo[count...].removeAll {
            if case .mask = $0.change { return true }
            return false
        }
    }

    /// Without what is about runs of this start.
    var withoutGallery: UndoHistory {
        var copy = self
        func isOther(_ entry: UndoEntry) -> Bool {
            if case .gallery = entry.change { return false }
            return true
        }
        copy.undo = undo.filter(isOther)
        copy.redo = redo.filter(isOther)
        return copy
    }

    /// The newest entries only, for a session file.
    func limited(to count: Int) -> UndoHistory {
        var copy = self
        copy.undo = Array(undo.suffix(count))
        var bytes = copy.undo.reduce(0) { $0 + $1.bytes }
        while bytes > Self.fileLimit, !copy.undo.isEmpty { bytes -= copy.undo.removeFirst().bytes }
        copy.redo = []
        return copy
    }
}
