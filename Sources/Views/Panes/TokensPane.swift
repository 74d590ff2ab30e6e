// The token map of a scale by confidence, entropy or origin, and the codes of a cell.
// SPDX-License-Identifier: Apache-2.0
import Core

enum TokensPane: Pane {
    static let id = PaneID.tokens

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        guard size.width >= 8, size.height >= 2 else { return }
        guard let run = context.state.runs.shown, !run.passes.isEmpty || !run.grids.isEmpty else {
            let text = "Tokens appear while a picture is made."
            for (row, line) in context.wrapped(text, width: size.width).enumerated() {
                surface.put(line, x: 0, y: row, style: context.dim)
            }
            return
        }
        header(run, into: &surface, context: context)
        guard let grid = context.state.shownGrid, grid.side > 0,
            grid.tokens.count == grid.side * grid.side
        else {
            surface.put("not reached yet", x: 0, y: 2, style: context.dim)
            return
        }
        let listRows = size.height >= 13 ? max(4, min(11, size.height - 2 - grid.side)) : 1
        let room = Rect(x: 0, y: 1, width: size.width, height: size.height - 2 - listRows)
        draw(grid, in: room, into: &surface, context: context, isFocused: isFocused)
        legend(y: room.maxY, into: &surface, context: context)
        cell(grid, y: room.maxY + 1, rows: listRows, into: &surface, context: context)
    }

    private static func header(
        _ run: Run, into surface: inout Surface, context: DrawContext
    ) {
        let width = surface.bounds.width
        let patchNums = run.schedule.patchNums
        let current = context.state.shownGrid?.scale ?? context.state.tokens.scale ?? 0
        var x = 0
        // A number for every scale, the side of its map; clickable.
        for (scale, side) in patchNums.enumerated() {
            let label = "\(side)"
            guard x + label.count <= width else { break }
            let isReached = run.passes.contains { $0.scale == scale } || !run.grids.isEmpty
            let style =
                scale == current
                ? context.theme[.selection] : isReached ? context.text : context.dim
            surface.put(label, x: x, y: 0, style: style)
            context.click(
                Rect(x: x, y: 0, width: label.count + 1, height: 1), on: surface,
                [.focus(.tokens), .tokens(.scale(scale))])
            x += label.count + 1
        }
        let text = context.state.tokens.coloring.title
        // Where there is no room for the word, the legend below says it.
        if x + CharacterWidth.of(text) <= width {
            let left = width - CharacterWidth.of(text)
            surface.put(text, x: left, y: 0, style: context.theme[.textFocus])
            context.click(
                Rect(x: left, y: 0, width: CharacterWidth.of(text), height: 1), on: surface,
                [.focus(.tokens), .command(.nextColoring)])
        }
    }

    // MARK: The grid

    private static func draw(
        _ grid: TokenGrid, in rect: Rect, into surface: inout Surface, context: DrawContext,
        isFocused: Bool
    ) {
        let side = grid.side
        guard rect.width > 0, rect.height > 0 else { return }
        // As large as fits: square cells are twice as wide as high.
        var cellHeight = max(1, min(3, rect.height / side))
        var cellWidth = cellHeight * 2
        while cellHeight > 1, cellWidth * side > rect.width {
            cellHeight -= 1
            cellWidth = cellHeight * 2
        }
        if cellWidth * side > rect.width { cellWidth = 1 }
        let columns = min(side, rect.width / cellWidth)
        let rows = min(side, rect.height / cellHeight)
        let selection = context.state.tokens
        let firstColumn = max(0, min(side - columns, selection.column - columns / 2))
        let firstRow = max(0, min(side - rows, selection.row - rows / 2))
        let left = rect.x + (rect.width - columns * cellWidth) / 2
        for row in 0..<rows {
            for column in 0..<columns {
                let place = Rect(
                    x: left + column * cellWidth, y: rect.y + row * cellHeight, width: cellWidth,
                    height: cellHeight)
                let index = (firstRow + row) * side + firstColumn + column
                let isSelected =
                    firstRow + row == selection.row && firstColumn + column == selection.column
                let look = TokenLook(grid, index: index, coloring: selection.coloring)
                var style = look.style(context)
                if isSelected, isFocused { style = context.theme[.cursor] }
                surface.fill(place, style: style)
                let label = look.label
                surface.put(
                    label, x: place.x + (cellWidth - 1) / 2, y: place.y + (cellHeight - 1) / 2,
                    style: isSelected ? style.adding([.bold, .underlined]) : style)
                if isSelected, isFocused {
                    context.cursor(x: place.x, y: place.y, on: surface)
                }
                context.click(
                    place, on: surface,
                    [
                        .focus(.tokens),
                        .tokens(.select(row: firstRow + row, column: firstColumn + column)),
                    ])
            }
        }
    }

    private static func legend(y: Int, into surface: inout Surface, context: DrawContext) {
        // The longest that has room.
        let texts: [String]
        switch context.state.tokens.coloring {
        case .confidence:
            texts = ["confidence: 0 unsure … 9 sure", "0 unsure … 9 sure", "0 unsure…9 sure"]
        case .entropy:
            texts = ["entropy: 0 one choice … 9 many", "0 one choice … 9 many", "0 one … 9 many"]
        case .origin:
            texts = [
                "0 next-scale, 1… mask step, · open, s source", "0 next, 1… mask, · open, s source",
                "0 next 1… mask s source",
            ]
        }
        let width = surface.bounds.width
        let text = texts.first { CharacterWidth.of($0) <= width } ?? texts.last ?? ""
        surface.put(CharacterWidth.truncate(text, to: width), x: 0, y: y, style: context.dim)
    }

    // MARK: One cell

    private static func cell(
        _ grid: TokenGrid, y: Int, rows: Int, into surface: inout Surface, context: DrawContext
    ) {
        let tokens = context.state.tokens
        let index = tokens.row * grid.side + tokens.column
        guard grid.tokens.indices.contains(index), rows > 0 else { return }
        let width = surface.bounds.width
        var words = ["\(tokens.column),\(tokens.row)", "code \(grid.tokens[index])"]
        if grid.confidence.indices.contains(index) {
            words.append("p " + decimal(Double(grid.confidence[index]), digits: 2))
        }
        if grid.entropy.indices.contains(index) {
            words.append(decimal(Double(grid.entropy[index]), digits: 1) + " bit")
        }
        let spaced = words.joined(separator: " · ")
        let line = CharacterWidth.of(spaced) <= width ? spaced : words.joined(separator: " ")
        surface.put(
            CharacterWidth.truncate(line, to: width), x: 0, y: y,
            style: context.theme[.textFocus])
        guard grid.candidates.indices.contains(index) else { return }
        for (i, candidate) in grid.candidates[index].prefix(min(10, rows - 1)).enumerated() {
            let isChosen = candidate.code == grid.tokens[index]
            let row = y + 1 + i
            surface.put(
                isChosen ? context.symbol("▸", ">") : " ", x: 0, y: row,
                style: context.theme[.plotMarker])
            let code = String(candidate.code)
            surface.put(
                String(repeating: " ", count: max(0, 5 - code.count)) + code, x: 1, y: row,
                style: isChosen ? context.text.adding(.bold) : context.text)
            let barWidth = max(0, width - 15)
            context.bar(
                Double(candidate.probability), x: 7, y: row, width: barWidth, on: &surface,
                fill: .plotBar)
            surface.put(
                decimal(Double(candidate.probability) * 100, digits: 1) + " %",
                x: 8 + barWidth, y: row, width: 7, alignment: .trailing, style: context.dim)
        }
    }

    static func decimal(_ value: Double, digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "—" }
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        let scaled = Int((abs(value) * factor).rounded())
        let whole = scaled / Int(factor)
        let rest = String(scaled % Int(factor))
        let padding = String(repeating: "0", count: max(0, digits - rest.count))
        return (value < 0 && scaled != 0 ? "-" : "") + "\(whole)"
            + (digits > 0 ? ".\(padding)\(rest)" : "")
    }
}

