// Rotations of space: axes on a sphere, rotation vectors in a ball, and turning point sets.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension SymmetryPane {
    /// The view from an eye that goes around the vertical axis and looks down a little.
    nonisolated struct Camera {
        private let turn: SpaceRotation
        private let tilt: SpaceRotation

        init(eye: Double) {
            turn = SpaceRotation(axis: SIMD3(0, 0, 1), degrees: -eye)
            tilt = SpaceRotation(axis: SIMD3(1, 0, 0), degrees: -68)
        }

        /// x to the right, y upwards, z towards the eye.
        func seen(_ point: SIMD3<Double>) -> SIMD3<Double> {
            tilt.applied(to: turn.applied(to: point))
        }
    }

    /// The sphere or the ball beside the histogram of angles.
    static func space(
        _ distribution: SymmetryDistribution, _ chart: SymmetryChart, _ side: SymmetrySide,
        in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        let state = context.state.symmetry
        let views = state.view == .ball ? 3 : 1
        let width = min(rect.width / (views + 1), 2 * rect.height + 2)
        let poses = state.isCorrected ? distribution.corrected : distribution.raw
        let vectors = poses.compactMap { pose -> SIMD3<Double>? in
            guard case .rotation(let r) = pose else { return nil }
            return state.view == .ball ? r.axis * (r.degrees / 180) : r.axis
        }
        var row = state.side(side).response?.row ?? state.side(side).row
        if rect.width < 40 { row = nil }
        let own = row.flatMap { row -> SIMD3<Double>? in
            guard case .rotation(let r) = state.isCorrected ? row.corrected : row.pose else {
                return nil
            }
            return state.view == .ball ? r.axis * (r.degrees / 180) : r.axis
        }
        // The axis that a law turns about is the world's: it is told from corrected poses alone.
        var trueAxis: (axis: SIMD3<Double>, halfWidth: Double)?
        if state.isCorrected, state.showsTruth,
            case .axial(let axis, let halfWidth)? = distribution.truth
        {
            trueAxis = (axis, halfWidth)
        }
        for view in 0..<views {
            let place = Rect(
                x: rect.x + view * width, y: rect.y, width: width - 1, height: rect.height - 1)
            let camera = state.view == .sphere ? Camera(eye: state.eye) : nil
            sphere(
                vectors, own: own, trueAxis: trueAxis, level: distribution.fit.level, view: view,
                camera: camera, in: place, into: &surface, context: context)
            let truth = trueAxis == nil || place.width < 32 ? "" : " · × true axis"
            let caption =
                state.view == .sphere
                ? (place.width >= 18 ? "axes of rotation" + truth : "axes")
                : ["x → y ↑", "y → z ↑", "x → z ↑"][view] + " · rim 180°"
            surface.put(
                CharacterWidth.truncate(caption, to: place.width), x: place.x, y: place.maxY,
                width: place.width, alignment: .center, style: context.dim)
        }
        let left = rect.x + views * width + 1
        if rect.maxX - left >= 20 {
            bars(
                chart, side,
                in: Rect(x: left, y: rect.y, width: rect.maxX - left, height: rect.height),
                into: &surface, context: context)
        }
    }

    /// Points on or in the unit ball: those in front bright, those behind dim. A true axis is two
    /// crosses on the sphere, and a line as long as the true angles in the ball.
    private static func sphere(
        _ points: [SIMD3<Double>], own: SIMD3<Double>?,
        trueAxis: (axis: SIMD3<Double>, halfWidth: Double)?, level: Double, view: Int,
        camera: Camera?, in rect: Rect, into surface: inout Surface, context: DrawContext
    ) {
        guard rect.width >= 6, rect.height >= 3 else { return }
        let empty = BrailleDots(columns: rect.width, rows: rect.height)
        var (grid, back, front, selected, truth) = (empty, empty, empty, empty, empty)
        let center = (x: Double(empty.width - 1) / 2, y: Double(empty.height - 1) / 2)
        let radius = min(center.x, center.y)
        func dot(_ p: SIMD3<Double>) -> (x: Int, y: Int, isFront: Bool) {
            let seen: SIMD3<Double>
            if let camera {
                seen = camera.seen(p)
            } else {
                switch view {
                case 0: seen = SIMD3(p.x, p.y, p.z)
                case 1: seen = SIMD3(p.y, p.z, p.x)
                default: seen = SIMD3(p.x, p.z, -p.y)
                }
            }
            return (
                Int((center.x + radius * seen.x).rounded()),
                Int((center.y - radius * seen.y).rounded()), seen.z >= 0
            )
        }
        for i in 0..<240 {
            let a = 2 * Double.pi * Double(i) / 240
            grid.set(
                Int((center.x + radius * cos(a)).rounded()),
                Int((center.y + radius * sin(a)).rounded()))
            if camera != nil {
                // Equator and two meridians, their near halves.
                for circle in [
                    SIMD3(cos(a), sin(a), 0), SIMD3(cos(a), 0, sin(a)), SIMD3(0, cos(a), sin(a)),
                ] where i % 3 == 0 {
                    let p = dot(circle)
                    if p.isFront { grid.set(p.x, p.y) }
                }
            } else if i % 4 == 0, level > 0, level < 180 {
                let r = radius * level / 180
                grid.set(
                    Int((center.x + r * cos(a)).rounded()), Int((center.y + r * sin(a)).rounded()))
            }
        }
        // Few points are drawn larger, or they would be lost in the grid.
        let spots = points.count <= 200 ? [(0, 0), (1, 0), (0, 1), (1, 1)] : [(0, 0)]
        for point in points {
            let p = dot(point)
            for (dx, dy) in spots {
                if p.isFront {
                    front.set(p.x + dx, p.y + dy)
                } else {
                    back.set(p.x + dx, p.y + dy)
                }
            }
        }
        if let trueAxis {
            if camera != nil {
                for end in [dot(trueAxis.axis), dot(-trueAxis.axis)] {
                    for d in -2...2 {
                        truth.set(end.x + d, end.y + d)
                        truth.set(end.x + d, end.y - d)
                    }
                }
            } else {
                let reach = trueAxis.axis * (trueAxis.halfWidth / 180)
                let (a, b) = (dot(reach), dot(-reach))
                truth.line(from: (a.x, a.y), to: (b.x, b.y))
            }
        }
        if let own {
            let p = dot(own)
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)] {
                selected.set(p.x + dx, p.y + dy)
            }
        }
        for (dots, style) in [
            (grid, StyleName.plotAxis), (back, .textDim), (truth, .plotLine(2)),
            (front, .plotBar), (selected, .plotMarker),
        ] {
            dots.draw(
                into: &surface, x: rect.x, y: rect.y, style: context.theme[style],
                usesASCII: context.isASCII)
        }
    }

    // MARK: Point sets

    /// Points as an eye sees them, scaled to fit a square.
    nonisolated static func picture(_ points: PointSet, eye: Double, side: Int) -> RGBImage {
        PointSetPicture.image(points, seen: seen(points, eye: eye), side: side)
    }

    private nonisolated static func seen(_ points: PointSet, eye: Double) -> [SIMD3<Double>] {
        let camera = Camera(eye: eye)
        let count = Double(max(1, points.positions.count))
        let middle = points.positions.reduce(SIMD3<Double>.zero, +) / count
        let reach =
            points.positions.map { p -> Double in
                let d = p - middle
                return (d * d).sum().squareRoot()
            }.max() ?? 1
        return points.positions.map { camera.seen(($0 - middle) / max(1e-9, reach)) }
    }

    /// Shows points with their edges as the turning eye sees them; a picture where there are
    /// pictures, else braille. Returns the cells taken.
    static func pointSet(
        _ points: PointSet, eye: Double, id: Int, in rect: Rect, into surface: inout Surface,
        context: DrawContext
    ) -> Rect {
        let seen = seen(points, eye: eye)
        if context.state.pictureMode == .sixel {
            let cell = context.pictureCell
            // No larger than what is encoded at once: a turning picture must not wait.
            let limit = PictureStore.immediateSide
            let place = Rect(
                x: rect.x + max(0, rect.width - limit / max(1, cell.width)) / 2, y: rect.y,
                width: min(rect.width, limit / max(1, cell.width)),
                height: min(rect.height, limit / max(1, cell.height)))
            let side = max(24, min(place.width * cell.width, place.height * cell.height))
            let image = PointSetPicture.image(points, seen: seen, side: side)
            return context.show(
                PictureContent(image, kind: .live), id: id, in: place, on: &surface,
                alignTop: true)
        }
        let empty = BrailleDots(columns: rect.width, rows: rect.height)
        var (edges, atoms) = (empty, empty)
        let center = (x: Double(empty.width - 1) / 2, y: Double(empty.height - 1) / 2)
        let radius = min(center.x, center.y) * 0.92
        func dot(_ p: SIMD3<Double>) -> (x: Int, y: Int) {
            (
                Int((center.x + radius * p.x).rounded()), Int((center.y - radius * p.y).rounded())
            )
        }
        for edge in points.edges
        where seen.indices.contains(edge.x) && seen.indices.contains(edge.y) {
            edges.line(from: dot(seen[edge.x]), to: dot(seen[edge.y]))
        }
        for p in seen {
            let (x, y) = dot(p)
            atoms.set(x, y)
            if seen.count <= 64 {
                for (dx, dy) in [(1, 0), (0, 1), (1, 1)] { atoms.set(x + dx, y + dy) }
            }
        }
        edges.draw(
            into: &surface, x: rect.x, y: rect.y, style: context.theme[.plotLine(1)],
            usesASCII: context.isASCII)
        atoms.draw(
            into: &surface, x: rect.x, y: rect.y, style: context.theme[.plotBar],
            usesASCII: context.isASCII)
        return rect
    }
}

