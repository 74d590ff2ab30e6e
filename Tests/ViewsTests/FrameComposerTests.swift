// Which text and which pictures a new frame sends.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Views

/// Remembers what was put; its bytes are `T` for every row put.
@MainActor private final class RecordingScreen: TextScreen {
    var rows: [Int] = []
    var redraws = 0
    var keepsLines = false

    func put(row: Int, cells: ArraySlice<Cell>) { rows.append(row) }
    func setCursor(_ point: Point?, isVisible: Bool) {}
    func redraw() { redraws += 1 }
    func resize(_ size: CellSize) {}
    func takeBytes(keepingLines: Bool) -> [UInt8] {
        keepsLines = keepingLines
        defer { rows = [] }
        return rows.map { _ in UInt8(ascii: "T") }
    }
}

/// Answers every request with `P`, and remembers it.
@MainActor private final class RecordingProvider: PictureProvider {
    var requests: [PictureRequest] = []
    var isReady = true
    /// Bytes of a picture of 24x10 cells, less one.
    var size = 0
    var known: [Int: [Rect]] = [:]

    func encoded(_ request: PictureRequest) -> [UInt8]? {
        guard isReady else { return nil }
        requests.append(request)
        return Array(repeating: UInt8(ascii: "P"), count: size * request.part.area / 240 + 1)
    }

    func changes(id: Int, from old: Int, to new: Int, cells: CellSize, cellSize: PixelSize)
        -> [Rect]?
    { known[new] }

    func take() -> [PictureRequest] {
        defer { requests = [] }
        return requests
    }
}

@MainActor @Suite("Frame composer")
struct FrameComposerTests {
    private let screen = RecordingScreen()
    private let provider = RecordingProvider()
    private let composer: FrameComposer
    private let size = CellSize(columns: 60, rows: 20)
    private let place = Rect(x: 20, y: 3, width: 24, height: 10)

    init() {
        var capabilities = Capabilities()
        capabilities.hasSixel = true
        composer = FrameComposer(screen: screen, capabilities: capabilities)
    }

    private func frame(
        version: Int = 1, at rect: Rect? = nil, popup: Rect? = nil, text: String = "", row: Int = 0
    ) -> Frame {
        var frame = Frame(size: size)
        frame.surface.put(text, x: 0, y: row)
        frame.surface.place(picture: 1, version: version, in: rect ?? place)
        if let popup { frame.surface.fill(popup, with: ".") }
        return frame
    }

    /// Composes and lets the terminal digest at once.
    @discardableResult private func show(_ frame: Frame) -> String {
        let bytes = composer.compose(frame, pictures: provider, now: 0)
        composer.fence.written(now: 0)
        while composer.fence.isWaiting { composer.fence.answered(now: 0.001) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private var whole: Rect { Rect(size: place.size) }

    @Test("The first frame clears, then sends text, the picture in place, and a fence")
    func first() {
        let bytes = show(frame())
        #expect(
            bytes == "\u{1B}[r" + String(repeating: "T", count: 20)
                + "\u{1B}7\u{1B}[4;21HP\u{1B}8\u{1B}[5n")
        #expect(provider.take().map(\.part) == [whole])
    }

    @Test("The same frame again is no byte")
    func idle() {
        show(frame())
        #expect(show(frame()) == "")
    }

    @Test("Text beside a picture leaves it alone, text right at it does not")
    func textBeside() {
        show(frame())
        _ = provider.take()
        #expect(show(frame(text: "hello", row: 5)) == "T")
        #expect(provider.take().isEmpty)
    }

    @Test("A popup opened sends no picture; closed, the picture is sent again")
    func popup() {
        let cover = Rect(x: 15, y: 5, width: 15, height: 4)
        show(frame())
        _ = provider.take()
        show(frame(popup: cover))
        #expect(provider.take().isEmpty)
        show(frame())
        #expect(provider.take().map(\.part) == [whole])
    }

    @Test("A new version under a popup is sent around it")
    func underPopup() {
        let cover = Rect(x: 15, y: 5, width: 15, height: 4)
        show(frame(popup: cover))
        let parts = provider.take().map(\.part)
        #expect(
            parts == [
                Rect(x: 0, y: 0, width: 24, height: 2), Rect(x: 10, y: 2, width: 14, height: 4),
                Rect(x: 0, y: 6, width: 24, height: 4),
            ])
        show(frame(version: 2, popup: cover))
        #expect(provider.take().map(\.part) == parts)
    }

    @Test("A moved picture is sent whole, a full redraw sends everything")
    func moved() {
        show(frame())
        _ = provider.take()
        show(frame(at: place.offset(x: 2, y: 1)))
        #expect(provider.take().map(\.part) == [whole])
        composer.invalidate()
        #expect(show(frame(at: place.offset(x: 2, y: 1))).hasPrefix("\u{1B}[rTTTT"))
        #expect(provider.take().count == 1)
        #expect(screen.redraws == 2)
    }

