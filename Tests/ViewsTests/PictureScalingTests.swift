// Fitting pictures: geometry, filters, masks, comparisons, changes.
// SPDX-License-Identifier: Apache-2.0

import Core
import Testing

@testable import Views

@Suite("Picture scaling and overlays")
struct PictureScalingTests {
    @Test("Tiny pictures grow by whole factors, centred; others fill one side")
    func geometry() {
        let digit = PictureContent(RGBImage(width: 28, height: 28))
        #expect(
            digit.geometry(in: PixelSize(width: 100, height: 95)).fit
                == PixelRect(x: 8, y: 5, width: 84, height: 84))
        let photo = PictureContent(RGBImage(width: 200, height: 100))
        #expect(
            photo.geometry(in: PixelSize(width: 100, height: 100)).fit
                == PixelRect(x: 0, y: 25, width: 100, height: 50))
        #expect(
            photo.geometry(in: PixelSize(width: 500, height: 300)).fit
                == PixelRect(x: 0, y: 25, width: 500, height: 250))
    }

    @Test("Every pixel of the screen maps back to the pixel that it shows")
    func mapping() {
        let geometry = PictureContent(RGBImage(width: 28, height: 28))
            .geometry(in: PixelSize(width: 100, height: 95))
        #expect(geometry.sourcePixel(at: PixelPoint(x: 7, y: 5)) == nil)
        #expect(geometry.sourcePixel(at: PixelPoint(x: 8, y: 5)) == PixelPoint(x: 0, y: 0))
        #expect(geometry.sourcePixel(at: PixelPoint(x: 91, y: 88)) == PixelPoint(x: 27, y: 27))
        #expect(geometry.nearestSourcePixel(to: PixelPoint(x: 99, y: 0)) == PixelPoint(x: 27, y: 0))
        #expect(
            geometry.targetRect(of: PixelRect(x: 1, y: 2, width: 1, height: 1))
                == PixelRect(x: 11, y: 11, width: 3, height: 3))
    }

    @Test("The box filter is the mean of what a pixel covers")
    func box() {
        var picture = RGBImage(width: 130, height: 130)
        for y in 0..<130 {
            for x in 0..<130 {
                picture[x, y] = (red: UInt8(x), green: UInt8(y), blue: x % 2 == 0 ? 0 : 200)
            }
        }
        let small = PictureContent(picture)
            .rendered(in: PixelSize(width: 26, height: 26), part: whole(26, 26))
        for (x, y) in [(0, 0), (3, 17), (25, 25)] {
            let columns = (5 * x)..<(5 * x + 5)
            let red = columns.reduce(0.0) { $0 + Double($1) } / 5
            let blue = columns.reduce(0.0) { $0 + ($1 % 2 == 0 ? 0 : 200) } / 5
            #expect(abs(Double(small[x, y].red) - red) <= 0.51)
            #expect(abs(Double(small[x, y].green) - Double(5 * y + 2)) <= 0.51)
            #expect(abs(Double(small[x, y].blue) - blue) <= 0.51)
        }
    }

    @Test("White stays white and a part is the same region of the whole, at any ratio")
    func parts() {
        let white = RGBImage(width: 97, height: 83, red: 255, green: 255, blue: 255)
        let photo = photoLike(width: 97, height: 83)
        for (w, h) in [(40, 57), (97, 83), (150, 190), (31, 300)] {
            let size = PixelSize(width: w, height: h)
            let content = PictureContent(white, background: .rgb(255, 255, 255))
            #expect(content.rendered(in: size, part: whole(w, h)).pixels.allSatisfy { $0 == 255 })
            var shown = PictureContent(photo)
            shown.overlay = MaskOverlay(disc(width: 97, height: 83))
            shown.outlines = [.circle(x: 40, y: 30, radius: 9)]
            let all = shown.rendered(in: size, part: whole(w, h))
            let part = PixelRect(x: w / 3, y: h / 4, width: w / 2, height: h / 2)
            #expect(
                shown.rendered(in: size, part: part)
                    == cropped(all, x: part.x, y: part.y, width: part.width, height: part.height))
        }
    }

    @Test("The mask tints half, hatches, and only where it is set")
    func mask() {
        let grey = RGBImage(width: 100, height: 100, red: 100, green: 100, blue: 100)
        var mask = PixelMask(width: 100, height: 100)
        for y in 0..<100 { for x in 0..<50 { mask[x, y] = true } }
        let overlay = MaskOverlay(mask, tint: .rgb(200, 0, 0))
        let content = PictureContent(grey, overlay: overlay)
        let shown = content.rendered(in: PixelSize(width: 100, height: 100), part: whole(100, 100))
        #expect(shown[4, 0] == (red: 150, green: 50, blue: 50))
        #expect(shown[0, 0].red > 150)
        #expect(shown[50, 0] == (red: 100, green: 100, blue: 100))
        let large = content.rendered(in: PixelSize(width: 200, height: 200), part: whole(200, 200))
        #expect(large[100, 10] == (red: 255, green: 255, blue: 255))
    }

    @Test("Changed cells hold every pixel that differs, and no more than they need")
    func changes() throws {
        let picture = photoLike(width: 64, height: 64)
        let cellSize = PixelSize(width: 9, height: 19)
        let cells = CellSize(columns: 40, rows: 16)
        var before = PictureContent(picture, kind: .live)
        before.overlay = MaskOverlay(PixelMask(width: 64, height: 64))
        var after = before
        for i in 20..<26 { after.overlay?.mask[i, i] = true }
        after.outlines = [.circle(x: 26, y: 26, radius: 3)]
        let rects = try #require(PictureChanges(before, after).cells(cells, cellSize: cellSize))
        let size = PixelSize(width: 360, height: 304)
        let a = before.rendered(in: size, part: whole(360, 304))
        let b = after.rendered(in: size, part: whole(360, 304))
        var changed = 0
        for y in 0..<304 {
            for x in 0..<360 where a[x, y] != b[x, y] {
                changed += 1
                let cell = Point(x: x / 9, y: y / 19)
                #expect(rects.contains { $0.contains(cell) })
            }
        }
        #expect(changed > 0)
        #expect(rects.reduce(0) { $0 + $1.area } < 80)
        #expect(PictureChanges(after, after).cells(cells, cellSize: cellSize) == [])
        after.source = PixelRect(x: 0, y: 0, width: 32, height: 32)
        #expect(PictureChanges(before, after).cells(cells, cellSize: cellSize) == nil)
    }

    @Test("Comparisons: split, difference, side by side")
    func comparison() {
        let black = RGBImage(width: 10, height: 4)
        let grey = RGBImage(width: 10, height: 4, red: 50, green: 60, blue: 70)
        let split = PictureComparison.split(0.5).compose(black, grey)
        #expect(split[4, 0] == (red: 0, green: 0, blue: 0))
        #expect(split[5, 0] == (red: 255, green: 255, blue: 255))
        #expect(split[6, 0] == (red: 50, green: 60, blue: 70))
        let difference = PictureComparison.difference(gain: 4).compose(black, grey)
        #expect(difference[0, 0] == (red: 200, green: 240, blue: 255))
        #expect(PictureComparison.sideBySide.compose(black, grey).width == 22)
    }

    private func whole(_ width: Int, _ height: Int) -> PixelRect {
        PixelRect(x: 0, y: 0, width: width, height: height)
    }

    private func disc(width: Int, height: Int) -> PixelMask {
        var mask = PixelMask(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width where (x - 40) * (x - 40) + (y - 40) * (y - 40) < 400 {
                mask[x, y] = true
            }
        }
        return mask
    }
}
