// Painting, undoing, editing with a mask.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

@testable import Views

@MainActor
@Suite("Mask stories")
struct MaskStoryTests {
    /// With a sample taken into the mask pane.
    private func painting(_ size: CellSize = CellSize(columns: 120, rows: 40))
        -> ApplicationHarness
    {
        let app = ApplicationHarness(size: size).ready()
        app.press(.enter)
        app.settle()
        app.press("4")
        app.press("s")
        return app
    }

    @Test("Strokes with the mouse, undone and redone row by row")
    func strokes() throws {
        let app = painting()
        let place = try #require(app.frame().placements.first { $0.id == PictureID.maskBefore })
        let from = Point(x: place.rect.x + 5, y: place.rect.y + 5)
        let to = Point(x: place.rect.x + 20, y: place.rect.y + 12)
        app.application.handle(.mouse(MouseEvent(.press, button: .left, cell: from)))
        app.application.handle(.mouse(MouseEvent(.drag, button: .left, cell: to)))
        app.application.handle(.mouse(MouseEvent(.release, button: .left, cell: to)))
        let painted = try #require(app.state.mask.mask)
        #expect(painted.coverage > 0)
        // Interpolated: no gap between the two cells that the mouse reported.
        let columns = (0..<28).filter { x in (0..<28).contains { painted[x, $0] } }
        #expect(columns.count == columns[columns.count - 1] - columns[0] + 1)
        app.press("u")
        #expect(app.state.mask.mask?.coverage == 0)
        app.press("U")
        #expect(app.state.mask.mask == painted)
        app.press("i")
        app.press("c")
        app.press("u")
        app.press("u")
        #expect(app.state.mask.mask == painted)
    }

    @Test("Undo of a stroke shows the mask again")
    func undoShowsMask() {
        let app = painting()
        app.press(" ")
        app.press("m")
        #expect(!app.state.mask.isMaskShown)
        app.press("u")
        #expect(app.state.mask.isMaskShown)
    }

    @Test("The keyboard alone paints: cursor, dabs, lines, boxes")
    func keyboard() {
        let app = painting()
        app.press("[")
        app.press("[")
        app.press("[")
        #expect(app.state.mask.size == 1)
        app.press(" ")
        #expect(app.state.mask.mask?.repaint.filter { $0 }.count == 1)
        app.press(KeyPress(.right, .shift), KeyPress(.right, .shift))
        #expect(app.state.mask.mask?.repaint.filter { $0 }.count == 3)
        app.press("c")
        app.press("a")
        app.press(" ")
        app.press(.right, .right, .down)
        app.press(" ")
        #expect(app.state.mask.mask?.repaint.filter { $0 }.count == 6)
        app.press("u")
        #expect(app.state.mask.mask?.coverage == 0)
    }

    @Test("Esc takes an unfinished box back")
    func escapeBox() {
        let app = painting()
        app.press("a")
        app.press(" ")
        app.press(.right, .down)
        app.press(.escape)
        #expect(app.state.mask.mask?.coverage == 0)
        #expect(app.state.mask.stroke == nil)
    }

