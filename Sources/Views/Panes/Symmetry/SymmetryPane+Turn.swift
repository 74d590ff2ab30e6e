// The slider that turns the input, the lamp, and the pictures of the input's forms.
// SPDX-License-Identifier: Apache-2.0
import Core

extension SymmetryPane {
    static func slider(into surface: inout Surface, context: DrawContext) {
        let state = context.state.symmetry
        let size = surface.bounds
        guard size.height >= 1, size.width >= 20 else { return }
        let label = state.group == .so3 ? "turn \(state.axis.rawValue)" : "turn"
        let lamp = lamp(context)
        let lampWidth = CharacterWidth.of(lamp.text) + 2
        var slider = Slider(
            label, value: state.rotation, in: -180...180, step: 1, labelWidth: 6, decimals: 0)
        slider.usesASCII = context.isASCII
        let rect = Rect(x: 0, y: 0, width: max(0, size.width - lampWidth), height: 1)
        slider.draw(into: &surface, rect: rect, theme: context.theme, isFocused: false)
        if let track = slider.trackColumns(rect) {
            let place = Rect(
                x: surface.origin.x + track.lowerBound, y: surface.origin.y, width: track.count,
                height: 1)
            context.notes.add(place, .turn(place))
        }
        surface.put(
            lamp.text, x: size.width - lampWidth + 2, y: 0, style: context.theme[lamp.style])
        guard size.height >= 2 else { return }
        surface.put(
            SymmetryText.joined(reaction(context), width: size.width), x: 0, y: 1,
            style: context.dim)
    }

    /// Inside or outside of the data, for the turned input if it is turned.
    private static func lamp(_ context: DrawContext) -> (text: String, style: StyleName) {
        let side = context.state.symmetry.current
        guard let row = side.response?.row ?? side.row else { return ("…", .textDim) }
        return row.isOutside
            ? (context.symbol("▲", "!") + " OUTSIDE", .jobFailed)
            : (context.symbol("●", "*") + " inside ", .jobDone)
    }

    /// What turning the input did: pose, level, embedding.
    private static func reaction(_ context: DrawContext) -> [String] {
        let side = context.state.symmetry.current
        guard let row = side.row else { return [] }
        let isPlane = context.state.symmetry.group == .so2
        func said(_ pose: SymmetryPose) -> String {
            isPlane ? SymmetryText.pose(pose) : SymmetryText.degrees(pose.degrees)
        }
        guard let response = side.response else {
            return [
                "pose \(said(row.pose)), corrected \(said(row.corrected))",
                "level \(SymmetryText.degrees(row.level))",
                "score "
                    + formatDecimal(row.outsideScore, decimals: 1).replacing("-", with: "−"),
            ]
        }
        return [
            "pose \(said(row.corrected)) → \(said(response.row.corrected)) "
                + "(change \(said(response.poseChange)))",
            "level \(SymmetryText.degrees(row.level)) → "
                + SymmetryText.degrees(response.row.level),
            "embedding "
                + SymmetryText.share(response.embeddingChange) + " off",
        ]
    }

    // MARK: Pictures

    /// The input and what the model makes of it.
    static func strip(into surface: inout Surface, context: DrawContext) {
        let state = context.state.symmetry
        let size = surface.bounds
        guard size.height >= 3 else { return }
        let side = state.current
        var items: [(caption: String, shape: SymmetryShape?)] = []
        let isTight = tileWidth(size.height, context) < 10
        for form in SymmetryState.forms {
            var shape = side.shapes[form]
            var caption = isTight ? SymmetryText.short(form) : SymmetryText.form(form)
            if let response = side.response {
                if form == .input {
                    shape = response.shape
                    caption = isTight ? "in" : "turned"
                }
                if form == .standardized { shape = response.standardized }
            }
            // A form that this model does not have takes no room once all is answered.
            if shape != nil || side.answered != side.asked { items.append((caption, shape)) }
        }
        let spare = size.width / max(1, tileWidth(size.height, context)) - items.count
        for n in 0..<max(0, min(8, spare)) {
            guard let shape = state.a.shapes[.neighbour(n)] else { break }
            items.append((SymmetryText.form(.neighbour(n)), shape))
        }
        tiles(items, id: 0, isTurning: true, into: &surface, context: context)
    }

    static func orbit(into surface: inout Surface, context: DrawContext) {
        let state = context.state.symmetry
        guard surface.bounds.height >= 3 else { return }
        var items: [(caption: String, shape: SymmetryShape?)] = []
        for degrees in SymmetryState.orbit {
            guard let shape = state.a.shapes[.orbit(degrees: degrees)] else { continue }
            items.append((SymmetryText.form(.orbit(degrees: degrees)), shape))
        }
        guard !items.isEmpty else { return }
        tiles(items, id: 20, into: &surface, context: context)
    }

    /// Columns of a square picture of so many rows, with a gap.
    private static func tileWidth(_ rows: Int, _ context: DrawContext) -> Int {
        let cell = context.pictureCell
        let side = (rows - 1) * cell.height
        return (side + cell.width - 1) / max(1, cell.width) + 1
    }

    private static func tiles(
        _ items: [(caption: String, shape: SymmetryShape?)], id: Int, isTurning: Bool = false,
        into surface: inout Surface, context: DrawContext
    ) {
        guard !items.isEmpty else { return }
        let size = surface.bounds
        let width = min(size.width / items.count, tileWidth(size.height, context))
        guard width >= 4 else { return }
        for (i, item) in items.enumerated() {
            let tile = Rect(x: i * width, y: 0, width: width - 1, height: size.height - 1)
            let shown: Rect
            switch item.shape {
            case .picture(let image)?:
                shown = context.show(
                    PictureContent(image, kind: .live), id: PictureID.symmetry(id + i, side: 0),
                    in: tile, on: &surface, alignTop: true)
            case .points(let points)?:
                shown = pointSet(
                    points,
                    // One picture turns: more at once would wait for each other.
                    eye: isTurning && i == 0
                        ? context.state.symmetry.eye : SymmetryState.restingEye,
                    id: PictureID.symmetry(id + i, side: 0), in: tile, into: &surface,
                    context: context)
            case nil:
                surface.put(
                    "…", x: tile.x, y: tile.y + tile.height / 2, width: tile.width,
                    alignment: .center, style: context.dim)
                shown = tile
            }
            surface.put(
                item.caption, x: tile.x, y: max(shown.maxY, min(tile.maxY, shown.maxY)),
                width: tile.width + 1, alignment: .center, style: context.dim)
        }
    }
}
