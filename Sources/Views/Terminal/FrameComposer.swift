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
    /// Below this rate pictures are cut into bands, so that text gets through between them.
    static let slowRate = 300_000.0

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
    /// When a picture was last sent because it had changed.
    private var lastChange = -Double.infinity
    /// Seconds without a changing picture before coarse ones are made good.
    static let refineDelay = 0.4

    package init(screen: any TextScreen, capabilities: Capabilities) {
        self.screen = screen
        self.capabilities = capabilities
    }

    /// Forgets what the terminal shows: the next frame is sent as a whole, pictures again.
    package func invalidate() { needsRedraw = true }

    /// The bytes that bring the terminal from what it shows to a frame.
    package func compose(_ frame: Frame, pictures: (any PictureProvider)?, now: Double) -> [UInt8] {
        let surface = frame.surface
        var text: [UInt8] = []
        if format != frame.format {
            format = frame.format
            needsRedraw = true
        }
        if needsRedraw || kitty.isFull { text += kitty.clear() }
        if kitty.isFull { needsRedraw = true }
        overwritten = []
        if needsRedraw || front?.size != surface.size {
            if front?.size != surface.size { screen.resize(surface.size) }
            screen.redraw()
            ledger.clear(size: surface.size)
            front = nil
            needsRedraw = false
            // No scroll region, whatever the last size was.
            text += Array("\u{1B}[r".utf8)
        }
        putRows(of: surface)
        front = surface
        screen.setCursor(frame.cursor, isVisible: frame.isCursorVisible)
        text += StyleFilter.compact(screen.takeBytes())
        text += erasingKitty(overwritten)
        if (screen as? CursesScreen)?.hasRunOutOfPairs == true { invalidate() }
        return wrapped(text + pictureBytes(pictures, now: now))
    }

    /// The bytes of pictures that became ready, or that the terminal has room for now.
    package func composePictures(_ pictures: (any PictureProvider)?, now: Double) -> [UInt8] {
        wrapped(pictureBytes(pictures, now: now))
    }

    private func wrapped(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if capabilities.hasSynchronizedOutput, !bytes.isEmpty {
            bytes = Array("\u{1B}[?2026h".utf8) + bytes + Array("\u{1B}[?2026l".utf8)
        }
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

    private func pictureBytes(_ provider: (any PictureProvider)?, now: Double) -> [UInt8] {
        // Who asks for kitty's or iTerm2's form by name knows the terminal better than its answers.
        guard capabilities.hasSixel || format != .sixel, let provider, let surface = front,
            !surface.placements.isEmpty
        else {
            pending = .none
            return []
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
            return []
        }
        return send(jobs, provider, now: now)
    }

    private func send(_ jobs: [PictureLedger.Job], _ provider: any PictureProvider, now: Double)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        var stale: [UInt8] = []
        pending = .none
        for job in jobs {
            if bytes.count >= Self.batchBytes
                || (!bytes.isEmpty && isSlow && bytes.count >= Self.sliceBytes)
            {
                countDrops([job])
                pending = .fence
                break
            }
            guard let encoded = provider.encoded(request(job)) else {
                if pending == .none { pending = .provider }
                let cells = ledger.takeStale(job)
                stale += Self.clearing(cells) + erasingKitty(Array(cells))
                continue
            }
            bytes += Array("\u{1B}7\u{1B}[\(job.rect.y + 1);\(job.rect.x + 1)H".utf8)
            bytes += format == .kitty ? kitty.show(encoded, in: job.rect) : encoded
            bytes += [0x1B, 0x38]
            bytesPerCell = Double(encoded.count) / Double(max(1, job.rect.area))
            ledger.record(job)
            if fence.level < .full {
                coarse.insert(job.placement)
            } else if !job.isTile {
                coarse.remove(job.placement)
            }
            unsent[Self.key(job)] = nil
        }
        if !bytes.isEmpty {
            lastChange = now
            fence.sent(bytes: bytes.count, now: now)
            isFenceDue = true
        }
        return stale + bytes
    }

    // MARK: Making good

    /// When coarse pictures are to be looked at; nil for never.
    package var refineDeadline: Double? {
        refinable.isEmpty || isSlow || fence.isFenceless || fence.isWaiting
            ? nil : lastChange + Self.refineDelay
    }

    /// One picture that was sent in a hurry, as good as it can be, once nothing changes any more.
    private func refined(_ surface: Surface, _ provider: any PictureProvider, now: Double)
        -> [UInt8]
    {
        if !coarse.isEmpty { coarse.formIntersection(surface.placements) }
        refinable =
            coarse.isEmpty
            ? [] : surface.placements.filter { coarse.contains($0) && surface.isWhole($0) }
        guard let deadline = refineDeadline, now >= deadline, let placement = refinable.first else {
            return []
        }
        var bytes: [UInt8] = []
        for piece in PictureLedger.split(placement.rect, largest: largestPiece) {
            let job = PictureLedger.Job(placement: placement, rect: piece)
            guard let encoded = provider.encoded(request(job, level: .full)) else {
                pending = .provider
                return []
            }
            bytes += Array("\u{1B}7\u{1B}[\(piece.y + 1);\(piece.x + 1)H".utf8)
            bytes += (format == .kitty ? kitty.show(encoded, in: piece) : encoded) + [0x1B, 0x38]
        }
        coarse.remove(placement)
        refinable.removeFirst()
        fence.sent(bytes: bytes.count, now: now)
        isFenceDue = true
        return bytes
    }

    private func request(_ job: PictureLedger.Job, level: PictureLevel? = nil) -> PictureRequest {
        PictureRequest(
            id: job.placement.id, version: job.placement.version, cells: job.placement.rect.size,
            cellSize: capabilities.cellSize,
            part: job.rect.offset(x: -job.placement.rect.x, y: -job.placement.rect.y),
            level: level ?? fence.level, registers: capabilities.registers)
    }

    private var isSlow: Bool { (fence.throughput ?? .infinity) < Self.slowRate }

    /// Bytes of one band on a slow line: about a tenth of a second.
    private static let sliceBytes = 4096

    /// The most cells of one piece: the terminal's limit, less on a slow line.
    private var largestPiece: CellSize {
        let cell = capabilities.cellSize
        let columns = max(1, capabilities.maximumPicture.width / max(1, cell.width))
        var rows = max(1, capabilities.maximumPicture.height / max(1, cell.height))
        if isSlow, let front {
            let widest = front.placements.map(\.rect.width).max() ?? 1
            let budget = max(Double(Self.sliceBytes), (fence.throughput ?? 0) / 10)
            rows = max(1, min(rows, Int(budget / (bytesPerCell * Double(max(1, widest))))))
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