    @Test("A new version with known changes sends tiles, without them the picture")
    func tiles() {
        show(frame())
        _ = provider.take()
        provider.known[2] = [Rect(x: 3, y: 4, width: 2, height: 1)]
        show(frame(version: 2))
        #expect(provider.take().map(\.part) == [Rect(x: 3, y: 4, width: 2, height: 1)])
        provider.known[3] = []
        #expect(show(frame(version: 3)) == "")
        show(frame(version: 4))
        #expect(provider.take().map(\.part) == [whole])
    }

    @Test("A picture that is not ready waits; a stale one at another place is wiped")
    func notReady() {
        show(frame())
        _ = provider.take()
        provider.isReady = false
        show(frame(version: 2))
        #expect(composer.pending == .provider)
        let bytes = show(frame(version: 2, at: place.offset(x: 4, y: 0)))
        #expect(bytes.contains("\u{A0}"))
        provider.isReady = true
        let late = composer.composePictures(provider, now: 0)
        #expect(String(decoding: late, as: UTF8.self) == "\u{1B}7\u{1B}[4;25HP\u{1B}8\u{1B}[5n")
        #expect(composer.pending == .none)
    }

    @Test("While a fence is out newer versions replace older ones, and drops are counted")
    func latestWins() {
        _ = composer.compose(frame(), pictures: provider, now: 0)
        _ = provider.take()
        for version in 2...5 {
            let bytes = composer.compose(frame(version: version), pictures: provider, now: 0.01)
            #expect(bytes.isEmpty)
            #expect(composer.pending == .fence)
        }
        #expect(composer.fence.drops == 3)
        composer.fence.answered(now: 0.02)
        _ = composer.composePictures(provider, now: 0.02)
        #expect(provider.take().map(\.version) == [5])
    }

    @Test("Pieces keep within the terminal's picture limit")
    func limit() {
        composer.capabilities.maximumPicture = PixelSize(width: 120, height: 100)
        show(frame())
        let parts = provider.take().map(\.part)
        #expect(parts.count == 4)
        #expect(parts.allSatisfy { $0.width <= 12 && $0.height <= 5 })
        #expect(parts.reduce(0) { $0 + $1.area } == place.area)
    }

    @Test("On a slow line a picture goes in small pieces, each once, and new versions go on below")
    func pieces() {
        composer.fence.sent(bytes: 10_000, now: 0)
        composer.fence.answered(now: 1)
        provider.size = 24_000
        _ = composer.compose(frame(), pictures: provider, now: 0)
        composer.fence.answered(now: 0.2)
        var parts = provider.take().map(\.part)
        while composer.pending == .fence {
            _ = composer.composePictures(provider, now: 0)
            parts += provider.take().map(\.part)
            composer.fence.answered(now: 0.2)
        }
        // A hundred bytes a cell, and a kilobyte may be on its way.
        #expect(parts.allSatisfy { $0.width <= 10 && $0.height == 1 })
        #expect(Set(parts).count == parts.count)
        #expect(parts.reduce(0) { $0 + $1.area } == place.area)
        // What changes faster than it can be sent: every piece gets its turn.
        var places: Set<Point> = []
        for version in 2...41 {
            _ = composer.compose(frame(version: version), pictures: provider, now: 0)
            places.formUnion(provider.take().map { Point(x: $0.part.x, y: $0.part.y) })
            composer.fence.answered(now: 0.2)
        }
        #expect(places.count >= 30)
        for _ in 0..<60 where composer.pending == .fence {
            _ = composer.composePictures(provider, now: 0)
            composer.fence.answered(now: 0.2)
        }
        #expect(composer.pending == .none)
    }

    @Test("On a slow line a frame waits until the last one has come through")
    func slowText() {
        composer.fence.sent(bytes: 10_000, now: 0)
        #expect(composer.fence.canCompose)
        composer.fence.answered(now: 1)
        #expect(composer.fence.isSlow && composer.fence.canCompose)
        composer.fence.sent(bytes: 4000, now: 1, isText: true)
        #expect(!composer.fence.canCompose)
        composer.fence.answered(now: 1.4)
        #expect(composer.fence.canCompose)
    }

