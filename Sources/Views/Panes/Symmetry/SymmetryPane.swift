// What data are turned by: the pane that shows discovered symmetry distributions.
// SPDX-License-Identifier: Apache-2.0
import Core

enum SymmetryPane: Pane {
    static let id = PaneID.symmetry

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let state = context.state.symmetry
        guard let facts = state.facts else {
            welcome(into: &surface, context: context)
            return
        }
        let size = surface.bounds
        let parts = Parts(size: size, state: state, context: context)
        surface.drawing(in: parts.header) { header(facts, into: &$0, context: context) }
        surface.drawing(in: parts.list) {
            list(into: &$0, context: context, isFocused: isFocused)
        }
        surface.drawing(in: parts.settings) { settings(into: &$0, context: context) }
        for (side, rect) in parts.charts {
            surface.drawing(in: rect) { chart(side, into: &$0, context: context) }
        }
        for (side, rect) in parts.facts {
            surface.drawing(in: rect) { numbers(side, into: &$0, context: context) }
        }
        surface.drawing(in: parts.slider) { slider(into: &$0, context: context) }
        surface.drawing(in: parts.strip) { strip(into: &$0, context: context) }
        surface.drawing(in: parts.orbit) { orbit(into: &$0, context: context) }
        if isFocused, context.notes.cursor == nil { context.cursor(x: 0, y: 0, on: surface) }
    }

    /// Where everything stands.
    private struct Parts {
        var header = Rect.zero
        var list = Rect.zero
        var settings = Rect.zero
        var charts: [(SymmetrySide, Rect)] = []
        var facts: [(SymmetrySide, Rect)] = []
        var slider = Rect.zero
        var strip = Rect.zero
        var orbit = Rect.zero

        init(size: Rect, state: SymmetryState, context: DrawContext) {
            let (top, rest) = size.splitTop(1)
            header = top
            var right = rest
            if size.width >= 64, size.height >= 12 {
                let columns = size.width >= 150 ? 38 : size.width >= 100 ? 33 : 24
                let (left, others) = rest.splitLeft(columns)
                right = Rect(
                    x: others.x + 2, y: others.y, width: others.width - 2, height: others.height)
                let rows = SymmetryPane.settingsRows(state)
                let settingsHeight = left.height >= rows + 6 ? rows : 0
                list = Rect(
                    x: left.x, y: left.y, width: left.width,
                    height: left.height - settingsHeight)
                settings = Rect(
                    x: left.x, y: list.maxY, width: left.width, height: settingsHeight)
            }
            let hasSettings = settings.height > 0
            let factRows = min(max(1, right.height / 5), hasSettings ? 2 : 3)
            let sliderRows = right.height >= 10 ? 2 : right.height >= 6 ? 1 : 0
            // Pictures need rows to say anything; the chart comes first.
            var stripRows = right.height >= 14 ? max(4, right.height * 27 / 100) : 0
            var orbitRows = right.height >= 27 ? max(4, right.height * 18 / 100) : 0
            if right.width < 44 { (stripRows, orbitRows) = (0, 0) }
            let chartRows = right.height - factRows - sliderRows - stripRows - orbitRows
            var y = right.y
            func take(_ rows: Int) -> Rect {
                defer { y += rows }
                return Rect(x: right.x, y: y, width: right.width, height: rows)
            }
            let chart = take(chartRows)
            let fact = take(factRows)
            slider = take(sliderRows)
            strip = take(stripRows)
            orbit = take(orbitRows)
            if state.isCompared {
                let half = (right.width - 2) / 2
                charts = SymmetrySide.allCases.map { side in
                    (side, Self.half(chart, side, half))
                }
                facts = SymmetrySide.allCases.map { side in
                    (side, Self.half(fact, side, half))
                }
            } else {
                charts = [(.a, chart)]
                facts = [(.a, fact)]
            }
        }

        private static func half(_ rect: Rect, _ side: SymmetrySide, _ width: Int) -> Rect {
            Rect(
                x: side == .a ? rect.x : rect.maxX - width, y: rect.y, width: width,
                height: rect.height)
        }
    }

    // MARK: The first line

    private static func header(
        _ facts: SymmetryFacts, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        let width = surface.bounds.width
        var text = facts.title
        if !text.contains("\(facts.count)") { text += " · \(facts.count) inputs" }
        text += " · \(facts.modelName)"
        if state.isCompared {
            text = SymmetryText.title(state.scopeInForce, state) + " · \(facts.title)"
        }
        if case .opening(let name) = state.opening { text = "opening: \(name)…" }
        let (status, style) = status(state)
        surface.put(
            status, x: max(0, width - CharacterWidth.of(status)), y: 0, style: context.theme[style])
        surface.put(
            CharacterWidth.truncate(text, to: max(0, width - CharacterWidth.of(status) - 2)), x: 0,
            y: 0, style: context.text)
    }

    private static func status(_ state: SymmetryState) -> (String, StyleName) {
        for side in SymmetrySide.allCases {
            guard let answers = state.sides[side] else { continue }
            let name = state.isCompared ? side.title + " " : ""
            if let problem = answers.problem { return (name + problem, .logError) }
            switch answers.tableState {
            case .computing(let share):
                return ("\(name)all inputs \(Int((share * 100).rounded())) %", .jobRunning)
            case .failed(let reason): return (name + reason, .logError)
            case .none, .done: break
            }
        }
        if state.facts?.offer.notice != nil { return ("few inputs", .logWarning) }
        return ("", .textDim)
    }

    // MARK: Before a set is open

    private static func welcome(into surface: inout Surface, context: DrawContext) {
        let state = context.state.symmetry
        var title = "No set of inputs is open"
        var text =
            "Symmetry models tell for every input how far data like it is turned, "
            + "put it upright, and say whether its pose lies outside of the data."
        switch state.opening {
        case .opening(let name): title = "Opening: \(name)…"
        case .failed(let reason):
            title = "The set could not be opened"
            text = reason
        case .idle:
            if state.models.isEmpty {
                title = "No symmetry model was found"
                text = "`workbench models` lists what is installed and where it was looked for."
            }
        }
        let size = surface.bounds
        let width = min(size.width, 60)
        let lines = context.wrapped(text, width: width)
        let keys: [(String, String, Command)] = [
            ("o", "choose a set of inputs", .openSymmetrySet),
            ("O", "open a folder of your own", .openSymmetryFolder),
            ("D", "name the folder with the source data", .nameSymmetryData),
            ("M", "choose the symmetry model", .chooseSymmetryModel),
        ]
        let area = size.centered(
            width: width, height: min(size.height, lines.count + keys.count + 4))
        surface.put(
            title, x: area.x, y: area.y, width: width, alignment: .center,
            style: context.theme[.title])
        for (i, line) in lines.enumerated() {
            surface.put(
                line, x: area.x, y: area.y + 2 + i, width: width, alignment: .center,
                style: context.dim)
        }
        guard !state.models.isEmpty else { return }
        for (i, key) in keys.enumerated() {
            let y = area.y + 3 + lines.count + i
            let x = area.x + max(0, (width - 42) / 2)
            surface.put(key.0, x: x, y: y, style: context.theme[.key])
            surface.put(key.1, x: x + 3, y: y, style: context.text)
            context.click(
                Rect(x: x, y: y, width: 42, height: 1), on: surface, [.command(key.2)])
        }
    }
}
