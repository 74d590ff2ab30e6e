// The session's pictures side by side, and two of them compared.
// SPDX-License-Identifier: Apache-2.0
import Core

enum GalleryPane {
    /// The narrowest tile in cells: sixel pictures should be twelve columns wide.
    private static let tileColumns = 13

    static func draw(into surface: inout Surface, context: DrawContext) {
        let state = context.state
        let size = surface.bounds
        let items = state.galleryItems
        surface.drawing(in: Rect(x: 1, y: 0, width: size.width - 2, height: 1)) {
            header(items.count, into: &$0, context: context)
        }
        let body = Rect(x: 1, y: 1, width: size.width - 2, height: size.height - 1)
        guard !items.isEmpty else {
            let text =
                state.gallery.query.isEmpty
                ? "Finished pictures gather here. Enter generates one."
                : "Nothing in the gallery has “\(state.gallery.query)”. Esc shows all."
            for (i, line) in context.wrapped(text, width: body.width).enumerated() {
                surface.put(
                    line, x: body.x, y: body.y + body.height / 2 + i, width: body.width,
                    alignment: .center, style: context.dim)
            }
            return
        }
        let columns = columns(items.count, in: body.size, cell: context.pictureCell)
        context.notes.galleryColumns = columns
        let tileWidth = body.width / columns
        let cell = context.pictureCell
        let rows = max(2, (tileWidth - 1) * cell.width / max(1, cell.height)) + 1
        let visible = max(1, body.height / rows)
        let selected = state.shownItem.flatMap { items.firstIndex(of: $0) } ?? 0
        let total = (items.count + columns - 1) / columns
        let first = max(0, min(total - visible, selected / columns - visible / 2))
        for row in first..<min(total, first + visible) {
            for column in 0..<columns where row * columns + column < items.count {
                let item = items[row * columns + column]
                let height = min(rows, body.height)
                let tile = Rect(
                    x: body.x + column * tileWidth, y: body.y + (row - first) * rows,
                    width: tileWidth - 1, height: height)
                let place = row * columns + column - first * columns
                draw(
                    item, place: place, tile: tile, isSelected: item == state.shownItem,
                    into: &surface, context: context)
            }
        }
        context.scrollbar(
            first: first * rows, total: total * rows, x: size.width - 1, y: 1,
            height: visible * rows, on: &surface)
    }

    /// Tiles beside one another: few large ones while all of them fit, then ever more.
    static func columns(_ count: Int, in size: CellSize, cell: PixelSize) -> Int {
        let most = max(1, min(8, size.columns / tileColumns))
        // Larger than this a picture is looked at by itself.
        let least = min(most, max(1, size.columns / 34))
        for columns in least..<max(least, most) {
            let rows = max(2, (size.columns / columns - 1) * cell.width / max(1, cell.height)) + 1
            if (count + columns - 1) / columns * rows <= size.rows { return columns }
        }
        return most
    }

    private static func header(
        _ count: Int, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state
        var words = [count == 1 ? "1 picture" : "\(count) pictures"]
        let marked = state.markedItems.count
        if marked > 0 { words.append("\(marked) marked") }
        if !state.gallery.query.isEmpty { words.append("with “\(state.gallery.query)”") }
        surface.put(
            CharacterWidth.truncate(
                "Gallery · " + words.joined(separator: " · "), to: surface.bounds.width),
            x: 0, y: 0, style: context.text)
    }

    private static func draw(
        _ item: GalleryItem, place: Int, tile: Rect, isSelected: Bool, into surface: inout Surface,
        context: DrawContext
    ) {
        guard let run = context.state.runs.run(id: item.run), let image = context.state.image(item)
        else { return }
        context.show(
            PictureContent(image), id: PictureID.gallery(place),
            in: Rect(x: tile.x, y: tile.y, width: tile.width, height: tile.height - 1),
            on: &surface)
        let mark = run.marked.contains(item.picture) ? context.symbol("★ ", "* ") : ""
        let pointer = isSelected ? context.symbol("▸ ", "> ") : ""
        // Where there is no room for both, the seed tells pictures apart better than their class.
        let seed = "\(run.request.seed)"
        let whole = pointer + mark + name(run, context) + " " + seed
        let label = CharacterWidth.of(whole) <= tile.width ? whole : pointer + mark + seed
        surface.put(
            CharacterWidth.truncate(label, to: tile.width), x: tile.x, y: tile.maxY - 1,
            width: tile.width, alignment: .center,
            style: isSelected ? context.theme[.textFocus] : context.dim)
        context.click(
            tile, on: surface,
            isSelected
                ? [.focus(.preview), .preview(.view(.picture))]
                : [.focus(.preview), .gallery(item)])
    }