    @Test("On a slow line the pane with the focus goes first, the rest in steps, then pictures too")
    func steps() {
        func showSlowly(_ frame: Frame) -> String {
            let bytes = composer.compose(frame, pictures: provider, now: 0)
            while composer.fence.isWaiting { composer.fence.answered(now: 0.2) }
            return String(decoding: bytes, as: UTF8.self)
        }
        composer.fence.sent(bytes: 10_000, now: 0)
        composer.fence.answered(now: 1)
        _ = showSlowly(frame())
        while composer.pending == .fence { _ = showSlowly(frame()) }
        _ = provider.take()
        var next = frame(version: 2)
        for row in 0..<19 { next.surface.put(String(repeating: "m", count: 20), x: 0, y: row) }
        for row in 0..<19 { next.surface.put(String(repeating: "n", count: 16), x: 44, y: row) }
        next.focus = Rect(x: 0, y: 15, width: 20, height: 3)
        // A row that was put is one byte of this screen.
        #expect(showSlowly(next).hasPrefix("TTT"))
        var count = 0
        while let rest = composer.unfinished, count < 20 {
            _ = showSlowly(rest)
            count += 1
        }
        #expect(count > 1 && count < 20)
        while composer.pending == .fence { _ = showSlowly(next) }
        #expect(showSlowly(next) == "")
        #expect(provider.take().contains { $0.version == 2 })
    }

    @Test("Pictures stand where the composer says")
    func ranges() {
        composer.capabilities.hasSynchronizedOutput = true
        let bytes = composer.compose(frame(), pictures: provider, now: 0)
        #expect(
            composer.pictureRanges.map { String(decoding: bytes[$0], as: UTF8.self) }
                == ["\u{1B}7\u{1B}[4;21HP\u{1B}8"])
        _ = composer.compose(frame(text: "x"), pictures: provider, now: 0)
        #expect(composer.pictureRanges.isEmpty)
    }

    @Test("Lines stay in their rows while a picture is seen")
    func lines() {
        #expect(show(frame()).hasPrefix("\u{1B}[rT"))
        #expect(!screen.keepsLines)
        show(frame(text: "hello", row: 5))
        #expect(screen.keepsLines)
        show(Frame(size: size))
        #expect(screen.keepsLines)
        show(Frame(size: size))
        #expect(!screen.keepsLines)
    }

    @Test("Without sixel no picture is asked for; synchronised output wraps the frame")
    func variants() {
        composer.capabilities.hasSixel = false
        composer.capabilities.hasSynchronizedOutput = true
        let bytes = show(frame())
        #expect(bytes.hasPrefix("\u{1B}[?2026h") && bytes.hasSuffix("\u{1B}[?2026l"))
        #expect(provider.take().isEmpty)
    }

    @Test("A narrow gap between changed cells counts as touched")
    func narrowGap() {
        let narrow = Rect(x: 2, y: 3, width: 5, height: 2)
        func frame(_ mark: String) -> Frame {
            var frame = Frame(size: size)
            frame.surface.put(mark, x: 1, y: 3)
            frame.surface.put(mark, x: 7, y: 3)
            frame.surface.place(picture: 1, version: 1, in: narrow)
            return frame
        }
        show(frame("a"))
        _ = provider.take()
        show(frame("b"))
        #expect(provider.take().count == 1)
    }

    @Test("What was sent in a hurry is sent once more as it should be, when nothing changes")
    func refine() {
        provider.size = 400_000
        // Three slow answers: the level sinks.
        for version in 1...3 {
            _ = composer.compose(frame(version: version), pictures: provider, now: 0)
            composer.fence.written(now: 0)
            composer.fence.answered(now: 0.2)
        }
        _ = composer.compose(frame(version: 4), pictures: provider, now: 1)
        composer.fence.written(now: 1)
        #expect(provider.take().last?.level == .fixedPalette)
        #expect(composer.refineDeadline == nil)
        composer.fence.answered(now: 1.01)
        #expect(composer.composePictures(provider, now: 1.1).isEmpty)
        #expect(composer.refineDeadline == 1 + FrameComposer.refineDelay)
        // Under a popup it waits.
        let cover = Rect(x: 15, y: 5, width: 15, height: 4)
        _ = composer.compose(frame(version: 4, popup: cover), pictures: provider, now: 1.2)
        #expect(composer.refineDeadline == nil)
        _ = composer.compose(frame(version: 4), pictures: provider, now: 1.3)
        composer.fence.written(now: 1.3)
        composer.fence.answered(now: 1.31)
        _ = provider.take()
        #expect(!composer.composePictures(provider, now: 2).isEmpty)
        #expect(provider.take().map(\.level) == [.full])
        composer.fence.written(now: 2)
        composer.fence.answered(now: 2.01)
        #expect(composer.composePictures(provider, now: 3).isEmpty)
        #expect(composer.refineDeadline == nil)
        // Under a popup and back it is what it was, at once.
        _ = composer.compose(frame(version: 4, popup: cover), pictures: provider, now: 4)
        _ = composer.compose(frame(version: 4), pictures: provider, now: 5)
        #expect(provider.take().map(\.level) == [.full])
    }
}
