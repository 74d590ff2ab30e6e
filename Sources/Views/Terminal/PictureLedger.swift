// Which picture every cell of the real screen shows, and what has to be sent for a new frame.
// SPDX-License-Identifier: Apache-2.0

/// What the terminal shows, cell by cell, as far as pictures go.
///
/// Curses believes picture cells are no-break spaces; this is the other half of the truth.
/// Text written over a cell takes the picture away from it; a picture or tile sent puts it there.
nonisolated package struct PictureLedger: Sendable {
    /// A picture's pixels in a cell.
    private struct Shown: Sendable, Equatable {
        var id: Int
        var version: Int
        var rect: Rect
    }

    /// Pixels to send: a rectangle of whole cells of one placement.
    package struct Job: Sendable, Equatable {
        package var placement: PicturePlacement
        /// In absolute cells.
        package var rect: Rect
        /// One of several pieces that the whole picture was cut into.
        package var isPiece = false
        package var isTile: Bool { rect != placement.rect }
    }

    package private(set) var size: CellSize
    private var shown: [Shown?]
    /// Pictures of which some pieces were sent: the rest follows, not the whole again.
    private var partial: Set<PicturePlacement> = []
    /// Where the last piece of a picture stands: the next version goes on behind it, so that on a
    /// slow line every part of a quickly changing picture gets its turn.
    private var lastPiece: [Int: Point] = [:]

    package init(size: CellSize) {
        self.size = size
        shown = Array(repeating: nil, count: size.columns * size.rows)
    }

    /// Whether a picture is seen anywhere.
    package var hasPictures: Bool { shown.contains { $0 != nil } }

    /// The whole screen was cleared, or has another size.
    package mutating func clear(size: CellSize) { self = PictureLedger(size: size) }

    /// Text was written over a cell.
    package mutating func erase(column: Int, row: Int) { shown[row * size.columns + column] = nil }

    /// Pixels were sent.
    package mutating func record(_ job: Job) {
        if job.isPiece {
            partial.insert(job.placement)
            lastPiece[job.placement.id] = Point(x: job.rect.x, y: job.rect.y)
        }
        let area = job.rect.intersection(Rect(size: size))
        let entry = Shown(
            id: job.placement.id, version: job.placement.version, rect: job.placement.rect)
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX { shown[row * size.columns + column] = entry }
        }
    }

    // MARK: Planning

    /// What has to be sent so that the screen shows the frame's pictures.
    ///
    /// - Parameters:
    ///   - surface: the frame, of the ledger's size; its text is on the screen already.
    ///   - largest: the most cells of one piece, by the terminal's picture limit.
    ///   - changes: the provider's knowledge of what differs between two versions, in cells of the
    ///     picture; nil for everything.
    package mutating func plan(
        _ surface: Surface, largest: CellSize,
        changes: (PicturePlacement, _ from: Int) -> [Rect]?
    ) -> [Job] {
        if partial.count > 64 {
            partial.formIntersection(surface.placements)
        }
        var jobs: [Job] = []
        for index in surface.placements.indices {
            jobs += plan(index, surface, largest, changes)
        }
        return jobs
    }

    private mutating func plan(
        _ index: Int, _ surface: Surface, _ largest: CellSize,
        _ changes: (PicturePlacement, _ from: Int) -> [Rect]?
    ) -> [Job] {
        let placement = surface.placements[index]
        let area = placement.rect.intersection(Rect(size: size))
        let mark = UInt16(index + 1)
        var needed: Set<Point> = []
        var visible = 0
        var isMissing = false
        var differences: [Int: [Rect]?] = [:]
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX {
                let cell = row * size.columns + column
                guard surface.cells[cell].picture == mark else { continue }
                visible += 1
                guard let entry = shown[cell], entry.id == placement.id,
                    entry.rect == placement.rect
                else {
                    isMissing = true
                    needed.insert(Point(x: column, y: row))
                    continue
                }
                if entry.version == placement.version { continue }
                let rects: [Rect]?
                if let known = differences[entry.version] {
                    rects = known
                } else {
                    rects = changes(placement, entry.version)
                    differences[entry.version] = .some(rects)
                }
                let local = Point(x: column - placement.rect.x, y: row - placement.rect.y)
                if rects?.contains(where: { $0.contains(local) }) ?? true {
                    needed.insert(Point(x: column, y: row))
                } else {
                    shown[cell]?.version = placement.version
                }
            }
        }
        if needed.isEmpty {
            partial.remove(placement)
            return []
        }
        let isWhole =
            visible == placement.rect.area && !partial.contains(placement)
            && (isMissing || 2 * needed.count > visible)
        let areas = isWhole ? [placement.rect] : Self.rectangles(covering: needed)
        let pieces = areas.flatMap { Self.split($0, largest: largest) }
        let isCut = isWhole ? pieces.count > 1 : partial.contains(placement)
        let jobs = pieces.map { Job(placement: placement, rect: $0, isPiece: isCut) }
        guard isCut, let last = lastPiece[placement.id] else { return jobs }
        let first = jobs.firstIndex { ($0.rect.y, $0.rect.x) > (last.y, last.x) } ?? 0
        return Array(jobs[first...] + jobs[..<first])
    }

    /// Disjoint rectangles of exactly these cells: runs of rows, joined downwards when equal.
    static func rectangles(covering cells: Set<Point>) -> [Rect] {
        var open: [Rect] = []
        var done: [Rect] = []
        let rows = Dictionary(grouping: cells, by: \.y).mapValues { $0.map(\.x).sorted() }
        var last = Int.min
        for y in rows.keys.sorted() {
            if y != last + 1 {
                done += open
                open = []
            }
            last = y
            var runs: [Rect] = []
            for x in rows[y] ?? [] {
                if let run = runs.last, run.maxX == x {
                    runs[runs.count - 1] = Rect(x: run.x, y: y, width: run.width + 1, height: 1)
                } else {
                    runs.append(Rect(x: x, y: y, width: 1, height: 1))
                }
            }
            let next = runs.map { run -> Rect in
                if let i = open.firstIndex(where: { $0.x == run.x && $0.width == run.width }) {
                    let above = open.remove(at: i)
                    return Rect(x: run.x, y: above.y, width: run.width, height: above.height + 1)
                }
                return run
            }
            done += open
            open = next
        }
        return (done + open).sorted { ($0.y, $0.x) < ($1.y, $1.x) }
    }

    /// Whole-cell pieces of at most a size.
    static func split(_ rect: Rect, largest: CellSize) -> [Rect] {
        let columns = max(1, largest.columns)
        let rows = max(1, largest.rows)
        if rect.width <= columns && rect.height <= rows { return [rect] }
        var pieces: [Rect] = []
        for y in stride(from: rect.y, to: rect.maxY, by: rows) {
            for x in stride(from: rect.x, to: rect.maxX, by: columns) {
                pieces.append(
                    Rect(
                        x: x, y: y, width: min(columns, rect.maxX - x),
                        height: min(rows, rect.maxY - y)))
            }
        }
        return pieces
    }

    /// Cells of a job that show something that does not belong there: another picture, or the same
    /// at another place. Cleared when the job's pixels are not ready.
    package mutating func takeStale(_ job: Job) -> Set<Point> {
        var stale: Set<Point> = []
        let area = job.rect.intersection(Rect(size: size))
        for row in area.y..<area.maxY {
            for column in area.x..<area.maxX {
                let cell = row * size.columns + column
                guard let entry = shown[cell], entry.rect != job.placement.rect else { continue }
                stale.insert(Point(x: column, y: row))
                shown[cell] = nil
            }
        }
        return stale
    }
}
