// The picture store: background encoding, caching, tiles, and pictures as text.
// SPDX-License-Identifier: Apache-2.0

import Core
import Dispatch
import TestSupport
import Testing

@testable import Views

@Suite("Picture store")
@MainActor
struct PictureStoreTests {
    private let cells = CellSize(columns: 24, rows: 12)
    private let cellSize = PixelSize(width: 9, height: 19)

    private func request(_ version: Int, part: Rect? = nil, level: PictureLevel = .full)
        -> PictureRequest
    {
        PictureRequest(
            id: 7, version: version, cells: cells, cellSize: cellSize,
            part: part ?? Rect(size: cells), level: level)
    }

    /// Asks, waits for the wake-up, asks again.
    private func wait(
        _ store: PictureStore, _ woken: DispatchSemaphore, _ request: PictureRequest
    ) -> [UInt8]? {
        if let bytes = store.encoded(request) { return bytes }
        _ = woken.wait(timeout: .now() + 20)
        return store.encoded(request)
    }

    @Test("Large pictures are encoded in the background and then at hand")
    func background() throws {
        let woken = DispatchSemaphore(value: 0)
        let store = PictureStore { woken.signal() }
        let version = store.set(
            PictureContent(photoLike(width: 128, height: 128), kind: .live), for: 7)
        #expect(store.encoded(request(version)) == nil)
        _ = woken.wait(timeout: .now() + 20)
        let bytes = try #require(store.encoded(request(version)))
        let decoded = try decodeSixel(bytes)
        #expect(decoded.image.width == 24 * 9 && decoded.image.height == 12 * 19)
        #expect(store.encoded(request(version + 1)) == nil)
    }

    @Test("Tiles of live pictures come at once, tiles of still ones from their indices")
    func tiles() throws {
        let part = Rect(x: 3, y: 2, width: 4, height: 3)
        for kind in [PictureContent.Kind.live, .still] {
            for choice in [EncoderChoice.automatic, .own] {
                let woken = DispatchSemaphore(value: 0)
                let store = PictureStore(encoder: choice) { woken.signal() }
                let version = store.set(
                    PictureContent(photoLike(width: 100, height: 90), kind: kind), for: 7)
                if kind == .live { #expect(store.encoded(request(version, part: part)) != nil) }
                let whole = try decodeSixel(
                    try #require(wait(store, woken, request(version)))
                ).image
                let tile = try decodeSixel(
                    try #require(store.encoded(request(version, part: part)))
                ).image
                #expect(tile == cropped(whole, x: 27, y: 38, width: 36, height: 57))
            }
        }
    }

    @Test("Equal content keeps its version; levels lower the effort")
    func versions() throws {
        let woken = DispatchSemaphore(value: 0)
        let store = PictureStore { woken.signal() }
        let content = PictureContent(photoLike(width: 64, height: 64))
        let version = store.set(content, for: 7)
        #expect(store.set(content, for: 7) == version)
        let full = try #require(wait(store, woken, request(version)))
        let reduced = try #require(wait(store, woken, request(version, level: .reduced)))
        #expect(2 * reduced.count < full.count)
        store.remove(7)
        #expect(store.encoded(request(version)) == nil)
    }

    @Test("A stroke over a live picture asks for a few cells")
    func changes() throws {
        let store = PictureStore {}
        var content = PictureContent(photoLike(width: 64, height: 64), kind: .live)
        content.overlay = MaskOverlay(PixelMask(width: 64, height: 64))
        let old = store.set(content, for: 7)
        content.overlay?.mask[30, 30] = true
        let new = store.set(content, for: 7)
        let rects = try #require(
            store.changes(id: 7, from: old, to: new, cells: cells, cellSize: cellSize))
        #expect(!rects.isEmpty && rects.reduce(0) { $0 + $1.area } <= 12)
        content.kind = .still
        let still = store.set(content, for: 7)
        #expect(store.changes(id: 7, from: new, to: still, cells: cells, cellSize: cellSize) == nil)
    }

    @Test("The cache forgets the least recently used")
    func cache() {
        var cache = EncodedCache(limit: 1000)
        func key(_ version: Int) -> EncodedKey {
            EncodedKey(
                id: 1, version: version, pixels: PixelSize(width: 1, height: 1), mode: .ordered,
                registers: 256, part: nil)
        }
        for i in 0..<10 { cache.insert(.bytes([UInt8](repeating: 0, count: 100)), for: key(i)) }
        #expect(cache.value(key(0)) != nil)
        cache.insert(.bytes([UInt8](repeating: 0, count: 100)), for: key(10))
        #expect(cache.byteCount <= 1000)
        #expect(cache.value(key(0)) != nil)
        #expect(cache.value(key(1)) == nil)
        #expect(cache.value(key(10)) != nil)
        cache.insert(.bytes([UInt8](repeating: 0, count: 2000)), for: key(11))
        #expect(cache.value(key(11)) == nil)
        cache.remove(id: 1)
        #expect(cache.byteCount == 0 && cache.count == 0)
    }

    @Test("Half-blocks and the ASCII ramp, as text")
    func text() {
        var picture = RGBImage(width: 4, height: 4)
        for x in 0..<4 { picture[x, 0] = (red: 255, green: 255, blue: 255) }
        for y in 1..<4 { picture[3, y] = (red: 255, green: 0, blue: 0) }
        let content = PictureContent(picture)
        var surface = Surface(size: CellSize(columns: 6, rows: 2))
        HalfBlockRenderer.drawHalfBlocks(
            content, into: &surface, rect: Rect(size: surface.size), depth: .xterm256)
        #expect(
            surface.dump() == """
                 ▀▀▀▀

                0:1-3 fg=231 bg=16
                0:4-4 fg=231 bg=196
                1:1-3 bg=16
                1:4-4 bg=196

                """)
        var ascii = Surface(size: CellSize(columns: 6, rows: 2))
        HalfBlockRenderer.drawASCII(content, into: &ascii, rect: Rect(size: ascii.size))
        #expect(ascii.text() == " ===*\n    :\n")
    }

    @Test("The mode follows the terminal, a wish overrides it")
    func modes() {
        var capabilities = Capabilities()
        #expect(PictureMode.choose(capabilities: capabilities) == .half)
        capabilities.hasSixel = true
        #expect(PictureMode.choose(capabilities: capabilities) == .sixel)
        #expect(PictureMode.choose(preferred: .off, capabilities: capabilities) == .off)
        capabilities.hasSixel = false
        capabilities.colors = .none
        #expect(PictureMode.choose(capabilities: capabilities) == .braille)
        #expect(PictureMode.choose(preferred: .half, capabilities: capabilities) == .braille)
        capabilities.hasInlineImages = true
        #expect(PictureMode.choose(capabilities: capabilities) == .iterm2)
        capabilities.hasKittyGraphics = true
        #expect(PictureMode.choose(capabilities: capabilities) == .kitty)
        #expect(PictureMode.kitty.next(capabilities) == .iterm2)
        #expect(PictureMode.iterm2.next(capabilities) == .braille)
        #expect(PictureMode.off.next(capabilities) == .kitty)
    }
}
