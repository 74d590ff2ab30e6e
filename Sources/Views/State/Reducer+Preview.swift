// Looking at pictures: scrubbing, views, zoom; and at tokens.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func preview(_ action: PreviewAction, _ state: inout AppState) {
        switch action {
        case .scrub(let pass): scrub(to: pass, &state)
        case .selectPicture(let index):
            let count = shownPictureCount(state)
            state.preview.picture = max(0, min(count - 1, index))
        case .view(let view): state.preview.view = view
        case .zoom(let steps):
            state.preview.zoom = max(
                PreviewState.zooms.lowerBound,
                min(PreviewState.zooms.upperBound, state.preview.zoom + steps))
            clampPan(&state)
        case .browse(let rows):
            if state.preview.view == .branches {
                walkBranches(x: 0, y: rows, &state)
            } else {
                moveInGallery(rows * max(1, state.gallery.columns), &state)
            }
        case .pan(let x, let y):
            state.preview.centerX += x
            state.preview.centerY += y
            clampPan(&state)
        }
    }

    /// Shows a view of the preview from any pane.
    static func showView(_ view: PreviewView, _ state: inout AppState) {
        state.preview.view = view
        if state.runs.shownID == nil { state.runs.shownID = state.runs.runs.last?.id }
        focus(.preview, &state)
    }

    static func shownPictureCount(_ state: AppState) -> Int {
        max(1, state.runs.shown?.latestImages.count ?? state.runs.shown?.request.count ?? 1)
    }

    private static func scrub(to pass: Int?, _ state: inout AppState) {
        guard let run = state.runs.shown, !run.passes.isEmpty else {
            state.preview.pass = nil
            return
        }
        guard let pass else {
            state.preview.pass = nil
            return
        }
        let index = max(0, min(run.passes.count - 1, pass))
        // The newest pass of a run means: follow it, or show the finished picture.
        state.preview.pass = index == run.passes.count - 1 ? nil : index
        if state.preview.view == .compare { state.preview.view = .picture }
        clampTokens(&state)
    }

    static func scrubBy(_ steps: Int, _ state: inout AppState) {
        guard let run = state.runs.shown else { return }
        scrub(to: (state.preview.pass ?? run.passes.count - 1) + steps, &state)
    }

    private static func clampPan(_ state: inout AppState) {
        let half = 0.5 / Double(state.preview.zoom)
        state.preview.centerX = max(half, min(1 - half, state.preview.centerX))
        state.preview.centerY = max(half, min(1 - half, state.preview.centerY))
    }

    // MARK: Tokens

    static func tokens(_ action: TokensAction, _ state: inout AppState) {
        switch action {
        case .select(let row, let column):
            state.tokens.row = row
            state.tokens.column = column
        case .scale(let scale): state.tokens.scale = scale
        case .coloring(let coloring): state.tokens.coloring = coloring
        }
        clampTokens(&state)
    }

    static func changeTokenScale(_ steps: Int, _ state: inout AppState) {
        guard let run = state.runs.shown else { return }
        let current = state.shownGrid?.scale ?? 0
        let last = max(0, run.schedule.patchNums.count - 1)
        tokens(.scale(max(0, min(last, current + steps))), &state)
    }

    static func clampTokens(_ state: inout AppState) {
        let side = state.shownGrid?.side ?? 1
        state.tokens.row = max(0, min(side - 1, state.tokens.row))
        state.tokens.column = max(0, min(side - 1, state.tokens.column))
    }
}

nonisolated extension AppState {
    /// The pass that preview and tokens look at.
    var shownPass: PassRecord? {
        guard let run = runs.shown else { return nil }
        if let index = preview.pass, run.passes.indices.contains(index) {
            return run.passes[index]
        }
        return run.passes.last
    }

    /// The token grid shown: of the chosen scale at the pass looked at, else of that pass.
    var shownGrid: TokenGrid? {
        guard let run = runs.shown else { return nil }
        let end = preview.pass.map { min($0 + 1, run.passes.count) } ?? run.passes.count
        let seen = run.passes[..<end]
        guard let scale = tokens.scale else {
            return seen.last?.grid ?? run.grids.last
        }
        if let record = seen.last(where: { $0.scale == scale }) { return record.grid }
        return preview.pass == nil ? run.grids.first { $0.scale == scale } : nil
    }

    /// The picture of the batch at the pass looked at.
    var shownPicture: RGBImage? {
        guard let run = runs.shown else { return nil }
        if let index = preview.pass, run.passes.indices.contains(index) {
            // A pass whose pictures were thinned out shows the nearest earlier ones.
            let pictures = run.passes[...index].last { !$0.previews.isEmpty }?.previews ?? []
            return pictures.indices.contains(preview.picture) ? pictures[preview.picture] : nil
        }
        let pictures = run.latestImages
        return pictures.indices.contains(preview.picture) ? pictures[preview.picture] : nil
    }
}
