// kitty's and iTerm2's forms of pictures, and braille. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Graphics formats")
struct GraphicsFormatTests {
    private static func noise(_ width: Int, _ height: Int) -> RGBImage {
        var image = RGBImage(width: width, height: height)
        var generator = RandomGenerator(seed: 6)
        for i in image.pixels.indices {
            image.pixels[i] = UInt8(truncatingIfNeeded: generator.nextWord())
        }
        return image
    }

    /// The picture in a PNG of base64 text.
    private func decoded(_ text: String) throws -> RGBImage {
        let data = try #require(Data(base64Encoded: text))
        return try data.withUnsafeBytes { try PNG.decode($0, path: "picture") }
    }

    @Test("Base64 is Foundation's")
    func base64() {
        for count in 0...20 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 5) }
            #expect(
                String(decoding: InlinePicture.base64(bytes), as: UTF8.self)
                    == Data(bytes).base64EncodedString())
        }
    }

    @Test("kitty's pieces are at most 4096 characters and make the PNG again")
    func kittyPieces() throws {
        let image = Self.noise(60, 40)
        let bytes = InlinePicture.kitty(image, cells: CellSize(columns: 6, rows: 2))
        let text = String(decoding: bytes, as: UTF8.self)
        let pieces = text.components(separatedBy: "\u{1B}\\").dropLast()
        #expect(pieces.count > 1)
        var payload = ""
        for (i, piece) in pieces.enumerated() {
            #expect(piece.hasPrefix("\u{1B}_G"))
            let parts = piece.dropFirst(3).split(separator: ";", maxSplits: 1)
            #expect(parts[1].count <= 4096)
            #expect(parts[0].hasSuffix(i == pieces.count - 1 ? "m=0" : "m=1"))
            if i == 0 { #expect(parts[0] == "a=T,f=100,q=2,C=1,z=-1,c=6,r=2,m=1") }
            payload += parts[1]
        }
        #expect(try decoded(payload) == image)
    }

    @Test("iTerm2's form names the cells and holds the PNG")
    func inlineImage() throws {
        let image = Self.noise(20, 20)
        let bytes = InlinePicture.iterm2(image, cells: CellSize(columns: 2, rows: 1))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("\u{1B}]1337;File=inline=1;size=") && text.hasSuffix("\u{7}"))
        #expect(text.contains(";width=2;height=1;preserveAspectRatio=0;"))
        let payload = try #require(text.dropLast().split(separator: ":").last)
        #expect(try decoded(String(payload)) == image)
    }

    // MARK: kitty's pictures on the screen

    private final class Screen: TextScreen {
        func put(row: Int, cells: ArraySlice<Cell>) {}
        func setCursor(_ point: Point?, isVisible: Bool) {}
        func redraw() {}
        func resize(_ size: CellSize) {}
        func takeBytes(keepingLines: Bool) -> [UInt8] { [] }
    }

    private final class Provider: PictureProvider {
        var parts: [Rect] = []
        func encoded(_ request: PictureRequest) -> [UInt8]? {
            parts.append(request.part)
            return Array("\u{1B}_Ga=T;x\u{1B}\\".utf8)
        }
        func take() -> [Rect] {
            defer { parts = [] }
            return parts
        }
    }

    private let provider = Provider()
    private let composer = FrameComposer(screen: Screen(), capabilities: Capabilities())

    private func show(
        version: Int = 1, popup: Rect? = nil, isShown: Bool = true, format: GraphicsFormat = .kitty
    ) -> String {
        var frame = Frame(
            surface: Surface(size: CellSize(columns: 60, rows: 20)), format: format)
        if isShown {
            frame.surface.place(
                picture: 1, version: version, in: Rect(x: 20, y: 3, width: 24, height: 10))
        }
        if let popup { frame.surface.fill(popup, with: ".") }
        let bytes = composer.compose(frame, pictures: provider, now: 0)
        composer.fence.written(now: 0)
        while composer.fence.isWaiting { composer.fence.answered(now: 0.001) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A picture has a number; a new version deletes the old one behind it")
    func replaced() throws {
        #expect(show().contains("\u{1B}_Gi=1,p=1,a=T;x"))
        #expect(show() == "")
        let text = show(version: 2)
        let new = try #require(text.range(of: "i=2,p=1,a=T"))
        let old = try #require(text.range(of: "a=d,d=I,i=1,"))
        #expect(new.lowerBound < old.lowerBound)
    }

    @Test("A popup deletes the picture below it, whose other cells are sent again around it")
    func popup() {
        _ = show()
        _ = provider.take()
        let text = show(popup: Rect(x: 15, y: 5, width: 15, height: 4))
        #expect(text.contains("a=d,d=I,i=1,"))
        #expect(
            provider.take() == [
                Rect(x: 0, y: 0, width: 24, height: 2), Rect(x: 10, y: 2, width: 14, height: 4),
                Rect(x: 0, y: 6, width: 24, height: 4),
            ])
        // Closed: one picture again, and the three pieces go.
        let closed = show()
        #expect(provider.take() == [Rect(x: 0, y: 0, width: 24, height: 10)])
        #expect((2...4).allSatisfy { closed.contains("a=d,d=I,i=\($0),") })
    }

    @Test("A picture that is no longer shown is deleted; another protocol clears them all")
    func gone() {
        _ = show()
        #expect(show(isShown: false).contains("a=d,d=I,i=1,"))
        _ = show()
        #expect(show(format: .iterm2).hasPrefix("\u{1B}_Ga=d,d=A,q=2"))
    }

    @Test("The application sends what the terminal knows, and the key goes through the others")
    func application() {
        var capabilities = Capabilities()
        capabilities.hasKittyGraphics = true
        let app = ApplicationHarness(capabilities: capabilities).ready()
        app.press(.enter)
        app.settle()
        #expect(app.frame().format == .kitty)
        #expect(!app.frame().placements.isEmpty)
        app.press("3")
        app.press("i")
        #expect(app.state.pictureMode == .half)
        #expect(app.frame().placements.isEmpty)
        app.press("i")
        #expect(app.state.pictureMode == .braille)
        #expect(app.text().unicodeScalars.contains { (0x2801...0x28FF).contains($0.value) })
    }

    // MARK: Braille

    @Test("Braille dots follow the brightness, turned round on a light ground")
    func braille() {
        var picture = RGBImage(width: 4, height: 4)
        for y in 0..<4 { for x in 0..<2 { picture[x, y] = (red: 255, green: 255, blue: 255) } }
        let content = PictureContent(picture)
        func drawn(isLight: Bool) -> String {
            var surface = Surface(size: CellSize(columns: 2, rows: 1))
            BrailleRenderer.draw(
                content, into: &surface, rect: Rect(size: surface.size), depth: .none,
                isLightBackground: isLight)
            return surface.text()
        }
        #expect(drawn(isLight: false) == "⣿\n")
        #expect(drawn(isLight: true) == " ⣿\n")
        // Half grey: half of the dots.
        let grey = PictureContent(RGBImage(width: 16, height: 16, red: 128, green: 128, blue: 128))
        var surface = Surface(size: CellSize(columns: 8, rows: 4))
        BrailleRenderer.draw(grey, into: &surface, rect: Rect(size: surface.size), depth: .none)
        let dots = surface.text().unicodeScalars.filter { $0.value >= 0x2800 }
            .reduce(0) { $0 + Int(($1.value - 0x2800).nonzeroBitCount) }
        #expect(dots == 128)
    }

    @Test("A pixel mouse paints where it points, whatever the pictures are made of")
    func pixelMouse() {
        let area = CanvasArea(
            rect: Rect(x: 10, y: 5, width: 28, height: 14),
            cellSize: PixelSize(width: 1, height: 2),
            mouseCell: PixelSize(width: 9, height: 19),
            geometry: PictureGeometry(
                source: PixelRect(x: 0, y: 0, width: 28, height: 28),
                target: PixelSize(width: 28, height: 28)))
        var event = MouseEvent(.press, button: .left, cell: Point(x: 24, y: 12))
        event.pixel = PixelPoint(x: 24 * 9 + 4, y: 12 * 19 + 14)
        #expect(area.point(event) == MaskPoint(x: 14, y: 15))
    }
}