/// The colour and the letter of a token cell: the letter says all that the colour says.
struct TokenLook {
    private let grid: TokenGrid
    private let index: Int
    private let coloring: TokenColoring

    init(_ grid: TokenGrid, index: Int, coloring: TokenColoring) {
        self.grid = grid
        self.index = index
        self.coloring = coloring
    }

    private var origin: TokenOrigin {
        grid.origin.indices.contains(index) ? grid.origin[index] : .pending
    }

    /// The value as a share of the ramp; nil for cells without one.
    var share: Double? {
        switch coloring {
        case .confidence:
            guard grid.confidence.indices.contains(index), origin != .pending else { return nil }
            return Double(grid.confidence[index])
        case .entropy:
            guard grid.entropy.indices.contains(index) else { return nil }
            // Twelve bits are the entropy of 4096 equal codes.
            return Double(grid.entropy[index]) / 12
        case .origin: return nil
        }
    }

    var label: Character {
        switch coloring {
        case .confidence, .entropy:
            guard let share, share.isFinite else { return "·" }
            return Character(String(max(0, min(9, Int(share * 10)))))
        case .origin:
            switch origin {
            case .source: return "s"
            case .nextScale: return "0"
            case .maskStep(let step):
                return Array("0123456789abcdefghijklmnopqr+")[min(28, max(0, step))]
            case .pending: return "·"
            }
        }
    }

    func style(_ context: DrawContext) -> Style {
        guard context.hasFreeColors else {
            return isStrong ? context.text.adding(.reversed) : context.text
        }
        switch coloring {
        case .confidence, .entropy:
            guard let share, share.isFinite else { return context.dim }
            return ColorRamp.style(share)
        case .origin:
            switch origin {
            case .source: return context.dim.adding(.reversed)
            case .nextScale: return ColorRamp.style(0.1)
            case .maskStep(let step): return ColorRamp.style(min(1, 0.3 + Double(step) * 0.15))
            case .pending: return context.dim
            }
        }
    }

    private var isStrong: Bool {
        if let share { return share >= 0.5 }
        if case .maskStep = origin { return true }
        return false
    }
}
