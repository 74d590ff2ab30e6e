// PNG, JPEG, resizing and recipes. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct PictureCodecTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The 8×6 picture of Tests/Fixtures/pictures/README.md.
    private static let formula: RGBImage = {
        var image = RGBImage(width: 8, height: 6)
        for y in 0..<6 {
            for x in 0..<8 { image[x, y] = (UInt8(30 * x), UInt8(40 * y), UInt8(17 * x + 5 * y)) }
        }
        return image
    }()

    private func path(_ name: String) -> String { Fixture.path("pictures/\(name)") }

    private func largestDifference(_ a: RGBImage, _ b: RGBImage) -> Int {
        guard a.width == b.width, a.height == b.height else { return .max }
        return zip(a.pixels, b.pixels).map { Swift.abs(Int($0) - Int($1)) }.max() ?? 0
    }

    @Test(arguments: ["rgb8.png", "rgb16.png", "interlaced.png", "palette.png"])
    func everyKindOfPNGGivesItsColours(name: String) throws {
        #expect(try ImageFile.read(path: path(name)) == Self.formula)
    }

    @Test func transparencyIsCompositedOnWhite() throws {
        let image = try PNG.read(path: path("rgba8.png"))
        for y in 0..<6 {
            for x in 0..<8 {
                let alpha = Double(36 * x) / 255
                let expected = Double(30 * x) * alpha + 255 * (1 - alpha)
                #expect(Swift.abs(Double(image[x, y].red) - expected) <= 0.5)
            }
        }
        let palette = try PNG.read(path: path("palette_transparent.png"))
        #expect(palette[0, 0] == (255, 0, 0) && palette[2, 5] == (0, 0, 255))
        #expect(palette[1, 3] == (255, 255, 255))
    }

    @Test func greyIsSpreadOverTheChannels() throws {
        let grey = try PNG.read(path: path("grey8.png"))
        #expect(grey[3, 2] == (108, 108, 108))
        let deep = try PNG.read(path: path("grey16.png"))
        for (x, y) in [(0, 0), (3, 2), (7, 5)] {
            let value = Double(36 * 257 * x / 2 + 1000 * y)
            #expect(Swift.abs(Double(deep[x, y].red) - value / 257) <= 0.5)
        }
        let chess = try PNG.read(path: path("grey1.png"))
        #expect(chess[0, 0] == (0, 0, 0) && chess[1, 0] == (255, 255, 255))
    }

    @Test func picturesSurviveWritingAndReading() throws {
        let file = folder.file("out.png")
        try PNG.write(Self.formula, to: file)
        #expect(try ImageFile.read(path: file) == Self.formula)
        #expect(try PNG.encode(Self.formula) == PNG.encode(Self.formula))
        var mask = PixelMask(width: 5, height: 3)
        mask[4, 1] = true
        try ImageFile.writeMask(mask, to: folder.file("mask.png"))
        #expect(try ImageFile.readMask(path: folder.file("mask.png")) == mask)
    }

    @Test func recipesTravelInsidePictures() throws {
        struct Recipe: Codable, Equatable {
            var name: String
            var seed: UInt64
        }
        let recipe = Recipe(name: "zwölf / \"12\"\n", seed: .max)
        let file = folder.file("recipe.png")
        try PictureMetadata.write(Self.formula, recipe: recipe, to: file)
        #expect(try PictureMetadata.read(Recipe.self, path: file) == recipe)
        #expect(try PNG.read(path: file) == Self.formula)
        expectSentence("without a recipe") {
            _ = try PictureMetadata.read(Recipe.self, path: path("rgb8.png"))
        }
        try PNG.write(
            Self.formula, to: file, texts: [.init(key: "workbench", value: #"{"name":3}"#)])
        expectSentence("recipe.png", "name is not a text") {
            _ = try PictureMetadata.read(Recipe.self, path: file)
        }
        expectSentence("key") {
            _ = try PNG.encode(Self.formula, texts: [.init(key: "", value: "x")])
        }
    }

    @Test(arguments: ["scene.jpg", "scene_progressive.jpg", "scene_turned.jpg"])
    func jpegComesCloseToItsSource(name: String) throws {
        let scene = try PNG.read(path: path("scene.png"))
        #expect(largestDifference(try ImageFile.read(path: path(name)), scene) <= 12)
    }

    @Test func greyJPEGIsConverted() throws {
        let scene = try PNG.read(path: path("scene.png"))
        let grey = try JPEG.read(path: path("scene_grey.jpg"))
        for (x, y) in [(3, 3), (20, 11), (47, 35)] {
            let (r, g, b) = scene[x, y]
            let luma = 0.299 * Double(r) + 0.587 * Double(g) + 0.114 * Double(b)
            #expect(Swift.abs(Double(grey[x, y].red) - luma) <= 6)
            #expect(grey[x, y].red == grey[x, y].green && grey[x, y].red == grey[x, y].blue)
        }
    }

    @Test func cmykIsRefused() {
        expectSentence("scene_cmyk.jpg", "CMYK", "convert") {
            _ = try ImageFile.read(path: path("scene_cmyk.jpg"))
        }
    }

    @Test(arguments: [
        "rgb16.png", "interlaced.png", "scene.jpg", "scene_progressive.jpg", "scene_turned.jpg",
    ])
    func everyCutOfAPictureIsRefused(name: String) throws {
        let whole = try MappedFile(path: path(name))
        // The end marker of a JPEG, two bytes, carries nothing.
        for length in stride(from: 0, to: whole.byteCount - 3, by: 7) {
            let cut = try folder.write(whole.copy(0..<length), "cut")
            expectSentence("cut") { _ = try ImageFile.read(path: cut) }
        }
    }

    @Test(arguments: ["rgb16.png", "palette.png", "scene.jpg", "scene_progressive.jpg"])
    func randomDamageNeverCrashes(name: String) throws {
        let whole = try MappedFile(path: path(name))
        var generator = RandomGenerator(seed: 3)
        for _ in 0..<150 {
            var bytes = whole.copy(0..<whole.byteCount)
            for _ in 0...generator.nextInt(below: 4) {
                bytes[generator.nextInt(below: bytes.count)] = UInt8(generator.nextInt(below: 256))
            }
            do {
                _ = try ImageFile.read(path: try folder.write(bytes, "damaged"))
            } catch is FileFormatError {}
        }
    }

    @Test func hugePicturesAreRefusedBeforeTheyAreUnpacked() throws {
        // A header that claims 100,000×100,000 pixels, with its right checksum.
        let header: [UInt8] =
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
            + Array("IHDR".utf8) + [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0, 8, 2, 0, 0, 0]
        var bytes = header
        let crc = Self.crc32(Array(header[12...]))
        bytes += withUnsafeBytes(of: crc.bigEndian) { Array($0) }
        bytes += [0, 0, 0, 0] + Array("IDAT".utf8) + [0x35, 0xAF, 0x06, 0x1E]
        let file = try folder.write(bytes, "huge.png")
        expectSentence("huge.png", "too large") { _ = try ImageFile.read(path: file) }
    }

    @Test func otherFilesAreNotPictures() throws {
        let file = try folder.write(Array("GIF89a".utf8), "a.png")
        expectSentence("a.png", "PNG or JPEG") { _ = try ImageFile.read(path: file) }
    }

    @Test(arguments: [13, 50]) func resizingAgreesWithPillow(side: Int) throws {
        let (image, fit) = try ImageFile.read(path: path("scene.png"), side: side)
        let expected = try PNG.read(path: path("scene_\(side).png"))
        #expect(largestDifference(image, expected) <= 1)
        #expect(fit.notice == "48×36 cropped to its middle 36×36, resized to \(side)×\(side)")
    }

    @Test func aPictureOfTheRightSizeIsLeftAlone() {
        let image = RGBImage(width: 28, height: 28, red: 9, green: 8, blue: 7)
        let fit = PictureFit(width: 28, height: 28, side: 28)
        #expect(fit.notice == nil && fit.apply(to: image) == image)
        let flat = PictureFit(width: 100, height: 3, side: 28)
            .apply(to: RGBImage(width: 100, height: 3, red: 200, green: 0, blue: 255))
        #expect(flat == RGBImage(width: 28, height: 28, red: 200, green: 0, blue: 255))
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
            }
        }
    }
}
