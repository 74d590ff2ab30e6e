// From frames to bytes: text first, then the pictures that need sending, then the fence.
// SPDX-License-Identifier: Apache-2.0

/// Compares each frame with what the terminal shows and writes down the difference.
package final class FrameComposer {
    /// Why wanted pictures are not on the screen yet.
    package enum Pending: Sendable, Equatable {
        case none
        /// Wait for the terminal.
        case fence
        /// Wait for the encoder to wake the loop.
        case provider
    }

    /// Curses crosses unchanged cells by writing them again when that is shorter than moving.
    static let shortestMove = 12
    /// Picture bytes of one batch; one picture is always sent.
    static let batchBytes = 192 << 10
    /// Below this rate pictures have a quarter of the pixels.
    static let meagreRate = 100_000.0
    /// Cells of the narrowest piece of a row on a slow line.
    static let narrowestPiece = 8

    package let screen: any TextScreen
    package var capabilities: Capabilities
    package var fence = PictureFence()
    package private(set) var pending = Pending.none
    private var front: Surface?
    private var ledger = PictureLedger(size: CellSize(columns: 0, rows: 0))
    private var needsRedraw = true
    private var isFenceDue = false
    private var format = GraphicsFormat.sixel
    private var kitty = KittyPictures()
    private var steps = FrameSteps()
    /// A frame of which a slow line has got a part: to be composed again until it is nil.
    package private(set) var unfinished: Frame?
    /// Whether the last step of a frame kept pictures waiting: the next one gives way to them.
    private var picturesWaited = false
    /// Cells that text was written over in this frame.
    private var overwritten: [Point] = []
    /// Newest versions that were wanted but not sent, for counting drops.
    private var unsent: [PicturePlacement: Int] = [:]
    /// Bytes of a cell in the last pictures.
    private var bytesPerCell = 200.0
    /// Pictures that stand there with less care than they deserve.
    private var coarse: Set<PicturePlacement> = []
    /// Those of them that can be sent again as they should be: whole, with nothing else to send.
    private var refinable: [PicturePlacement] = []
    /// Pictures that were sent as they should be: their bytes are at hand, so that one which a popup
    /// lay over comes back as it was.
    private var good: Set<PicturePlacement> = []
    /// When a picture was last sent because it had changed.
    private var lastChange = -Double.infinity
    /// Seconds without a changing picture before coarse ones are made good.
    static let refineDelay = 0.4
    /// Where pictures stand in the bytes composed last: they are only right for this size.
    package private(set) var pictureRanges: [Range<Int>] = []

    package init(screen: any TextScreen, capabilities: Capabilities) {
        self.screen = screen
        self.capabilities = capabilities
    }

    /// Forgets what the terminal shows: the next frame is sent as a whole, pictures again.
    package func invalidate() { needsRedraw = true }

    /// The bytes that bring the terminal from what it shows to a frame.
    package func compose(_ frame: Frame, pictures: (any PictureProvider)?, now: Double) -> [UInt8] {
        var text: [UInt8] = []
        if format != frame.format {
            format = frame.format
            needsRedraw = true
        }
        if needsRedraw || kitty.isFull { text += kitty.clear() }
        if kitty.isFull { needsRedraw = true }
        overwritten = []
        let surface = nextStep(to: frame)
        if needsRedraw || front?.size != surface.size {
            if front?.size != surface.size { screen.resize(surface.size) }
            screen.redraw()
            ledger.clear(size: surface.size)
            front = nil
            needsRedraw = false
            // No scroll region, whatever the last size was.
            text += Array("\u{1B}[r".utf8)
        }
        // Those that go with this frame are still on the screen.
        let hadPictures = ledger.hasPictures
        putRows(of: surface)
        front = surface
        screen.setCursor(frame.cursor, isVisible: frame.isCursorVisible)
        text += StyleFilter.compact(screen.takeBytes(keepingLines: hadPictures))
        text += erasingKitty(overwritten)
        if (screen as? CursesScreen)?.hasRunOutOfPairs == true { invalidate() }
        if fence.needsAnswer(toText: text.count) {
            fence.sent(bytes: text.count, now: now, isText: true)
            isFenceDue = true
        } else {
            fence.passed(text: text.count)
        }
        let bytes = pictureBytes(pictures, now: now)
        picturesWaited = pending == .fence && bytes.bytes.isEmpty
        return wrapped(text, bytes)
    }

    /// What is shown after the bytes being composed: the frame, or on a slow line a step to it.
    private func nextStep(to frame: Frame) -> Surface {
        unfinished = nil
        guard fence.isSlow, !fence.isFenceless, !needsRedraw, let front,
            front.size == frame.surface.size
        else { return frame.surface }
        let next = steps.step(
            from: front, to: frame, bytes: fence.budget,
            focusOnly: picturesWaited && !fence.isWaiting)
        if next != frame.surface { unfinished = frame }
        return next
    }

    /// The bytes of pictures that became ready, or that the terminal has room for now.
    package func composePictures(_ pictures: (any PictureProvider)?, now: Double) -> [UInt8] {
        wrapped([], pictureBytes(pictures, now: now))
    }

    private func wrapped(_ text: [UInt8], _ pictures: PictureBytes) -> [UInt8] {
        var bytes = text
        let isSynchronized =
            capabilities.hasSynchronizedOutput && !(text.isEmpty && pictures.bytes.isEmpty)
        if isSynchronized { bytes = Array("\u{1B}[?2026h".utf8) + bytes }
        let start = bytes.count
        pictureRanges = pictures.ranges.map { start + $0.lowerBound..<start + $0.upperBound }
        bytes += pictures.bytes
        if isSynchronized { bytes += Array("\u{1B}[?2026l".utf8) }
        if isFenceDue { bytes += Array(PictureFence.request.utf8) }
        isFenceDue = false
        return bytes
    }

    // MARK: Text

    private func putRows(of surface: Surface) {
        let columns = surface.size.columns
        for row in 0..<surface.size.rows {
            let range = row * columns..<(row + 1) * columns
            guard let front else {
                screen.put(row: row, cells: surface.cells[range])
                continue
            }
            // Comparing the cells themselves costs less than hashing both rows would.
            let old = front.cells[range]
            let new = surface.cells[range]
            if old == new { continue }
            var lastChange = -1
            var isChanged = false
            for column in 0..<columns {
                let index = range.lowerBound + column
                if Self.looksSame(old[index], new[index]) { continue }
                erase(column, row)
                if lastChange >= 0, column - lastChange <= Self.shortestMove {
                    for between in lastChange + 1..<max(column, lastChange + 1) {
                        erase(between, row)
                    }
                }
                lastChange = column
                isChanged = true
            }
            if isChanged { screen.put(row: row, cells: new) }
        }
    }

    private func erase(_ column: Int, _ row: Int) {
        ledger.erase(column: column, row: row)
        if !kitty.isEmpty { overwritten.append(Point(x: column, y: row)) }
    }

    /// Deletes kitty's pictures at these cells; what else they showed is to be sent again.
    private func erasingKitty(_ cells: [Point]) -> [UInt8] {
        let (bytes, bare) = kitty.erase(cells)
        for rect in bare {
            let area = rect.intersection(Rect(size: ledger.size))
            for row in area.y..<area.maxY {
                for column in area.x..<area.maxX { ledger.erase(column: column, row: row) }
            }
        }
        return bytes
    }

    /// Whether curses sees no difference: picture cells are all the same to it.
    private static func looksSame(_ a: Cell, _ b: Cell) -> Bool {
        a.character == b.character && a.style == b.style && a.width == b.width
    }

    // MARK: Pictures

    /// What is sent for pictures, and where in it whole pictures stand.
    private struct PictureBytes {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
    }

    private func pictureBytes(_ provider: (any PictureProvider)?, now: Double) -> PictureBytes {
        // Who asks for kitty's or iTerm2's form by name knows the terminal better than its answers.
        guard capabilities.hasSixel || format != .sixel, let provider, let surface = front,
            !surface.placements.isEmpty
        else {
            pending = .none
            return PictureBytes()
        }
        let jobs = ledger.plan(surface, largest: largestPiece) { placement, old in
            provider.changes(
                id: placement.id, from: old, to: placement.version, cells: placement.rect.size,
                cellSize: capabilities.cellSize)
        }
        guard !jobs.isEmpty else {
            unsent.removeAll()
            pending = .none
            return refined(surface, provider, now: now)
        }
        refinable = []
        guard fence.canSend(now: now, tilesOnly: jobs.allSatisfy(\.isTile)) else {
            countDrops(jobs)
            pending = .fence
            return PictureBytes()
        }
        return send(jobs, provider, now: now)
    }

    private func send(_ jobs: [PictureLedger.Job], _ provider: any PictureProvider, now: Double)
        -> PictureBytes
    {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        var stale: [UInt8] = []
        pending = .none
        for job in jobs {
            if bytes.count >= Self.batchBytes
                || (!bytes.isEmpty && fence.isSlow && bytes.count >= fence.budget)
            {
                countDrops([job])
                pending = .fence
                break
            }
            let usual = isMeagre ? PictureLevel.reduced : fence.level
            let level = good.contains(job.placement) && !fence.isSlow ? .full : usual
            guard let encoded = provider.encoded(request(job, level: level)) else {
                if pending == .none { pending = .provider }
                let cells = ledger.takeStale(job)
                stale += Self.clearing(cells) + erasingKitty(Array(cells))
                continue
            }
            let start = bytes.count
            bytes += Array("\u{1B}7\u{1B}[\(job.rect.y + 1);\(job.rect.x + 1)H".utf8)
            bytes += format == .kitty ? kitty.show(encoded, in: job.rect) : encoded
            bytes += [0x1B, 0x38]
            ranges.append(start..<bytes.count)
            bytesPerCell = Double(encoded.count) / Double(max(1, job.rect.area))
            ledger.record(job)
            if level < .full {
                coarse.insert(job.placement)
            } else if !job.isTile {
                coarse.remove(job.placement)
                remember(job.placement)
            }
            unsent[Self.key(job)] = nil
        }
        if !bytes.isEmpty {
            lastChange = now
            fence.sent(bytes: bytes.count, now: now)
            isFenceDue = true
        }
        return PictureBytes(
            bytes: stale + bytes,
            ranges: ranges.map { stale.count + $0.lowerBound..<stale.count + $0.upperBound })
    }

    // MARK: Making good

    /// When coarse pictures are to be looked at; nil for never.
    package var refineDeadline: Double? {
        refinable.isEmpty || fence.isSlow || fence.isFenceless || fence.isWaiting
            ? nil : lastChange + Self.refineDelay
    }

    /// One picture that was sent in a hurry, as good as it can be, once nothing changes any more.
    private func refined(_ surface: Surface, _ provider: any PictureProvider, now: Double)
        -> PictureBytes
    {
        if !coarse.isEmpty { coarse.formIntersection(surface.placements) }
        refinable =
            coarse.isEmpty
            ? [] : surface.placements.filter { coarse.contains($0) && surface.isWhole($0) }
        guard let deadline = refineDeadline, now >= deadline, let placement = refinable.first else {
            return PictureBytes()
        }
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for piece in PictureLedger.split(placement.rect, largest: largestPiece) {
            let job = PictureLedger.Job(placement: placement, rect: piece)
            guard let encoded = provider.encoded(request(job, level: .full)) else {
                pending = .provider
                return PictureBytes()
            }
            let start = bytes.count
            bytes += Array("\u{1B}7\u{1B}[\(piece.y + 1);\(piece.x + 1)H".utf8)
            bytes += (format == .kitty ? kitty.show(encoded, in: piece) : encoded) + [0x1B, 0x38]
            ranges.append(start..<bytes.count)
        }
        coarse.remove(placement)
        remember(placement)
        refinable.removeFirst()
        fence.sent(bytes: bytes.count, now: now)
        isFenceDue = true
        return PictureBytes(bytes: bytes, ranges: ranges)
    }

    private func remember(_ placement: PicturePlacement) {
        if good.count > 256 { good.removeAll() }
        good.insert(placement)
    }

    private func request(_ job: PictureLedger.Job, level: PictureLevel) -> PictureRequest {
        PictureRequest(
            id: job.placement.id, version: job.placement.version, cells: job.placement.rect.size,
            cellSize: capabilities.cellSize,
            part: job.rect.offset(x: -job.placement.rect.x, y: -job.placement.rect.y),
            level: level, registers: capabilities.registers)
    }

    private var isMeagre: Bool { (fence.throughput ?? .infinity) < Self.meagreRate }

    /// The most cells of one piece: the terminal's limit, less on a slow line.
    private var largestPiece: CellSize {
        let cell = capabilities.cellSize
        var columns = max(1, capabilities.maximumPicture.width / max(1, cell.width))
        var rows = max(1, capabilities.maximumPicture.height / max(1, cell.height))
        if fence.isSlow, let front {
            let widest = front.placements.map(\.rect.width).max() ?? 1
            let cells = Int(Double(fence.budget) / bytesPerCell)
            rows = max(1, min(rows, cells / max(1, widest)))
            if cells < widest { columns = min(columns, max(Self.narrowestPiece, cells)) }
        }
        return CellSize(columns: columns, rows: rows)
    }

    /// Blank cells at these places, without curses noticing: they are no-break spaces to it.
    private static func clearing(_ cells: Set<Point>) -> [UInt8] {
        if cells.isEmpty { return [] }
        var text = "\u{1B}7\u{1B}[0m"
        for rect in PictureLedger.rectangles(covering: cells) {
            for row in rect.y..<rect.maxY {
                text += "\u{1B}[\(row + 1);\(rect.x + 1)H"
                text += String(repeating: "\u{A0}", count: rect.width)
            }
        }
        return Array((text + "\u{1B}8").utf8)
    }

    private static func key(_ job: PictureLedger.Job) -> PicturePlacement {
        PicturePlacement(id: job.placement.id, version: 0, rect: job.placement.rect)
    }

    private func countDrops(_ jobs: [PictureLedger.Job]) {
        for job in jobs {
            if let older = unsent[Self.key(job)], older != job.placement.version {
                fence.drops += 1
            }
            unsent[Self.key(job)] = job.placement.version
        }
    }
}