    @Test("Pixel positions paint the pixel under them")
    func pixelMouse() throws {
        let app = painting()
        app.press("[[[")
        let place = try #require(app.frame().placements.first { $0.id == PictureID.maskBefore })
        let cell = app.state.terminal.cellSize
        let content = PictureContent(try #require(app.state.mask.source))
        let geometry = content.geometry(
            in: PixelSize(
                width: place.rect.width * cell.width, height: place.rect.height * cell.height))
        let target = geometry.targetRect(of: PixelRect(x: 9, y: 21, width: 1, height: 1))
        let pixel = PixelPoint(
            x: place.rect.x * cell.width + target.x + target.width / 2,
            y: place.rect.y * cell.height + target.y + target.height / 2)
        let point = Point(x: pixel.x / cell.width, y: pixel.y / cell.height)
        app.application.handle(
            .mouse(MouseEvent(.press, button: .left, cell: point, pixel: pixel)))
        app.application.handle(
            .mouse(MouseEvent(.release, button: .left, cell: point, pixel: pixel)))
        let mask = try #require(app.state.mask.mask)
        #expect(mask.repaint.filter { $0 }.count == 1)
        #expect(mask[9, 21])
    }

    @Test("An edit keeps what is not masked, and shows before, after and difference")
    func edit() throws {
        let app = painting()
        let before = try #require(app.state.mask.source)
        app.press("a")
        app.application.send(.mask(.begin(MaskPoint(x: 0, y: 0), erases: false)))
        app.application.send(.mask(.move(MaskPoint(x: 13, y: 13))))
        app.application.send(.mask(.end))
        app.press("R")
        app.settle()
        let after = try #require(app.state.mask.result)
        #expect(app.state.mask.view == .after)
        #expect(after != before)
        // The cells of the finest map beside the mask are the source's.
        #expect(after[27, 27] == before[27, 27])
        #expect(app.state.runs.shown?.edit?.mode == .inpaint)
        #expect(app.state.runs.shown?.request.classLabel == nil)
        app.press("v")
        #expect(app.state.mask.view == .difference)
        app.press("v")
        #expect(app.frame().placements.count >= 2)
        app.press("S")
        #expect(app.state.mask.source == after)
        #expect(app.state.mask.mask?.coverage ?? 0 > 0)
    }

    @Test("Without a mask nothing is run and the reason is said")
    func nothingMasked() {
        let app = painting()
        app.press(.enter)
        #expect(app.state.notice?.text.contains("Nothing is masked") == true)
        app.press("[[[")
        app.press(" ")
        app.press(.enter)
        #expect(app.state.notice?.text.contains("more than half masked") == true)
        #expect(app.state.runs.runs.count == 1)
        app.press("MMM")
        #expect(app.state.mask.settings.mode == .vary)
        app.press(.enter)
        app.settle()
        #expect(app.state.runs.runs.count == 2)
    }

    @Test("Opened pictures come with the notice of what was done to them")
    func open() {
        let app = ApplicationHarness().ready()
        app.press("4")
        app.press("O")
        app.type("cat.jpg")
        app.press(.enter)
        app.wait { $0.mask.source != nil }
        #expect(app.state.mask.sourceName == "cat.jpg")
        #expect(app.state.notice?.text == "cat.jpg was resized.")
        app.press("y")
        let expected =
            "workbench edit --model fake-digits --image cat.jpg --mask mask.png --mode inpaint "
            + "--anchor tokens --keep-scales 0 --dilate 0 --steps 0,2,2,2,2 --seed 42 --cfg 1.5 "
            + "--top-k 0 --top-p 0.0 --out edited.png"
        #expect(app.application.takeRequests() == [.copy(expected)])
        app.press("I")
        app.type("mask.png")
        app.press(.enter)
        app.wait { $0.mask.mask?.coverage == 1 }
        #expect(app.state.mask.mask?.coverage == 1)
        app.press("W")
        app.press(.enter)
        app.wait { !$0.mask.isMaskUnsaved }
        #expect(app.files.masks.last?.width == 28)
    }

    @Test("Outpainting shrinks the picture on its canvas and masks the rim")
    func outpainting() throws {
        let app = painting()
        app.press("z")
        #expect(app.state.mask.settings.mode == .outpaint)
        let mask = try #require(app.state.mask.mask)
        #expect(mask[0, 0] && !mask[14, 14])
        #expect(mask.repaint.filter { !$0 }.count == 21 * 21)
    }

    @Test("Brushes cover discs of their size")
    func brush() {
        for size in 1...9 {
            var mask = PixelMask(width: 31, height: 31)
            mask.dab(MaskPoint(x: 15, y: 15), size: size, value: true)
            let columns = (0..<31).filter { x in (0..<31).contains { mask[x, $0] } }
            #expect(columns.count == size, "size \(size)")
        }
        var mask = PixelMask(width: 8, height: 8)
        mask.dab(MaskPoint(x: -40, y: 3), size: 9, value: true)
        mask.line(from: MaskPoint(x: -5, y: -5), to: MaskPoint(x: 20, y: 20), size: 1, value: true)
        #expect((0..<8).allSatisfy { mask[$0, $0] })
    }

    @Test("Row differences turn one mask into the other and back")
    func differences() {
        var old = PixelMask(width: 130, height: 5)
        old.box(MaskPoint(x: 3, y: 1), MaskPoint(x: 100, y: 3), value: true)
        var new = old
        new.ellipse(MaskPoint(x: 60, y: 0), MaskPoint(x: 129, y: 4), value: true)
        new.fill(MaskPoint(x: 0, y: 0))
        let rows = new.differences(from: old)
        var copy = old
        copy.apply(rows)
        #expect(copy == new)
        copy.apply(rows)
        #expect(copy == old)
    }

    // MARK: Lasso, soft edges, cells, zoom, canvas

    @Test("The lasso fills what the path goes round, however it was drawn")
    func lasso() throws {
        let app = painting()
        app.press("w")
        let path = [(4, 4), (20, 4), (20, 20), (4, 20)].map { MaskPoint(x: $0.0, y: $0.1) }
        app.application.send(.mask(.begin(path[0], erases: false)))
        for point in path.dropFirst() { app.application.send(.mask(.move(point))) }
        app.application.send(.mask(.end))
        let mask = try #require(app.state.mask.mask)
        var square = PixelMask(width: 28, height: 28)
        square.box(path[0], path[2], value: true)
        #expect(mask == square)
        app.press("u")
        #expect(app.state.mask.mask?.coverage == 0)
        // A crossing path leaves its middle out: the even-odd rule.
        var bow = PixelMask(width: 28, height: 28)
        bow.lasso(
            [(2, 2), (26, 2), (2, 26), (26, 26)].map { MaskPoint(x: $0.0, y: $0.1) }, value: true)
        #expect(bow[14, 5] && bow[14, 22] && !bow[4, 14] && !bow[24, 14])
    }

    @Test("With the keyboard the lasso goes from Space to Space")
    func lassoByKeys() {
        let app = painting()
        app.press("w")
        app.press(" ")
        app.press(.right, .right, .right, .right)
        app.press(.down, .down, .down, .down)
        #expect(app.state.mask.stroke != nil)
        app.press(" ")
        #expect(app.state.mask.stroke == nil)
        // The triangle between the corner and the diagonal.
        #expect(app.state.mask.mask?.repaint.filter { $0 }.count == 15)
    }

    @Test("Soft edges thin out; brush and eraser remember their own")
    func hardness() {
        func count(_ hardness: Int) -> Int {
            var mask = PixelMask(width: 64, height: 64)
            mask.softDab(MaskPoint(x: 32, y: 32), size: 41, hardness: hardness, value: true)
            return mask.repaint.filter { $0 }.count
        }
        var hard = PixelMask(width: 64, height: 64)
        hard.dab(MaskPoint(x: 32, y: 32), size: 41, value: true)
        let area = hard.repaint.filter { $0 }.count
        #expect(count(100) == area)
        #expect(count(100) > count(50) && count(50) > count(0))
        // A cone has a third of its cylinder.
        #expect(abs(Double(count(0)) / Double(area) - 1 / 3.0) < 0.03)
        let app = painting()
        app.press("{{")
        #expect(app.state.mask.hardness == 50)
        app.press("e")
        #expect(app.state.mask.hardness == 100)
        app.press("b")
        #expect(app.state.mask.hardness == 50)
        #expect(app.text().contains("soft 50 %"))
    }

    @Test("The cells of every scale are shown, then the mask again")
    func cells() {
        let app = painting()
        app.application.send(.mask(.setTool(.box)))
        app.application.send(.mask(.begin(MaskPoint(x: 0, y: 0), erases: false)))
        app.application.send(.mask(.move(MaskPoint(x: 13, y: 13))))
        app.application.send(.mask(.end))
        app.press("0")
        #expect(app.text().contains("scale 0, 1×1: 0 of 1 cells drawn anew"))
        app.press("0")
        #expect(app.text().contains("scale 1, 2×2: 1 of 4 cells drawn anew"))
        app.press("0000")
        #expect(app.state.mask.cellsScale == nil)
        #expect(
            PixelMask(cells: [true, false, false, true], side: 2, width: 4, height: 4).repaint
                .enumerated().filter(\.element).map(\.offset) == [0, 1, 4, 5, 10, 11, 14, 15])
    }

