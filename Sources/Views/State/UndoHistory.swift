// Everything that can be undone, newest last.
// SPDX-License-Identifier: Apache-2.0

/// One undoable change with the title that notices show.
nonisolated struct UndoEntry: Sendable, Equatable, Codable {
    enum Change: Sendable, Equatable, Codable {
        case mask([MaskRowDifference])
        case settings(before: ScheduleValues, after: ScheduleValues)
        case edit(before: EditSettings, after: EditSettings)
    }

    var title: String
    var change: Change

    var bytes: Int {
        switch change {
        case .mask(let rows): rows.reduce(64) { $0 + 8 * $1.toggled.count + 48 }
        case .settings: 4096
        case .edit: 512
        }
    }
}

/// Undo and redo stacks held below a memory limit.
nonisolated struct UndoHistory: Sendable, Equatable, Codable {
    private(set) var undo: [UndoEntry] = []
    private(set) var redo: [UndoEntry] = []

    static let limit = 64 << 20

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
        redo.append(entry)
        return entry
    }

    mutating func takeRedo() -> UndoEntry? {
        guard let entry = redo.popLast() else { return nil }
        undo.append(entry)
        return entry
    }

    /// The history without strokes, for another picture to edit.
    func withoutMask() -> UndoHistory {
        func isKept(_ entry: UndoEntry) -> Bool {
            if case .mask = entry.change { return false }
            return true
        }
        var copy = self
        copy.undo.removeAll { !isKept($0) }
        copy.redo.removeAll { !isKept($0) }
        return copy
    }

    /// The newest entries only, for a session file.
    func limited(to count: Int) -> UndoHistory {
        var copy = self
        copy.undo = Array(undo.suffix(count))
        copy.redo = []
        return copy
    }
}
