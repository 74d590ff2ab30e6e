// Painting the mask, choosing the picture to edit, and how the edit is done.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func mask(_ action: MaskAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .begin(let point, let erases): begin(point, erases: erases, isKeyed: false, &state)
        case .move(let point): move(point, &state)
        case .end: endStroke(&state)
        case .opened(let image, let path, let notice):
            endStroke(&state)
            state.mask.mask = nil
            let name = path.split(separator: "/").last.map(String.init) ?? path
            state.mask.open(image, name: name, path: path, notice: notice)
            focus(.mask, &state)
            markDirty(&state)
            if let notice { notify(.info, notice, &state) }
        case .imported(let mask, let name):
            guard let current = state.mask.mask else {
                notify(.info, "First choose a picture to edit: O opens one.", &state)
                return []
            }
            guard mask.width == current.width, mask.height == current.height else {
                notify(
                    .error,
                    "\(name) is \(mask.width)×\(mask.height); the picture is "
                        + "\(current.width)×\(current.height).", &state)
                return []
            }
            changeMask("Import \(name)", &state) { $0 = mask }
        case .setTool(let tool):
            endStroke(&state)
            state.mask.tool = tool
        case .setView(let view): state.mask.view = view
        case .zoom(let steps): zoomMask(by: steps, &state)
        case .pan(let x, let y): panMask(x: x, y: y, &state)
        }
        return []
    }

    // MARK: Strokes

    static func begin(
        _ point: MaskPoint, erases: Bool, isKeyed: Bool, _ state: inout AppState
    ) {
        endStroke(&state)
        guard let mask = state.mask.mask else { return }
        let tool = erases ? .eraser : state.mask.tool
        state.mask.cursor = clamped(point, state)
        state.mask.isCursorShown = isKeyed
        state.mask.isMaskShown = true
        state.mask.cellsScale = nil
        state.mask.view = .mask
        if tool == .fill {
            changeMask("Fill", &state) { $0.fill(point) }
            return
        }
        state.mask.stroke = MaskState.Stroke(
            tool: tool, start: point, last: point, before: mask, isKeyed: isKeyed)
        extendStroke(to: point, &state)
    }

    private static func move(_ point: MaskPoint, _ state: inout AppState) {
        guard state.mask.stroke != nil else { return }
        state.mask.cursor = clamped(point, state)
        extendStroke(to: point, &state)
    }

    private static func extendStroke(to point: MaskPoint, _ state: inout AppState) {
        guard var stroke = state.mask.stroke else { return }
        let size =
            state.mask.sizes[stroke.tool]
            ?? MaskState.defaultSize(stroke.tool, side: stroke.before.width)
        switch stroke.tool {
        case .brush, .eraser:
            state.mask.mask?.softLine(
                from: stroke.last, to: point, size: size,
                hardness: state.mask.hardnesses[stroke.tool] ?? 100,
                value: stroke.tool == .brush)
        case .lasso:
            if stroke.path.last != point { stroke.path.append(point) }
            state.mask.mask = stroke.before
            state.mask.mask?.lasso(stroke.path, value: true)
        case .box:
            state.mask.mask = stroke.before
            state.mask.mask?.box(stroke.start, point, value: true)
        case .ellipse:
            state.mask.mask = stroke.before
            state.mask.mask?.ellipse(stroke.start, point, value: true)
        case .fill: break
        }
        stroke.last = point
        state.mask.stroke = stroke
    }

    /// Ends a stroke and makes it one undo step.
    static func endStroke(_ state: inout AppState) {
        guard let stroke = state.mask.stroke, let mask = state.mask.mask else { return }
        state.mask.stroke = nil
        record(stroke.tool.rawValue.capitalized, before: stroke.before, after: mask, &state)
    }

    static func changeMask(
        _ title: String, _ state: inout AppState, _ change: (inout PixelMask) -> Void
    ) {
        endStroke(&state)
        guard let before = state.mask.mask else {
            notify(
                .info, "First choose a picture: s takes the last sample, O opens a file.", &state)
            return
        }
        var mask = before
        change(&mask)
        state.mask.mask = mask
        state.mask.isMaskShown = true
        state.mask.view = .mask
        record(title, before: before, after: mask, &state)
    }

    private static func record(
        _ title: String, before: PixelMask, after: PixelMask, _ state: inout AppState
    ) {
        let rows = after.differences(from: before)
        guard !rows.isEmpty else { return }
        state.undo.record(UndoEntry(title: title, change: .mask(rows)))
        state.mask.isMaskUnsaved = true
        markDirty(&state)
    }

    private static func clamped(_ point: MaskPoint, _ state: AppState) -> MaskPoint {
        let width = state.mask.source?.width ?? 1
        let height = state.mask.source?.height ?? 1
        return MaskPoint(
            x: max(0, min(width - 1, point.x)), y: max(0, min(height - 1, point.y)))
    }

    // MARK: With the keys

    static func moveMaskCursor(x: Int, y: Int, draws: Bool, _ state: inout AppState) {
        guard state.mask.source != nil else { return }
        let from = state.mask.cursor
        // As far on the screen at any size of picture; a pixel at a time under a zoom.
        let step = state.mask.cursorStep
        let to = clamped(MaskPoint(x: from.x + x * step, y: from.y + y * step), state)
        if draws {
            if state.mask.stroke == nil {
                begin(from, erases: false, isKeyed: true, &state)
            }
            move(to, &state)
            // Brush strokes are done with every step; a box stays open until Space or Enter.
            if state.mask.stroke?.tool == .brush || state.mask.stroke?.tool == .eraser {
                endStroke(&state)
            }
        } else {
            state.mask.cursor = to
            if state.mask.stroke?.isKeyed == true { extendStroke(to: to, &state) }
        }
        state.mask.isCursorShown = true
        keepCursorSeen(&state)
    }

    /// Space: one dab, or the first and then the second corner of a box or ellipse.
    static func paintAtCursor(_ state: inout AppState) {
        guard state.mask.source != nil else {
            notify(
                .info, "First choose a picture: s takes the last sample, O opens a file.", &state)
            return
        }
        if state.mask.stroke != nil {
            endStroke(&state)
            return
        }
        begin(state.mask.cursor, erases: false, isKeyed: true, &state)
        if state.mask.tool == .brush || state.mask.tool == .eraser { endStroke(&state) }
        state.mask.isCursorShown = true
    }

    // MARK: The picture and the settings

    static func takeSample(_ state: inout AppState) {
        guard let run = state.runs.shown ?? state.runs.runs.last, let image = state.shownPicture
        else {
            notify(.info, "There is no sample yet: 3, then Enter, generates one.", &state)
            return
        }
        let name = state.model?.classTitle(run.request.classLabel) ?? "sample"
        endStroke(&state)
        state.mask.mask = nil
        state.mask.open(image, name: "\(name), seed \(run.request.seed)", notice: nil)
        focus(.mask, &state)
        markDirty(&state)
    }

    static func acceptResult(_ state: inout AppState) {
        guard let result = state.mask.result else {
            notify(.info, "There is no result yet; Enter runs the edit.", &state)
            return
        }
        let mask = state.mask.mask
        var canvas = state.mask.canvas
        if let mask { canvas?.paste(result, where: mask) }
        state.mask.open(result, name: "result", notice: nil)
        state.mask.mask = mask ?? state.mask.mask
        state.mask.canvas = canvas
        notify(.info, "The result is the picture to edit now; the mask stays.", &state)
        markDirty(&state)
    }

    /// Puts the picture at three quarters of its size in the middle of the canvas and masks the
    /// rim, ready for outpainting.
    static func shrinkForOutpainting(_ state: inout AppState) {
        guard let source = state.mask.source else {
            notify(
                .info, "First choose a picture: s takes the last sample, O opens a file.", &state)
            return
        }
        let (canvas, mask) = source.shrunkOnCanvas(numerator: 3, denominator: 4)
        state.mask.open(canvas, name: state.mask.sourceName, notice: nil)
        changeMask("Rim", &state) { $0 = mask }
        setEdit("Mode", &state) { $0.mode = .outpaint }
    }

    static func setEdit(
        _ title: String, _ state: inout AppState, _ change: (inout EditSettings) -> Void
    ) {
        let before = state.mask.settings
        change(&state.mask.settings)
        let after = state.mask.settings
        guard after != before else { return }
        state.undo.record(UndoEntry(title: title, change: .edit(before: before, after: after)))
        markDirty(&state)
    }

    // MARK: What is seen

    static func zoomMask(by steps: Int, _ state: inout AppState) {
        guard let source = state.mask.source else { return }
        let most = max(1, min(16, source.width / 8))
        let old = state.mask.zoom
        // 1, 2, 4, 8: a pixel stays a square.
        state.mask.zoom = steps > 0 ? min(most, old * 2) : max(1, old / 2)
        guard state.mask.zoom != old else { return }
        if old == 1 {
            state.mask.centerX = (Double(state.mask.cursor.x) + 0.5) / Double(source.width)
            state.mask.centerY = (Double(state.mask.cursor.y) + 0.5) / Double(source.height)
        }
        clampMaskPan(&state)
    }

    /// By shares of the part that is seen.
    static func panMask(x: Double, y: Double, _ state: inout AppState) {
        state.mask.centerX += x / Double(state.mask.zoom)
        state.mask.centerY += y / Double(state.mask.zoom)
        clampMaskPan(&state)
    }

    private static func clampMaskPan(_ state: inout AppState) {
        let half = 0.5 / Double(state.mask.zoom)
        state.mask.centerX = max(half, min(1 - half, state.mask.centerX))
        state.mask.centerY = max(half, min(1 - half, state.mask.centerY))
    }

    /// Moves the part that is seen after the cursor.
    private static func keepCursorSeen(_ state: inout AppState) {
        guard let seen = state.mask.seen, let source = state.mask.source else { return }
        let cursor = state.mask.cursor
        if cursor.x < seen.x || cursor.x >= seen.maxX {
            state.mask.centerX = (Double(cursor.x) + 0.5) / Double(source.width)
        }
        if cursor.y < seen.y || cursor.y >= seen.maxY {
            state.mask.centerY = (Double(cursor.y) + 0.5) / Double(source.height)
        }
        clampMaskPan(&state)
    }

    static func changeHardness(_ percent: Int, _ state: inout AppState) {
        guard state.mask.tool == .brush || state.mask.tool == .eraser else {
            notify(.info, "Brush (b) and eraser (e) have soft edges.", &state)
            return
        }
        state.mask.hardnesses[state.mask.tool] = max(0, min(100, state.mask.hardness + percent))
    }

    /// Shows what is drawn anew at one scale after the other, then the mask again.
    static func nextCellsScale(_ state: inout AppState) {
        guard let count = state.model?.geometry.patchNums.count, state.mask.source != nil else {
            return
        }
        let next = (state.mask.cellsScale ?? -1) + 1
        state.mask.cellsScale = next < count ? next : nil
        state.mask.view = .mask
        state.mask.isMaskShown = true
    }
}
