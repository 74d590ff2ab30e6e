// The tree of runs and branches, beside the picture of the one in focus.
// SPDX-License-Identifier: Apache-2.0
import Core

enum BranchesPane {
    static func draw(into surface: inout Surface, context: DrawContext) {
        let state = context.state
        let size = surface.bounds
        let lines = state.runs.branchLines
        let count = lines.count { $0.depth > 0 }
        let title =
            "Branches · \(lines.count - count) runs, \(count) "
            + (count == 1 ? "branch" : "branches")
        surface.put(
            CharacterWidth.truncate(title, to: size.width - 2), x: 1, y: 0, style: context.text)
        let isWide = size.width >= 52
        let listWidth = isWide ? min(size.width * 3 / 5, 48) : size.width - 2
        let listHeight = isWide ? size.height - 1 : max(1, (size.height - 1) / 2)
        let list = Rect(x: 1, y: 1, width: listWidth, height: listHeight)
        let picture =
            isWide
            ? Rect(
                x: list.maxX + 1, y: 1, width: size.width - list.maxX - 2, height: size.height - 1)
            : Rect(x: 1, y: list.maxY, width: size.width - 2, height: size.height - list.maxY)
        let selected = lines.firstIndex { $0.run == state.runs.shownID } ?? 0
        let first = max(0, min(lines.count - list.height, selected - list.height / 2))
        surface.drawing(in: list) { surface in
            for (row, line) in lines[first...].prefix(list.height).enumerated() {
                draw(line, y: row, into: &surface, context: context)
            }
        }
        if let image = state.shownPicture, picture.height >= 2, picture.width >= 4 {
            context.show(
                PictureContent(image, kind: state.runs.shown?.isActive == true ? .live : .still),
                id: PictureID.preview, in: picture, on: &surface)
        }
    }

    private static func draw(
        _ line: RunsState.BranchLine, y: Int, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        guard let run = state.runs.run(id: line.run) else { return }
        let width = surface.bounds.width
        let isSelected = line.run == state.runs.shownID
        let style = isSelected ? context.theme[.selection] : context.text
        surface.fill(Rect(x: 0, y: y, width: width, height: 1), style: style)
        if isSelected { context.cursor(x: 0, y: y, on: surface) }
        var lead = ""
        for (level, goesOn) in line.goesOn.enumerated() {
            let isLast = level == line.goesOn.count - 1
            lead +=
                isLast
                ? (goesOn ? context.symbol("├ ", "|-") : context.symbol("└ ", "`-"))
                : (goesOn ? context.symbol("│ ", "| ") : "  ")
        }
        // Marks have columns of their own as soon as one run has one, so that names stay in line.
        let hasMarks = state.runs.runs.contains { !$0.marked.isEmpty }
        let mark =
            !hasMarks ? "" : run.marked.isEmpty ? "  " : context.symbol("★ ", "* ")
        let text: String
        if let branch = run.branch {
            let side = run.schedule.patchNums[branch.scale]
            text =
                "from \(side)×\(side): "
                + state.runs.difference(run) { state.model?.className($0) ?? "" }
        } else {
            var kind = ""
            if case .edit(let mode) = run.kind { kind = mode.title.lowercased() + ", " }
            text = "\(kind)\(state.className(of: run)), seed \(run.request.seed)"
        }
        let (status, statusStyle) = PreviewPane.status(run, context: context)
        let room = width - CharacterWidth.of(status) - 1
        let x = surface.put(mark + lead, x: 0, y: y, style: isSelected ? style : context.dim)
        if !mark.isEmpty { surface.put(mark, x: 0, y: y, style: style) }
        surface.put(
            CharacterWidth.truncate(text, to: max(0, room - x)), x: x, y: y, style: style)
        surface.put(
            status, x: max(0, width - CharacterWidth.of(status)), y: y,
            style: isSelected ? style : context.theme[statusStyle])
        context.click(
            Rect(x: 0, y: y, width: width, height: 1), on: surface,
            isSelected
                ? [.focus(.preview), .preview(.view(.picture))]
                : [.focus(.preview), .run(.show(line.run))])
    }
}