/// A point set as a picture: shaded balls and sticks, far ones first.
nonisolated enum PointSetPicture {
    /// Colours by kind that differ without colour vision; carbon-like dark first.
    private static let colors: [PlotColor] = [
        PlotColor(190, 196, 206), PlotColor(86, 180, 233), PlotColor(230, 159, 0),
        PlotColor(213, 94, 0), PlotColor(0, 158, 115), PlotColor(240, 228, 66),
        PlotColor(204, 121, 167), PlotColor(120, 140, 230),
    ]
    /// Elements as chemists colour them (Corey, Pauling, Koltun).
    private static let elements: [String: PlotColor] = [
        "H": PlotColor(235, 235, 235), "C": PlotColor(122, 128, 138),
        "N": PlotColor(92, 132, 245), "O": PlotColor(226, 72, 48), "F": PlotColor(64, 190, 110),
        "S": PlotColor(238, 208, 56),
    ]

    static func image(_ points: PointSet, seen: [SIMD3<Double>], side: Int) -> RGBImage {
        var canvas = PlotCanvas(width: side, height: side, background: PlotColor(0, 0, 0))
        let half = Double(side) / 2
        let many = seen.count > 64
        let ball = many ? max(1, Double(side) / 90) : Double(side) / 15
        let scale = half - ball - 1
        func place(_ p: SIMD3<Double>) -> SIMD2<Double> {
            SIMD2(half + scale * p.x, half - scale * p.y)
        }
        /// Far things are darker.
        func shade(_ color: PlotColor, _ depth: Double) -> PlotColor {
            let t = 0.55 + 0.45 * max(0, min(1, (depth + 1) / 2))
            func part(_ v: UInt8) -> UInt8 { UInt8((Double(v) * t).rounded()) }
            return PlotColor(part(color.red), part(color.green), part(color.blue))
        }
        enum Item {
            case edge(Int, Int)
            case point(Int)
        }
        var items: [(depth: Double, item: Item)] = seen.indices.map { (seen[$0].z, .point($0)) }
        for edge in points.edges
        where seen.indices.contains(edge.x) && seen.indices.contains(edge.y) {
            // A stick lies behind the nearer of its balls.
            let depth = (seen[edge.x].z + seen[edge.y].z) / 2 - 0.01
            items.append((depth, .edge(edge.x, edge.y)))
        }
        for (depth, item) in items.sorted(by: { $0.depth < $1.depth }) {
            switch item {
            case .edge(let a, let b):
                canvas.line(
                    from: place(seen[a]), to: place(seen[b]),
                    shade(PlotColor(150, 156, 168), depth), thickness: many ? 1 : ball * 0.55)
            case .point(let i):
                let kind = points.kinds.indices.contains(i) ? points.kinds[i] : 1
                let name = points.kindNames.indices.contains(kind) ? points.kindNames[kind] : ""
                let color =
                    elements[name] ?? colors[((kind % colors.count) + colors.count) % colors.count]
                let center = place(seen[i])
                canvas.disc(center: center, radius: ball, shade(color, depth))
                if !many {
                    canvas.disc(
                        center: center - SIMD2(0.3 * ball, 0.35 * ball), radius: ball * 0.3,
                        shade(.white, depth))
                }
            }
        }
        return canvas.image
    }
}
