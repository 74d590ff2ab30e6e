// Painting what is to be drawn anew, and the settings of the edit.
// SPDX-License-Identifier: Apache-2.0
import Core

enum MaskPane: Pane {
    static let id = PaneID.mask

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let mask = context.state.mask
        guard size.width >= 4, size.height >= 2 else { return }
        guard let source = mask.source else {
            welcome(into: &surface, context: context)
            return
        }
        let settingRows = size.height >= 22 ? 5 : size.height >= 12 ? 2 : 0
        surface.drawing(in: size.inset(1, 0)) { header(into: &$0, context: context) }
        let body = Rect(
            x: 0, y: 1, width: size.width, height: size.height - 2 - settingRows)
        switch mask.view {
        case .both:
            // Equal rectangles, so that both are shown at the same size.
            let half = (size.width - 1) / 2
            let left = Rect(x: 0, y: 1, width: half, height: body.height - 1)
            let right = left.offset(x: half + 1, y: 0)
            let a = context.show(
                PictureContent(source), id: PictureID.maskBefore, in: left, on: &surface)
            let b = context.show(
                PictureContent(mask.result ?? source), id: PictureID.maskAfter, in: right,
                on: &surface)
            label("before", under: a, into: &surface, context: context)
            label("after", under: b, into: &surface, context: context)
        case .canvas:
            let canvas = mask.canvas ?? LargeCanvas(source)
            var content = PictureContent(
                mask.canvas.map { _ in canvas.with(mask.result, mask: mask.mask) } ?? source)
            content.outlines = [.rectangle(canvas.windowRect)]
            context.show(content, id: PictureID.maskBefore, in: body, on: &surface)
        case .mask, .before, .after, .difference:
            let content = content(source, context: context, isFocused: isFocused)
            let place = context.show(
                content, id: PictureID.maskBefore, in: body, on: &surface)
            if mask.view == .mask {
                let area = context.canvas(content, at: place, on: surface)
                context.notes.add(area.rect, .canvas(area))
                if isFocused { cursor(area, place: place, on: surface, context: context) }
            }
        }
        surface.drawing(in: size.inset(1, 0)) {
            status(y: body.maxY, into: &$0, context: context)
            if settingRows > 0 {
                settings(y: body.maxY + 1, rows: settingRows, into: &$0, context: context)
            }
        }
    }

    private static func welcome(into surface: inout Surface, context: DrawContext) {
        let size = surface.bounds
        let lines: [(Command, String)] = [
            (.takeSample, "paint on the last sample"),
            (.openPicture, "open a picture of your own"),
        ]
        let area = size.centered(width: min(size.width, 38), height: min(size.height, 6))
        surface.put(
            "Edit a picture with a mask", x: area.x, y: area.y, width: area.width,
            alignment: .center, style: context.theme[.title])
        for (i, line) in lines.enumerated() where area.y + 2 + i < size.height {
            let key = context.bindings.firstKey(for: line.0, in: .mask)?.label ?? ""
            let x = area.x + max(0, (area.width - 32) / 2)
            surface.put(key, x: x, y: area.y + 2 + i, style: context.theme[.key])
            surface.put(
                CharacterWidth.truncate(line.1, to: max(0, size.width - x - 7)), x: x + 4,
                y: area.y + 2 + i, style: context.text)
            context.click(
                Rect(x: area.x, y: area.y + 2 + i, width: area.width, height: 1), on: surface,
                [.focus(.mask), .command(line.0)])
        }
    }

    private static func header(into surface: inout Surface, context: DrawContext) {
        let mask = context.state.mask
        let width = surface.bounds.width
        let view = mask.view == .mask ? (mask.isMaskShown ? "" : "mask hidden") : mask.view.title
        let room = width - CharacterWidth.of(view) - 1
        surface.put(
            CharacterWidth.truncate(mask.sourceName, to: max(0, room)), x: 0, y: 0,
            style: context.text)
        surface.put(
            view, x: max(0, width - CharacterWidth.of(view)), y: 0,
            style: context.theme[.textFocus])
        if mask.result != nil {
            context.click(
                Rect(x: width - 16, y: 0, width: 16, height: 1), on: surface,
                [.focus(.mask), .command(.nextMaskView)])
        }
    }

    private static func label(
        _ text: String, under place: Rect, into surface: inout Surface, context: DrawContext
    ) {
        surface.put(
            text, x: place.x, y: place.maxY, width: place.width, alignment: .center,
            style: context.dim)
    }

    /// The pixels shown: the source under the mask, or the result.
    private static func content(
        _ source: RGBImage, context: DrawContext, isFocused: Bool
    ) -> PictureContent {
        let mask = context.state.mask
        switch mask.view {
        case .mask, .both, .canvas:
            var content = PictureContent(source, kind: .live, source: mask.seen)
            if let painted = mask.cellsScale.flatMap({ cells($0, context: context) }) ?? mask.mask,
                mask.isMaskShown
            {
                content.overlay = MaskOverlay(
                    painted, tint: context.theme[.maskTint].foreground,
                    edge: .rgb(255, 255, 255))
            }
            if isFocused, mask.isCursorShown {
                content.outlines = [brushOutline(mask)]
                if let stroke = mask.stroke, stroke.tool == .box || stroke.tool == .ellipse {
                    content.outlines = [boxOutline(stroke)]
                }
            }
            return content
        case .before: return PictureContent(source, source: mask.seen)
        case .after: return PictureContent(mask.result ?? source, source: mask.seen)
        case .difference:
            return PictureContent(
                PictureComparison.difference(gain: 2).compose(source, mask.result ?? source),
                source: mask.seen)
        }
    }

    /// The cells of a scale that are drawn anew, as pixels.
    private static func cells(_ scale: Int, context: DrawContext) -> PixelMask? {
        let mask = context.state.mask
        guard let source = mask.source, let patchNums = context.state.model?.geometry.patchNums,
            patchNums.indices.contains(scale),
            let flags = EditableCells.flags(mask, scale: scale, side: patchNums[scale])
        else { return nil }
        return PixelMask(
            cells: flags, side: patchNums[scale], width: source.width, height: source.height)
    }

    private static func brushOutline(_ mask: MaskState) -> PictureContent.Outline {
        switch mask.tool {
        case .brush, .eraser:
            let shift = mask.size % 2 == 0 ? -0.5 : 0
            return .circle(
                x: Double(mask.cursor.x) + shift, y: Double(mask.cursor.y) + shift,
                radius: Double(mask.size) / 2)
        case .box, .ellipse, .lasso, .fill:
            return .rectangle(
                PixelRect(x: mask.cursor.x, y: mask.cursor.y, width: 1, height: 1))
        }
    }

    private static func boxOutline(_ stroke: MaskState.Stroke) -> PictureContent.Outline {
        .rectangle(
            PixelRect(
                x: min(stroke.start.x, stroke.last.x), y: min(stroke.start.y, stroke.last.y),
                width: abs(stroke.start.x - stroke.last.x) + 1,
                height: abs(stroke.start.y - stroke.last.y) + 1))
    }

    /// Puts the real cursor on the cell of the mask cursor.
    private static func cursor(
        _ area: CanvasArea, place: Rect, on surface: Surface, context: DrawContext
    ) {
        let point = context.state.mask.cursor
        let target = area.geometry.targetRect(
            of: PixelRect(x: point.x, y: point.y, width: 1, height: 1))
        context.cursor(
            x: place.x + target.x / max(1, area.cellSize.width),
            y: place.y + target.y / max(1, area.cellSize.height), on: surface)
    }

    // MARK: Lines under the picture

    private static func status(
        y: Int, into surface: inout Surface, context: DrawContext
    ) {
        let mask = context.state.mask
        let covered = Double(Int(((mask.mask?.coverage ?? 0) * 1000).rounded())) / 10
        if let scale = mask.cellsScale, let patchNums = context.state.model?.geometry.patchNums,
            patchNums.indices.contains(scale)
        {
            let side = patchNums[scale]
            let count = EditableCells.counts(mask, patchNums: patchNums)[scale]
            let known = EditableCells.flags(mask, scale: scale, side: side) != nil
            let text =
                "scale \(scale), \(side)×\(side): \(count) of \(side * side) cells drawn anew"
                + (known ? "" : ", the least sure")
            surface.put(
                CharacterWidth.truncate(text, to: surface.bounds.width), x: 0, y: y,
                style: context.theme[.textFocus])
            return
        }
        var tool = mask.tool.rawValue
        if mask.tool == .brush || mask.tool == .eraser {
            tool += " \(mask.size) px"
            if mask.hardness < 100 { tool += " soft \(100 - mask.hardness) %" }
        }
        var text = "\(tool) · \(mask.cursor.x), \(mask.cursor.y) · \(covered) % masked"
        if mask.zoom > 1 { text += " · zoom \(mask.zoom)×" }
        if let canvas = mask.canvas { text += " · \(canvas.image.width)×\(canvas.image.height)" }
        surface.put(
            CharacterWidth.truncate(text, to: surface.bounds.width), x: 0, y: y,
            style: context.text)
    }

    private static func settings(
        y: Int, rows: Int, into surface: inout Surface, context: DrawContext
    ) {
        let settings = context.state.mask.settings
        let facts = context.state.model
        let className = facts?.className(context.state.schedule.values.classLabel) ?? ""
        let usesClass = settings.mode.usesClass
        // Long values left, short ones right.
        var items: [(keys: String, name: String, value: String, actions: [Command])] = [
            ("M", "mode", settings.mode.title.lowercased(), [.nextEditMode]),
            (
                "<>", settings.mode == .vary ? "from scale" : "keep scales",
                "\(settings.keepScales)", [.keepFewer, .keepMore]
            ),
            ("C", "class", usesClass ? className : "none", [.chooseClass]),
            (
                ",.", settings.mode == .repaint ? "least sure" : "grow cells",
                settings.mode == .repaint ? "\(settings.share)%" : "\(settings.dilate)",
                [.dilateLess, .dilateMore]
            ),
            ("A", "anchor", settings.anchor.rawValue, [.nextAnchor]),
            ("()", "mask steps", "\(settings.maskSteps)", [.fewerEditSteps, .moreEditSteps]),
            ("v", "view", context.state.mask.view.title, [.nextMaskView]),
            ("P", "paste back", settings.pasteBack ? "on" : "off", [.togglePasteBack]),
        ]
        if rows < 4 { items = Array(items.prefix(4)) }
        // Two columns that stay together on wide screens.
        let right = min(max(surface.bounds.width / 2, surface.bounds.width - 19), 34)
        for (i, item) in items.enumerated() {
            let x = i % 2 == 0 ? 0 : right
            let width = i % 2 == 0 ? right : surface.bounds.width - right
            let valueX = i % 2 == 0 ? 10 : 15
            let row = y + i / 2
            surface.put(item.keys, x: x, y: row, style: context.theme[.key])
            surface.put(
                CharacterWidth.truncate(item.name, to: max(0, width - 3)), x: x + 3, y: row,
                style: context.dim)
            surface.put(
                CharacterWidth.truncate(item.value, to: max(0, width - valueX - 1)),
                x: x + valueX, y: row, style: context.text)
            if item.actions.count == 2 {
                let half = 7
                context.click(
                    Rect(x: x, y: row, width: half, height: 1), on: surface,
                    [.focus(.mask), .command(item.actions[0])])
                context.click(
                    Rect(x: x + half, y: row, width: width - half - 1, height: 1), on: surface,
                    [.focus(.mask), .command(item.actions[1])])
            } else {
                context.click(
                    Rect(x: x, y: row, width: width - 1, height: 1), on: surface,
                    [.focus(.mask), .command(item.actions[0])])
            }
        }
        guard rows >= 5, let patchNums = facts?.geometry.patchNums else { return }
        let counts = EditableCells.counts(context.state.mask, patchNums: patchNums)
        // The fine scales say most: where there is no room for all, the coarse ones are left out.
        let words = zip(patchNums, counts).map { "\($1)/\($0 * $0)" }
        let room = max(0, surface.bounds.width - 12)
        let dots = context.symbol("… ", "... ")
        let line =
            words.indices.lazy.map { first in
                (first > 0 ? dots : "") + words[first...].joined(separator: " ")
            }.first { CharacterWidth.of($0) <= room } ?? dots
        surface.put(
            "drawn anew  " + CharacterWidth.truncate(line, to: room), x: 0, y: y + 4,
            style: context.dim)
    }
}
