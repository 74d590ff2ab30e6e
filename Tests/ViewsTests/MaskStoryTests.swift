// Painting, undoing, editing with a mask.
// SPDX-License-Identifier: Apache-2.0
import Core
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
}
