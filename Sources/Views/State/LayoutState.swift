// Which pane has the focus and how the panes share the screen.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum PaneID: Int, Sendable, CaseIterable, Codable {
    case models = 1, schedule, preview, mask, tokens, jobs, log
    case train = 8
    case symmetry = 9

    var title: String {
        switch self {
        case .models: "Models"
        case .schedule: "Schedule"
        case .preview: "Preview"
        case .mask: "Mask"
        case .tokens: "Tokens"
        case .jobs: "Jobs"
        case .log: "Log"
        case .train: "Train"
        case .symmetry: "Symmetry"
        }
    }

    /// For tabs without room for the whole word.
    var shortTitle: String {
        switch self {
        case .models: "Mod"
        case .schedule: "Sch"
        case .preview: "Pic"
        case .mask: "Mask"
        case .tokens: "Tok"
        case .jobs: "Jobs"
        case .log: "Log"
        case .train: "Trn"
        case .symmetry: "Sym"
        }
    }

    /// Whether it takes the whole screen while it has the focus.
    var fillsScreen: Bool { self == .symmetry || self == .train }
}

/// A place in the layout; the middle one holds several panes.
nonisolated enum LayoutSlot: Sendable, Hashable {
    case models, schedule, center, tokens, jobs, log
}

/// How the panes share the screen at its size.
nonisolated enum ScreenForm: String, Sendable, Hashable {
    /// Three columns.
    case wide
    /// Two columns; the right one's panes are tabs of the middle.
    case medium
    /// One pane at a time, the others as tabs.
    case narrow
}

nonisolated struct LayoutState: Sendable {
    var size = CellSize(columns: 0, rows: 0)
    var focus = PaneID.preview
    /// The pane in the middle column, preview or mask.
    var center = PaneID.preview
    /// The pane in the middle column where the right one has no room.
    var front = PaneID.preview
    var zoom = Zoom.normal
    /// Layouts with dividers that were dragged, by form of the screen.
    var trees: [ScreenForm: Layout<LayoutSlot>] = [:]
    /// Weights of dragged layouts of earlier starts, by the name of the form.
    var kept: [String: [Double]] = [:]
    /// Whether dividers stand elsewhere than on the disk.
    var isUnsaved = false

    /// All weights to keep: those of this start before those of earlier ones.
    var weights: [String: [Double]] {
        var all = kept
        for (form, tree) in trees { all[form.rawValue] = tree.weights }
        return all
    }
}