    @Test("Zoomed in, the pointer paints the pixel under it, and the cursor stays in view")
    func zoom() throws {
        let app = painting()
        app.press("[[[")
        app.press("+")
        #expect(app.state.mask.zoom == 2)
        #expect(app.state.mask.seen == PixelRect(x: 7, y: 7, width: 14, height: 14))
        let place = try #require(app.frame().placements.first { $0.id == PictureID.maskBefore })
        app.click(Point(x: place.rect.x, y: place.rect.y))
        let mask = try #require(app.state.mask.mask)
        #expect(mask[7, 7] && mask.repaint.filter { $0 }.count == 1)
        app.press(.up)
        #expect(app.state.mask.seen?.y ?? 9 < 7)
        app.press("-")
        #expect(app.state.mask.seen == nil)
    }

    @Test("A canvas grows past the model's size, part by part, and undo brings it back")
    func largeCanvas() throws {
        let app = painting()
        let first = try #require(app.state.mask.source)
        app.press(KeyPress(.right, [.alt, .shift]))
        let canvas = try #require(app.state.mask.canvas)
        #expect(canvas.image.width == 42 && canvas.image.height == 28)
        #expect(app.state.mask.mask?.coverage == 0.5)
        #expect(app.state.mask.source?[0, 5].red == first[14, 5].red)
        app.press(.enter)
        app.settle()
        let result = try #require(app.state.mask.result)
        app.press("vvvv")
        app.press(KeyPress(.down, [.alt, .shift]))
        let larger = try #require(app.state.mask.canvas)
        #expect(larger.image.width == 42 && larger.image.height == 42)
        // The old part, and the result where nothing was.
        #expect(larger.image[3, 3].red == first[3, 3].red)
        #expect(larger.image[40, 3].red == result[26, 3].red)
        app.press("u")
        #expect(app.state.mask.canvas?.image.height == 28)
        app.press(KeyPress("s", .control))
        app.press(.enter)
        app.wait { _ in !app.files.paths.isEmpty }
        #expect(!app.files.paths.isEmpty)
    }

