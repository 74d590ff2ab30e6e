// Where the panes stand at a size of the screen.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The arrangement of one frame.
nonisolated struct ScreenLayout {
    var form: ScreenForm
    var tree: Layout<LayoutSlot>
    var area: Rect
    var arrangement: Layout<LayoutSlot>.Arrangement
    /// Row of the notices; nil where the hints give way to them.
    var noticeRow: Int?
    var hintRow: Int
    private let focus: PaneID

    init(_ state: AppState, size: CellSize) {
        focus = state.layout.focus
        let hasNoticeRow = size.rows >= 24
        hintRow = size.rows - 1
        noticeRow = hasNoticeRow ? size.rows - 2 : nil
        let bottom = hasNoticeRow ? 2 : 1
        area = Rect(x: 0, y: 1, width: size.columns, height: size.rows - 1 - bottom)
        if size.columns < Layout<LayoutSlot>.smallestWide.columns
            || size.rows < Layout<LayoutSlot>.smallestWide.rows
        {
            form = .narrow
        } else {
            form = size.columns >= 104 && size.rows >= 26 ? .wide : .medium
        }
        tree = state.layout.trees[form] ?? Self.tree(form, size: size, state: state)
        if state.layout.trees[form] == nil, let weights = state.layout.kept[form.rawValue] {
            tree = tree.with(weights: weights)
        }
        if state.layout.focus.fillsScreen {
            tree = Layout(.pane(.center, minimum: CellSize(columns: 20, rows: 4)))
        }
        arrangement = tree.arrange(
            screen: size, area: area, focus: Self.slot(of: state.layout.focus, form: form),
            zoom: state.layout.zoom)
        if !arrangement.tabs.isEmpty {
            // One pane at a time: the tabs name all seven panes, not the slots.
            arrangement.tabs = []
            form = .narrow
        }
    }

    /// The next size of the focused pane; one that looks like the present one is passed over.
    static func nextZoom(_ state: AppState) -> Zoom {
        func frame(_ zoom: Zoom) -> Rect? {
            var state = state
            state.layout.zoom = zoom
            let layout = ScreenLayout(state, size: state.layout.size)
            let slot = slot(of: state.layout.focus, form: layout.form)
            return layout.arrangement.panes.first { $0.pane == slot }?.frame
        }
        let now = frame(state.layout.zoom)
        var zoom = state.layout.zoom.next
        while zoom != state.layout.zoom, zoom != .normal, frame(zoom) == now { zoom = zoom.next }
        return zoom
    }

    /// The slot in which a pane is shown.
    static func slot(of pane: PaneID, form: ScreenForm) -> LayoutSlot {
        switch pane {
        case .models: .models
        case .schedule: .schedule
        case .preview, .mask, .train: .center
        case .tokens: form == .wide ? .tokens : .center
        case .jobs: form == .wide ? .jobs : .center
        case .log: form == .wide ? .log : .center
        case .symmetry: .center
        }
    }

    /// The pane that a slot shows.
    func pane(in slot: LayoutSlot, state: AppState) -> PaneID {
        if form == .narrow || state.layout.focus.fillsScreen { return state.layout.focus }
        switch slot {
        case .models: return .models
        case .schedule: return .schedule
        case .center: return form == .wide ? state.layout.center : state.layout.front
        case .tokens: return .tokens
        case .jobs: return .jobs
        case .log: return .log
        }
    }

    /// The panes that share the middle column.
    var centerTabs: [PaneID] {
        if focus.fillsScreen { return PaneID.allCases }
        return form == .wide
            ? [.preview, .mask, .train, .symmetry]
            : [.preview, .mask, .tokens, .jobs, .log, .train, .symmetry]
    }

    private static func tree(_ form: ScreenForm, size: CellSize, state: AppState)
        -> Layout<LayoutSlot>
    {
        func leaf(_ slot: LayoutSlot, _ columns: Int, _ rows: Int) -> Layout<LayoutSlot>.Node {
            .pane(slot, minimum: CellSize(columns: columns, rows: rows))
        }
        let height = Double(max(1, size.rows - 3))
        // The schedule's lines come first; what is left goes to the models' card.
        let scheduleLines = Double(state.schedule.values.rows.count + 16)
        let models = max(4, min(34, height - scheduleLines))
        let left = Layout<LayoutSlot>.Node.split(
            .vertical,
            [
                .init(leaf(.models, 22, 3), weight: models),
                .init(leaf(.schedule, 22, 7), weight: height - models),
            ])
        let columns = size.columns
        switch form {
        case .wide:
            let leftWidth = columns >= 150 ? 42.0 : columns >= 116 ? 38.0 : 34.0
            // The whole token map with its codes, as long as jobs and log keep some lines.
            let side = Double(state.schedule.values.rows.last?.side ?? 0)
            let tokens = max(height * 0.56, min(side + 9, height - 10))
            let rightWidth = columns >= 150 ? 44.0 : columns >= 116 ? 35.0 : 30.0
            let right = Layout<LayoutSlot>.Node.split(
                .vertical,
                [
                    .init(leaf(.tokens, 20, 8), weight: tokens),
                    .init(leaf(.jobs, 20, 2), weight: (height - tokens) / 2),
                    .init(leaf(.log, 20, 2), weight: (height - tokens) / 2),
                ])
            return Layout(
                .split(
                    .horizontal,
                    [
                        .init(left, weight: leftWidth),
                        .init(
                            leaf(.center, 24, 8),
                            weight: Double(columns) - leftWidth - rightWidth),
                        .init(right, weight: rightWidth),
                    ]))
        case .medium, .narrow:
            let leftWidth = columns >= 90 ? 38.0 : columns >= 76 ? 34.0 : 28.0
            return Layout(
                .split(
                    .horizontal,
                    [
                        .init(left, weight: leftWidth),
                        .init(leaf(.center, 24, 8), weight: Double(columns) - leftWidth),
                    ]))
        }
    }
}