    /// The class without the word, which the room is too short for.
    private static func name(_ run: Run, _ context: DrawContext) -> String {
        context.state.model?.className(run.request.classLabel)
            ?? run.request.classLabel.map(String.init) ?? "no class"
    }

    // MARK: Two pictures

    static func drawPair(into surface: inout Surface, context: DrawContext) {
        let state = context.state
        let size = surface.bounds
        let pair = state.gallery.pair
        guard pair.count == 2, let a = state.image(pair[0]), let b = state.image(pair[1]) else {
            surface.put(
                "The pictures are gone.", x: 0, y: size.height / 2, width: size.width,
                alignment: .center, style: context.dim)
            return
        }
        let view = state.gallery.pairView
        surface.put(
            CharacterWidth.truncate("Compared: \(view.title)", to: size.width - 2), x: 1, y: 0,
            style: context.text)
        let body = Rect(x: 1, y: 1, width: size.width - 2, height: max(1, size.height - 2))
        switch view {
        case .sideBySide:
            let half = (body.width - 1) / 2
            let left = Rect(x: body.x, y: body.y, width: half, height: body.height)
            let right = left.offset(x: half + 1, y: 0)
            for (i, rect) in [left, right].enumerated() {
                let place = context.show(
                    PreviewPane.zoomed(i == 0 ? a : b, context), id: PictureID.pair(i), in: rect,
                    on: &surface)
                label(
                    pair[i], in: Rect(x: rect.x, y: place.maxY, width: rect.width, height: 1),
                    into: &surface, context: context)
            }
        case .first, .second, .difference:
            let image =
                view == .first
                ? a : view == .second ? b : PictureComparison.difference(gain: 2).compose(a, b)
            // One id for all: flipping replaces the pixels in place.
            let place = context.show(
                PreviewPane.zoomed(image, context), id: PictureID.pair(0), in: body, on: &surface)
            let row = Rect(x: body.x, y: place.maxY, width: body.width, height: 1)
            if view == .difference {
                surface.put(
                    CharacterWidth.truncate(distance(a, b), to: row.width), x: row.x, y: row.y,
                    width: row.width, alignment: .center, style: context.dim)
            } else {
                label(
                    pair[view == .first ? 0 : 1], in: row, into: &surface, context: context)
            }
        }
    }

    private static func label(
        _ item: GalleryItem, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        guard let run = context.state.runs.run(id: item.run) else { return }
        let short = "\(context.state.className(of: run)), seed \(run.request.seed)"
        let long = short + ", \(run.passCount) passes"
        let text = CharacterWidth.of(long) <= rect.width ? long : short
        surface.put(
            CharacterWidth.truncate(text, to: rect.width), x: rect.x, y: rect.y, width: rect.width,
            alignment: .center, style: context.dim)
        context.click(rect, on: surface, [.focus(.preview), .gallery(item)])
    }

    /// How far apart two pictures are, as a number.
    static func distance(_ a: RGBImage, _ b: RGBImage) -> String {
        guard a.width == b.width, a.height == b.height, !a.pixels.isEmpty else {
            return "pictures of different sizes"
        }
        var squares = 0.0
        var changed = 0
        for i in stride(from: 0, to: a.pixels.count, by: 3) {
            var differs = false
            for c in i..<i + 3 {
                let d = Double(a.pixels[c]) - Double(b.pixels[c])
                squares += d * d
                if d != 0 { differs = true }
            }
            if differs { changed += 1 }
        }
        let mean = squares / Double(a.pixels.count)
        let share = Double(Int(1000 * Double(changed) / Double(a.pixels.count / 3))) / 10
        guard mean > 0 else { return "the same pixels" }
        let root = Double(Int((mean.squareRoot() * 10).rounded())) / 10
        return "\(share) % of pixels differ; rms \(root)"
    }
}