    @Test("A canvas survives its file form; a window beside it does not")
    func storedCanvas() throws {
        let source = RGBImage(width: 8, height: 8, red: 9)
        let canvas = try #require(LargeCanvas(source).moved(.left)?.moved(.up))
        #expect(canvas.image.width == 12 && canvas.image.height == 12)
        #expect(canvas.windowMask.repaint.filter { $0 }.count == 48)
        let data = try JSONEncoder().encode(canvas)
        #expect(try JSONDecoder().decode(LargeCanvas.self, from: data) == canvas)
        #expect(!canvas.fits(RGBImage(width: 12, height: 12)))
        var far: LargeCanvas? = canvas
        while let next = far?.moved(.right) { far = next }
        #expect(far?.image.width ?? 0 <= LargeCanvas.limit)
    }

    @Test("Arrows move as far on the screen at any size of picture; under a zoom by a pixel")
    func cursorSteps() throws {
        let app = ApplicationHarness(imageSize: 128).ready()
        app.press("3")
        app.press(.enter)
        app.settle()
        app.press("4s")
        let start = app.state.mask.cursor
        app.press(.right)
        #expect(app.state.mask.cursor.x == start.x + 4)
        app.press("++")
        let zoomed = app.state.mask.cursor
        app.press(.left)
        #expect(app.state.mask.cursor.x == zoomed.x - app.state.mask.cursorStep)
        #expect(app.state.mask.cursorStep < 4)
    }
}
