// Pictures of a run while and after it is made.
// SPDX-License-Identifier: Apache-2.0
import Core

enum PreviewPane: Pane {
    static let id = PaneID.preview

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let state = context.state
        let size = surface.bounds
        guard size.width >= 4, size.height >= 2 else { return }
        if state.preview.view == .compare, !state.runs.comparison.isEmpty {
            ComparePane.draw(into: &surface, context: context)
            return
        }
        switch state.preview.view {
        case .gallery:
            GalleryPane.draw(into: &surface, context: context)
            return
        case .pair:
            GalleryPane.drawPair(into: &surface, context: context)
            return
        case .branches where !state.runs.runs.isEmpty:
            BranchesPane.draw(into: &surface, context: context)
            return
        case .picture, .scales, .grid, .compare, .branches: break
        }
        guard let run = state.runs.shown else {
            welcome(into: &surface, context: context)
            return
        }
        // Text keeps a blank column from the border.
        surface.drawing(in: Rect(x: 1, y: 0, width: size.width - 2, height: 1)) {
            header(run, into: &$0, context: context)
        }
        let footerRows = run.passes.count > 1 || run.isActive ? 1 : 0
        var body = Rect(x: 0, y: 1, width: size.width, height: size.height - 1 - footerRows)
        if footerRows > 0 {
            surface.drawing(in: Rect(x: 1, y: size.height - 1, width: size.width - 2, height: 1)) {
                scrubBar(run, y: 0, into: &$0, context: context)
            }
        }
        switch state.preview.view {
        case .grid where run.latestImages.count > 1:
            grid(run, in: body, into: &surface, context: context)
        case .scales:
            scales(run, in: body, into: &surface, context: context)
        case .picture, .grid, .compare, .gallery, .branches, .pair:
            let stripRows = stripHeight(run, body: body, context: context)
            if stripRows > 0 {
                strip(
                    run,
                    in: Rect(
                        x: 1, y: body.maxY - stripRows, width: body.width - 1, height: stripRows),
                    into: &surface, context: context)
                // A blank row between, where there is room for one.
                let gap = body.height >= 24 ? 1 : 0
                body = Rect(
                    x: 0, y: body.y, width: body.width, height: body.height - stripRows - gap)
            }
            picture(run, in: body, into: &surface, context: context)
        }
    }

    // MARK: Before the first run

    private static func welcome(into surface: inout Surface, context: DrawContext) {
        let state = context.state
        var lines: [(key: String, text: String)] = []
        var title = "No model is loaded"
        if let facts = state.model {
            title = "\(facts.card.name) is ready"
            lines = [
                ("Enter", "generate a picture"), ("R", "generate with a new seed"),
                ("2", "schedule, class and seed"), ("4", "paint a mask and edit"),
                ("?", "help"), (":", "all commands"),
            ]
            let kept = state.galleryItems.count
            if kept > 0 {
                lines.insert(
                    ("o", kept == 1 ? "the gallery: one picture" : "the gallery: \(kept) pictures"),
                    at: 2)
            }
        } else {
            switch state.models.loading {
            case .loading(let name): title = "Loading \(name)…"
            case .failed(let name, _): title = "\(name) could not be loaded"
            case .idle where !state.models.isListed: title = "Looking for models…"
            case .idle: if state.models.entries.isEmpty { title = "No models were found" }
            }
            lines = [("1", "models"), ("7", "log"), ("?", "help")]
        }
        var reason: [String] = []
        let room = max(8, min(surface.bounds.width - 4, 60))
        if state.model == nil {
            if case .failed(_, let text) = state.models.loading {
                reason = context.wrapped(text, width: room)
            } else if state.models.entries.isEmpty, let text = state.models.problems.first {
                reason = context.wrapped(text, width: room)
            }
        }
        let size = surface.bounds
        let width = min(size.width, 38)
        let rows = 2 + lines.count + (reason.isEmpty ? 0 : reason.count + 1)
        var area = size.centered(width: width, height: min(size.height, rows))
        surface.put(
            title, x: area.x, y: area.y, width: area.width, alignment: .center,
            style: context.theme[.title])
        if !reason.isEmpty, rows <= size.height {
            for (i, line) in reason.enumerated() {
                surface.put(
                    line, x: 2, y: area.y + 2 + i, width: size.width - 4, alignment: .center,
                    style: context.errorStyle)
            }
            area = area.offset(x: 0, y: reason.count + 1)
        }
        for (i, line) in lines.enumerated() where area.y + 2 + i < size.height {
            let y = area.y + 2 + i
            let x = area.x + max(0, (area.width - 30) / 2)
            surface.put(line.key, x: x, y: y, style: context.theme[.key])
            surface.put(
                CharacterWidth.truncate(line.text, to: max(0, size.width - x - 7)), x: x + 7, y: y,
                style: context.text)
        }
        if state.model != nil {
            context.click(
                Rect(x: area.x, y: area.y + 2, width: area.width, height: 1), on: surface,
                [.command(.generate)])
        }
    }

    // MARK: Lines

    private static func header(
        _ run: Run, into surface: inout Surface, context: DrawContext
    ) {
        let width = surface.bounds.width
        let name = context.state.model?.classTitle(run.request.classLabel) ?? ""
        var words = ["\(name), seed \(run.request.seed)"]
        if case .edit(let mode) = run.kind { words.insert(mode.title, at: 0) }
        if let branch = run.branch {
            let side = run.schedule.patchNums[branch.scale]
            words.append("from \(side)×\(side)")
        }
        if run.marked.contains(context.state.preview.picture) {
            words[0] = context.symbol("★ ", "* ") + words[0]
        }
        if run.request.count > 1, context.state.preview.view == .picture {
            words.append("picture \(context.state.preview.picture + 1) of \(run.request.count)")
        }
        if context.state.preview.zoom > 1 { words.append("zoom \(context.state.preview.zoom)×") }
        let (status, style) = status(run, context: context)
        let room = width - CharacterWidth.of(status) - 2
        surface.put(
            CharacterWidth.truncate(words.joined(separator: " · "), to: max(0, room)), x: 0, y: 0,
            style: context.text)
        surface.put(
            status, x: max(0, width - CharacterWidth.of(status)), y: 0,
            style: context.theme[style])
    }

    static func status(_ run: Run, context: DrawContext) -> (String, StyleName) {
        switch run.state {
        case .waiting: return ("waiting", .textDim)
        case .running:
            return run.isPaused
                ? (context.symbol("⏸ ", "") + "paused", .jobCancelled)
                : ("pass \(run.passes.count)/\(run.passCount)", .jobRunning)
        case .done: return ("\(run.passCount) passes", .jobDone)
        case .cancelled: return ("partial: cancelled", .jobCancelled)
        case .failed: return ("failed", .jobFailed)
        }
    }

    /// A cell for every pass; the looked-at one is marked, scales are parted.
    private static func scrubBar(
        _ run: Run, y: Int, into surface: inout Surface, context: DrawContext
    ) {
        let width = surface.bounds.width
        let total = max(run.passCount, run.passes.count)
        let shown = context.state.preview.pass ?? run.passes.count - 1
        let label: String
        if let record = context.state.shownPass {
            let step = record.step == 0 ? "next-scale" : "mask step \(record.step)"
            label = " scale \(record.scale) \(step)"
        } else {
            label = " waiting"
        }
        let barWidth = max(0, min(total, width - 22))
        for column in 0..<barWidth {
            let pass = barWidth == total ? column : column * total / max(1, barWidth)
            let isDone = pass < run.passes.count
            let isShown = shown >= 0 && column == shown * barWidth / max(1, total)
            let symbol =
                isShown
                ? context.symbol("◆", "O")
                : isDone ? context.symbol("━", "=") : context.symbol("─", "-")
            let isStart = isDone && run.passes[pass].step == 0
            let style: StyleName =
                isShown
                ? .plotMarker : isDone ? (isStart ? .jobBar : .jobDone) : .jobBarTrack
            surface.put(symbol, x: column, y: y, style: context.theme[style])
        }
        surface.put(
            CharacterWidth.truncate(label, to: max(0, width - barWidth)), x: barWidth, y: y,
            style: context.dim)
        let origin = surface.origin
        if barWidth > 0 {
            let rect = Rect(x: origin.x, y: origin.y + y, width: barWidth, height: 1)
            context.notes.add(rect, .scrub(passes: total, rect))
        }
    }

    // MARK: Pictures

    private static func content(_ image: RGBImage, run: Run, zoomed: DrawContext? = nil)
        -> PictureContent
    {
        var content = zoomed.map { self.zoomed(image, $0) } ?? PictureContent(image)
        content.kind = run.isActive ? .live : .still
        return content
    }

    /// A picture as zoom and pan show it.
    static func zoomed(_ image: RGBImage, _ context: DrawContext) -> PictureContent {
        var content = PictureContent(image)
        let preview = context.state.preview
        guard preview.zoom > 1 else { return content }
        let width = max(1, image.width / preview.zoom)
        let height = max(1, image.height / preview.zoom)
        let x = Int(preview.centerX * Double(image.width)) - width / 2
        let y = Int(preview.centerY * Double(image.height)) - height / 2
        content.source = PixelRect(
            x: max(0, min(image.width - width, x)), y: max(0, min(image.height - height, y)),
            width: width, height: height)
        return content
    }

    private static func picture(
        _ run: Run, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        guard let image = context.state.shownPicture else {
            let text: String
            if case .failed(let reason) = run.state {
                text = reason
            } else {
                text =
                    run.isActive ? "The first picture comes after the first pass." : "No picture."
            }
            for (i, line) in context.wrapped(text, width: rect.width).enumerated() {
                surface.put(
                    line, x: rect.x, y: rect.y + rect.height / 2 + i, width: rect.width,
                    alignment: .center, style: context.dim)
            }
            return
        }
        let place = context.show(
            content(image, run: run, zoomed: context), id: PictureID.preview, in: rect,
            on: &surface)
        context.notes.add(
            place.offset(x: surface.origin.x, y: surface.origin.y),
            .preview(place.offset(x: surface.origin.x, y: surface.origin.y)))
    }

    private static func grid(
        _ run: Run, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let images = gridImages(run, context: context)
        let cells = tiles(images.count, in: rect, cell: context.pictureCell, gapRows: 1)
        for (i, tile) in cells.enumerated() {
            let place = context.show(
                content(images[i], run: run), id: PictureID.batch(i),
                in: Rect(x: tile.x, y: tile.y, width: tile.width, height: tile.height - 1),
                on: &surface)
            let isSelected = i == context.state.preview.picture
            surface.put(
                isSelected ? context.symbol("▸", ">") + " \(i + 1)" : "\(i + 1)", x: tile.x,
                y: place.maxY, width: tile.width, alignment: .center,
                style: isSelected ? context.theme[.textFocus] : context.dim)
            context.click(
                tile, on: surface,
                [
                    .focus(.preview), .preview(.selectPicture(i)),
                    isSelected ? .preview(.view(.picture)) : .preview(.selectPicture(i)),
                ])
        }
    }

    private static func gridImages(_ run: Run, context: DrawContext) -> [RGBImage] {
        if let index = context.state.preview.pass, run.passes.indices.contains(index) {
            return run.passes[...index].last { !$0.previews.isEmpty }?.previews ?? []
        }
        return run.latestImages
    }

    /// Equal tiles for `count` pictures, as large as they can be.
    static func tiles(_ count: Int, in rect: Rect, cell: PixelSize, gapRows: Int) -> [Rect] {
        guard count > 0, rect.width > 0, rect.height > gapRows else { return [] }
        var best = (columns: 1, side: 0)
        for columns in 1...count {
            let rows = (count + columns - 1) / columns
            let side = min(
                (rect.width / columns - 1) * cell.width,
                (rect.height / rows - gapRows) * cell.height)
            if side > best.side { best = (columns, side) }
        }
        let columns = best.columns
        let rows = (count + columns - 1) / columns
        let width = rect.width / columns
        let height = rect.height / rows
        guard width > 1, height > gapRows else { return [] }
        return (0..<count).map { i in
            Rect(
                x: rect.x + (i % columns) * width, y: rect.y + (i / columns) * height,
                width: width - 1, height: height)
        }
    }

    /// The picture after every scale, large.
    private static func scales(
        _ run: Run, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let previews = run.scalePreviews(picture: context.state.preview.picture)
        let cells = tiles(previews.count, in: rect, cell: context.pictureCell, gapRows: 1)
        let current = context.state.shownPass?.scale
        for (scale, tile) in cells.enumerated() {
            let side = run.schedule.patchNums[scale]
            let room = Rect(x: tile.x, y: tile.y, width: tile.width, height: tile.height - 1)
            if let image = previews[scale] {
                context.show(
                    content(image, run: run), id: PictureID.scale(scale), in: room, on: &surface,
                    alignTop: true)
            } else {
                emptyTile(room, into: &surface, context: context)
            }
            // Right below the picture, which may be lower than its tile.
            let height =
                context.state.shownPicture.map {
                    context.fitted(PictureContent($0), in: room).height
                } ?? room.height
            surface.put(
                "\(scale): \(side)×\(side)", x: tile.x, y: room.y + height, width: tile.width,
                alignment: .center,
                style: scale == current ? context.theme[.textFocus] : context.dim)
            clickScale(scale, run: run, tile: tile, surface: surface, context: context)
        }
    }

    private static func stripHeight(_ run: Run, body: Rect, context: DrawContext) -> Int {
        guard body.height >= 14, run.schedule.patchNums.count > 1,
            run.isActive || !run.passes.isEmpty
        else { return 0 }
        let cell = context.pictureCell
        let column = (body.width - 1) / run.schedule.patchNums.count - 1
        guard column >= 3 else { return 0 }
        let rows = max(2, min(body.height / 4, column * cell.width / cell.height))
        // Half-blocks of a few cells show nothing; sixel ones should be twelve columns wide or
        // stand in rows that nothing else changes, as these do.
        return rows + 1
    }

    private static func strip(
        _ run: Run, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let previews = run.scalePreviews(picture: context.state.preview.picture)
        let count = previews.count
        let sides = run.schedule.patchNums
        let width = rect.width / count
        // All labels alike: `16×16` for each, or `16` for each.
        let isLong = sides.allSatisfy { 2 * String($0).count + 1 < width }
        let current = context.state.shownPass?.scale
        for scale in 0..<count {
            let tile = Rect(
                x: rect.x + scale * width, y: rect.y, width: width - 1, height: rect.height)
            let inside = Rect(
                x: tile.x, y: tile.y, width: tile.width, height: tile.height - 1)
            if let image = previews[scale] {
                context.show(
                    content(image, run: run), id: PictureID.scale(scale), in: inside,
                    on: &surface)
            } else {
                emptyTile(inside, into: &surface, context: context)
            }
            let side = sides[scale]
            surface.put(
                isLong ? "\(side)×\(side)" : "\(side)", x: tile.x, y: tile.maxY - 1,
                width: tile.width, alignment: .center,
                style: scale == current ? context.theme[.textFocus] : context.dim)
            clickScale(scale, run: run, tile: tile, surface: surface, context: context)
        }
    }

    private static func emptyTile(
        _ rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        surface.put(
            context.symbol("·", "."), x: rect.x + rect.width / 2, y: rect.y + rect.height / 2,
            style: context.dim)
    }

    /// A click on a scale's picture looks at the pass that completed it.
    private static func clickScale(
        _ scale: Int, run: Run, tile: Rect, surface: Surface, context: DrawContext
    ) {
        guard let pass = run.passes.lastIndex(where: { $0.scale == scale }) else { return }
        context.click(
            tile, on: surface,
            [.focus(.preview), .preview(.scrub(to: pass)), .tokens(.scale(nil))])
    }
}
