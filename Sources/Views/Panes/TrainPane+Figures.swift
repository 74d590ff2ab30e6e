// Curves, code use, samples and numbers of a training.
// SPDX-License-Identifier: Apache-2.0
import Core

extension TrainPane {
    /// The line of views, then the view.
    static func figures(in rect: Rect, into surface: inout Surface, context: DrawContext) {
        guard rect.height >= 2, rect.width >= 8 else { return }
        let isEmpty =
            context.state.train.shown.map { $0.curves.isEmpty && $0.samples.isEmpty } ?? true
        if isEmpty, context.state.train.shown?.isActive != true,
            case .recipe(let recipe)? = context.state.train.selectedItem, !recipe.text.isEmpty
        {
            self.recipe(recipe, in: rect, into: &surface, context: context)
            return
        }
        tabs(in: rect, into: &surface, context: context)
        let body = Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1)
        let train = context.state.train
        guard let run = train.shown, !run.curves.isEmpty || !run.samples.isEmpty else {
            let text =
                train.shown?.isActive == true
                ? "The first figures come after some steps."
                : train.shown?.status != nil ? "No figures." : "Enter starts this recipe."
            for (row, line) in context.wrapped(text, width: body.width).enumerated() {
                surface.put(line, x: body.x, y: body.y + 1 + row, style: context.dim)
            }
            return
        }
        switch train.view {
        case .overview: overview(run, in: body, into: &surface, context: context)
        case .curves: curves(run, in: body, into: &surface, context: context)
        case .codes: codes(run, in: body, into: &surface, context: context)
        case .samples: samples(run, in: body, into: &surface, context: context)
        case .table: table(run, in: body, into: &surface, context: context)
        }
    }

    /// What Enter would start: the recipe itself, comments dim.
    private static func recipe(
        _ recipe: RecipeEntry, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let name = recipe.path.split(separator: "/").suffix(2).joined(separator: "/")
        surface.put(
            CharacterWidth.truncate("Recipe \(name)", to: rect.width), x: rect.x, y: rect.y,
            style: context.theme[.title])
        let key = context.bindings.firstKey(for: .startTraining, in: .train)?.label ?? ""
        let hint = "\(key) starts it"
        if CharacterWidth.of(hint) + CharacterWidth.of(name) + 10 <= rect.width {
            surface.put(
                hint, x: rect.maxX - CharacterWidth.of(hint), y: rect.y, style: context.theme[.key])
        }
        let lines = recipe.text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1)
        for (row, line) in lines.prefix(body.height).enumerated() {
            let isLastRow = row == body.height - 1 && lines.count > body.height
            let text = isLastRow ? context.symbol("…", "...") : String(line)
            let isAside = text.hasPrefix("#") || isLastRow
            surface.put(
                CharacterWidth.truncate(text, to: body.width), x: body.x, y: body.y + row,
                style: isAside
                    ? context.dim
                    : text.hasPrefix("[") ? context.theme[.textFocus] : context.text)
        }
    }

    private static func tabs(
        in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let train = context.state.train
        let (groups, index) = train.shownGroup
        let scale = train.isLogarithmic ? ", log" : ""
        let hasGroup =
            groups.indices.contains(index) && train.view != .samples && train.view != .table
        let text =
            hasGroup ? "[\(index + 1)/\(groups.count)] \(groups[index].name)\(scale)" : ""
        let needed = TrainView.allCases.reduce(0) { $0 + $1.title.count + 2 }
        // Where there is no room for all views, the figures' name comes first; m finds the others.
        let fits = needed + CharacterWidth.of(text) <= rect.width
        var x = rect.x
        for view in fits ? TrainView.allCases : [train.view] {
            let isShown = view == train.view
            guard x + view.title.count <= rect.maxX else { break }
            let end = surface.put(
                view.title, x: x, y: rect.y,
                style: isShown ? context.theme[.textFocus] : context.dim)
            context.click(
                Rect(x: x, y: rect.y, width: end - x, height: 1), on: surface,
                [.focus(.train), .train(.view(view))])
            x = end + 2
        }
        guard hasGroup, x + 4 <= rect.maxX else { return }
        let shown = CharacterWidth.truncate(text, to: rect.maxX - x)
        let left = rect.maxX - CharacterWidth.of(shown)
        surface.put(shown, x: left, y: rect.y, style: context.theme[.title])
        context.click(
            Rect(x: left, y: rect.y, width: rect.maxX - left, height: 1), on: surface,
            [.focus(.train), .train(.group(by: 1))])
    }

    /// As much as there is room for: curves, code use, and the newest sample.
    private static func overview(
        _ run: TrainRun, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let heatRows = run.curves.groups.filter(\.isPerScale).map(\.members.count).max() ?? 0
        if rect.width >= 92, rect.height >= 18 {
            let (left, right) = rect.splitLeft(rect.width * 11 / 20)
            let plot = left.inset(0, 0)
            let half = plot.height / 2
            let (groups, index) = context.state.train.shownGroup
            drawGroup(
                groups.indices.contains(index) ? groups[index] : nil, run,
                in: Rect(x: plot.x, y: plot.y, width: plot.width - 2, height: half),
                into: &surface, context: context)
            let second =
                groups.indices.contains(index) && groups[index].isPerScale
                ? groups.first
                : groups.first(where: \.isPerScale)
                    ?? groups.dropFirst().first
            if let second {
                surface.put(
                    second.name, x: plot.x + 9, y: plot.y + half, style: context.theme[.title])
            }
            drawGroup(
                second, run,
                in: Rect(
                    x: plot.x, y: plot.y + half + 1, width: plot.width - 2,
                    height: plot.height - half - 1), into: &surface, context: context)
            let codeRows = heatRows > 0 ? heatRows + 3 : 0
            codes(
                run, in: Rect(x: right.x, y: right.y, width: right.width, height: codeRows),
                into: &surface, context: context)
            samples(
                run,
                in: Rect(
                    x: right.x, y: right.y + codeRows, width: right.width,
                    height: right.height - codeRows), into: &surface, context: context)
            return
        }
        let sampleRows =
            !run.samples.isEmpty && rect.height >= 14 ? min(rect.height / 2, rect.width / 4) : 0
        let room = rect.height - sampleRows
        let codeRows = heatRows > 0 && room >= heatRows + 10 ? heatRows + 2 : 0
        curves(
            run, in: Rect(x: rect.x, y: rect.y, width: rect.width, height: room - codeRows),
            into: &surface, context: context)
        codes(
            run,
            in: Rect(x: rect.x, y: rect.y + room - codeRows, width: rect.width, height: codeRows),
            into: &surface, context: context)
        samples(
            run, in: Rect(x: rect.x, y: rect.y + room, width: rect.width, height: sampleRows),
            into: &surface, context: context)
    }

    private static func curves(
        _ run: TrainRun, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let (groups, index) = context.state.train.shownGroup
        drawGroup(
            groups.indices.contains(index) ? groups[index] : nil, run, in: rect, into: &surface,
            context: context)
    }

    private static func drawGroup(
        _ group: TrainCurves.Group?, _ run: TrainRun, in rect: Rect, into surface: inout Surface,
        context: DrawContext
    ) {
        guard let group else { return }
        let train = context.state.train
        run.curves.plot(group, isLogarithmic: train.isLogarithmic, cursor: train.cursor).draw(
            into: &surface, rect: rect, theme: context.theme, usesASCII: context.isASCII)
    }

    private static func codes(
        _ run: TrainRun, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        guard rect.height > 0 else { return }
        let train = context.state.train
        guard let group = train.heatGroup,
            let map = run.curves.heatMap(group, cursor: train.cursor)
        else {
            if train.view == .codes {
                surface.put(
                    CharacterWidth.truncate(
                        "This training has no figures per scale.", to: rect.width), x: rect.x,
                    y: rect.y + 1, style: context.dim)
            }
            return
        }
        var body = rect
        if rect.height > map.rows.count + 2 {
            let title = group.name.hasPrefix("usage") ? "codes used per scale, %" : group.name
            surface.put(
                CharacterWidth.truncate(title, to: rect.width), x: rect.x, y: rect.y,
                style: context.theme[.title])
            body = Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1)
        }
        map.draw(
            into: &surface, rect: body, theme: context.theme,
            usesColor: context.state.terminal.colors > .ansi16, usesASCII: context.isASCII)
    }

    private static func samples(
        _ run: TrainRun, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        guard rect.height >= 3, rect.width >= 8 else { return }
        guard let sample = run.sample(at: context.state.train.cursor) else {
            if context.state.train.view == .samples {
                let text =
                    "No samples yet: s makes some, sample_every in the recipe makes them regularly."
                for (row, line) in context.wrapped(text, width: rect.width).enumerated() {
                    surface.put(line, x: rect.x, y: rect.y + 1 + row, style: context.dim)
                }
            }
            return
        }
        let index = run.samples.firstIndex(of: sample) ?? 0
        surface.put(
            CharacterWidth.truncate(
                "sample \(index + 1)/\(run.samples.count), step \(sample.step)", to: rect.width),
            x: rect.x, y: rect.y, style: context.theme[.title])
        guard let picture = run.picture else { return }
        context.show(
            PictureContent(picture.image, kind: .still), id: PictureID.training,
            in: Rect(x: rect.x, y: rect.y + 1, width: rect.width, height: rect.height - 1),
            on: &surface, alignTop: true)
    }

    /// Every figure as a number, now and at the cursor.
    private static func table(
        _ run: TrainRun, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let cursor = context.state.train.cursor
        let isWide = rect.width >= 64
        let rows = run.curves.series.map { one -> [Table.Cell] in
            let line = LinePlot.Line(one.name, one.values, xs: one.steps)
            let index = cursor.flatMap { line.nearest(to: $0) } ?? one.values.indices.last
            let best = one.values.filter(\.isFinite)
            return [
                .init(one.name + (one.isHeldOut ? ", held out" : "")),
                .init(index.map { PlotAxis.plainLabel(one.steps[$0]) } ?? "", style: .textDim),
                .init(index.map { PlotAxis.label(one.values[$0]) } ?? ""),
            ]
                + (isWide
                    ? [
                        .init(best.min().map(PlotAxis.label) ?? "", style: .textDim),
                        .init(best.max().map(PlotAxis.label) ?? "", style: .textDim),
                    ] : [])
        }
        let scroll = ScrollState(
            selected: -1,
            offset: max(0, min(rows.count - rect.height + 1, context.state.train.tableScroll)))
        Table(
            columns: [
                .init("figure"), .init("step", width: 8, alignment: .trailing),
                .init(cursor == nil ? "newest" : "here", width: 10, alignment: .trailing),
            ]
                + (isWide
                    ? ["lowest", "highest"].map { .init($0, width: 10, alignment: .trailing) }
                    : []),
            rows: rows
        ).draw(into: &surface, rect: rect, scroll: scroll, theme: context.theme, isFocused: false)
    }
}
