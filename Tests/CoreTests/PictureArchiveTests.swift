// Picture archives with their tables, augmentation, and batches made ahead.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct PictureArchiveTests {
    private let folder: TemporaryFolder
    private let jpeg: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        let file = try MappedFile(path: Fixture.path("pictures/scene.jpg"))
        jpeg = file.copy(0..<file.byteCount)
    }

    private func pack(_ files: [(String, [UInt8])], table: String) throws -> (String, String) {
        var tar: [UInt8] = []
        for (name, data) in files { tar += TarBuilder.entry(name, data) }
        return (
            try folder.write(tar + [UInt8](repeating: 0, count: 1024), "things.tar"),
            try folder.write(Array(table.utf8), "things.tsv")
        )
    }

    private static let header = "file\tclass\tclass_name\tmodel\tsplit\n"

    @Test func partsAreDecodedInTheTablesOrder() throws {
        let (archive, index) = try pack(
            [("a.jpg", jpeg), ("b.jpg", jpeg), ("c.jpg", jpeg)],
            table: Self.header
                + "c.jpg\t1\tlamp\t4\ttrain\na.jpg\t0\tsofa\t7\tval\nb.jpg\t0\tsofa\t7\ttrain\n")
        let parts = try PictureArchive.read(
            archive: archive, index: index, parting: .splits(["train", "val"]))
        #expect(parts[0].rows.map(\.file) == ["c.jpg", "b.jpg"])
        #expect(parts[0].classes == ["sofa", "lamp"])
        #expect((0..<2).map { parts[0].label(at: $0) } == [1, 0])
        #expect(parts[1].rows[0].model == "0/7")
        #expect(parts[1].image(at: 0) == (try JPEG.read(path: Fixture.path("pictures/scene.jpg"))))
        let found = try PictureArchive.locate(name: "things", in: ["/nowhere", folder.path])
        #expect(found.archive == archive && found.index == index)
    }

    @Test func modelsAreHeldOutWhole() throws {
        let (archive, index) = try pack(
            ["a", "b", "c", "d", "e"].map { ("\($0).jpg", jpeg) },
            table: Self.header
                + "a.jpg\t0\tsofa\t0\ttrain\nb.jpg\t0\tsofa\t1\tval\nc.jpg\t0\tsofa\t1\ttrain\n"
                + "d.jpg\t1\tlamp\t0\ttrain\ne.jpg\t1\tlamp\t1\ttrain\n")
        let parts = try PictureArchive.read(
            archive: archive, index: index, parting: .models(every: 2))
        #expect(
            parts.map { $0.rows.map(\.file) } == [
                ["a.jpg", "d.jpg"], ["b.jpg", "c.jpg", "e.jpg"],
            ])
        expectSentence("too few to hold out every 9th") {
            _ = try PictureArchive.read(
                archive: archive, index: index, parting: .models(every: 9))
        }
    }

    @Test func whatDoesNotFitIsSaid() throws {
        func refuse(
            _ files: [(String, [UInt8])], _ table: String,
            parting: PictureIndex.Parting = .splits(["train"]),
            _ words: String
        ) throws {
            let (archive, index) = try pack(files, table: table)
            expectSentence("things", words) {
                _ = try PictureArchive.read(archive: archive, index: index, parting: parting)
            }
        }
        let good = Self.header + "a.jpg\t0\tsofa\t0\ttrain\n"
        try refuse([("a.jpg", jpeg)], "file\tclass\nx\t0\n", "no column \"class_name\"")
        try refuse([("b.jpg", jpeg)], good, "a.jpg is missing")
        try refuse([("a.jpg", jpeg)], good, parting: .splits(["test"]), "found: train")
        try refuse([("a.jpg", Array(jpeg.prefix(500)))], good, "a.jpg")
        try refuse([("a.jpg", Array("no picture".utf8))], good, "a JPEG picture")
        try refuse([("a.jpg", jpeg)], Self.header + "a.jpg\tx\tsofa\t0\ttrain\n", "no label")
        try refuse([("a.jpg", jpeg)], Self.header + "a.jpg\t0\tsofa\n", "3 columns instead of 5")
        try refuse([("a.jpg", jpeg)], Self.header + "a.jpg\t1\tsofa\t0\ttrain\n", "class 0")
        try refuse([("a.jpg", jpeg)], Self.header, "no rows")
        try refuse(
            [("a.jpg", jpeg)], good + "b.jpg\t0\tlamp\t0\tval\n", "\"lamp\" here and \"sofa\"")
        expectSentence("NAME.tsv") {
            _ = try PictureArchive.locate(in: ["/nowhere"])
        }
    }

    // MARK: Augmentation

    @Test func anEmptyAugmentationIsTheModelsRange() throws {
        let set = Scenes(count: 3)
        let plain = try set.batch([2, 0])
        let same = try set.batch([2, 0], augmentation: .none, generator: RandomGenerator(seed: 1))
        #expect(plain.images.floats() == same.images.floats())
        #expect(plain.labels.int32s() == same.labels.int32s())
    }

    @Test func everyPixelOfAShiftedMirroredPictureComesFromItsPlace() throws {
        let set = Scenes(count: 40)
        let augmentation = PictureAugmentation(flips: true, unflippedLabels: [1], shift: 3)
        let generator = RandomGenerator(seed: 5)
        let images = try set.batch(
            Array(0..<40), augmentation: augmentation, generator: generator
        ).images.floats()
        // An oracle: some flip and shift must explain every picture, and labels 1 are not mirrored.
        var mirrored = 0
        for index in 0..<40 {
            let picture = set.picture(index)
            let found = Array(images[(index * 3 * 80)..<((index + 1) * 3 * 80)])
            let fits = [false, true].flatMap { flip in
                (-3...3).flatMap { dy in (-3...3).map { dx in (flip, dx, dy) } }
            }.filter { flip, dx, dy in
                (0..<8).allSatisfy { y in
                    (0..<10).allSatisfy { x in
                        let sx = min(max(x - dx, 0), 9)
                        let pixel = picture[flip ? 9 - sx : sx, min(max(y - dy, 0), 7)]
                        return found[y * 10 + x] == Float(pixel.red) * (2 / 255) - 1
                            && found[80 + y * 10 + x] == Float(pixel.green) * (2 / 255) - 1
                    }
                }
            }
            #expect(fits.count == 1, "picture \(index)")
            if fits.first?.0 == true { mirrored += 1 }
            if set.label(at: index) == 1 { #expect(fits.first?.0 == false) }
        }
        #expect(mirrored > 5)
    }

    @Test func hueKeepsGreyAndBrightnessItsRange() throws {
        let grey = Scenes(count: 30, isGrey: true)
        let turned = try grey.batch(
            Array(0..<30), augmentation: PictureAugmentation(hue: 40),
            generator: RandomGenerator(seed: 2))
        let plain = try grey.batch(Array(0..<30))
        for (a, b) in zip(turned.images.floats(), plain.images.floats()) {
            #expect(abs(a - b) < 1e-5)
        }
        let colour = Scenes(count: 30)
        let brighter = try colour.batch(
            Array(0..<30), augmentation: PictureAugmentation(brightness: 0.1),
            generator: RandomGenerator(seed: 2)
        ).images.floats()
        let base = try colour.batch(Array(0..<30)).images.floats()
        for i in 0..<30 {
            let gains = (0..<240).map { j in
                (brighter[240 * i + j] + 1) / (base[240 * i + j] + 1)
            }
            let gain = gains.filter { $0.isFinite }.min() ?? 1
            #expect(gain > 0.899 && gain < 1.101)
        }
    }

    // MARK: Batches made ahead

    @Test func batchesDoNotDependOnHowFarAheadTheyAreMade() throws {
        let set = Scenes(count: 12)
        let augmentation = PictureAugmentation(flips: true, shift: 2, hue: 10, brightness: 0.1)
        func all(ahead: Int, from first: Int) throws -> [[Float]] {
            let loader = BatchLoader(set, augmentation: augmentation, seed: 3, ahead: ahead) {
                [$0 % 12, (5 * $0 + 1) % 12]
            }
            return try (first..<9).map { try loader.batch(step: $0).images.floats() }
        }
        let direct = try all(ahead: 0, from: 0)
        #expect(try all(ahead: 5, from: 0) == direct)
        #expect(try all(ahead: 2, from: 4) == Array(direct[4...]))
    }

    @Test func anErrorComesAtItsOwnStep() throws {
        let loader = BatchLoader(Scenes(count: 4, bad: 3), ahead: 3) { [$0] }
        for step in 0..<3 { #expect(try loader.batch(step: step).indices == [step]) }
        #expect(throws: FileFormatError.notFound(path: "bad")) { try loader.batch(step: 3) }
    }
}

/// Small pictures of noise.
private struct Scenes: Dataset {
    let name = "scenes"
    let classes = ["a", "b"]
    let count: Int
    var isGrey = false
    var bad: Int?

    func label(at index: Int) -> Int { index % 2 }

    func image(at index: Int) throws -> RGBImage {
        if index == bad { throw FileFormatError.notFound(path: "bad") }
        return picture(index)
    }

    func picture(_ index: Int) -> RGBImage {
        var generator = RandomGenerator(seed: 9, stream: UInt64(index))
        var pixels: [UInt8] = []
        for _ in 0..<80 {
            let level = UInt8(20 + generator.nextInt(below: 200))
            pixels.append(level)
            for _ in 0..<2 {
                pixels.append(isGrey ? level : UInt8(20 + generator.nextInt(below: 200)))
            }
        }
        return RGBImage(width: 10, height: 8, pixels: pixels)
    }
}
