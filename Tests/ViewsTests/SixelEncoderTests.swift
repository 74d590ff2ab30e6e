// The sixel encoders against an independent decoder: fidelity, structure, tiles.
// SPDX-License-Identifier: Apache-2.0

import Core
import TestSupport
import Testing
import Views

@Suite("Sixel encoding")
struct SixelEncoderTests {
    static let qualities: [SixelEncoder.Quality] = [.ordered, .orderedHalf, .adaptive, .diffused]

    @Test("Live pictures keep 40 dB of the photo-like picture's 4×4 means")
    func liveFidelity() throws {
        let picture = photoLike(width: 256, height: 256)
        let decoded = try decodeSixel(SixelEncoder().encode(picture, quality: .ordered))
        let psnr = blockPSNR(picture, decoded.image)
        #expect(psnr >= 40, "\(psnr) dB")
    }

    @Test("A quarter of the pixels is as bright as all of them")
    func halfBrightness() throws {
        var error = 0
        for level in 0...255 {
            let value = UInt8(level)
            let picture = RGBImage(width: 4, height: 4, red: value, green: value, blue: value)
            let bytes = SixelEncoder().encode(picture, quality: .orderedHalf)
            let pixels = try decodeSixel(bytes).image.pixels
            let mean = pixels.reduce(0) { $0 + Int($1) } / pixels.count
            // Half of the widest step of a channel.
            #expect(abs(mean - level) <= 26, "\(mean) for \(level)")
            error += mean - level
        }
        #expect(abs(error) <= 2 * 256, "\(error)")
    }

    @Test("Diffused pictures keep 44 dB, from our encoder and from libsixel")
    func stillFidelity() throws {
        let picture = photoLike(width: 256, height: 256)
        let own = try decodeSixel(SixelEncoder().encode(picture, quality: .diffused)).image
        #expect(blockPSNR(picture, own) >= 44, "own: \(blockPSNR(picture, own)) dB")
        let libsixel = try decodeSixel(LibsixelEncoder.encode(picture)).image
        #expect(blockPSNR(picture, libsixel) >= 44, "libsixel: \(blockPSNR(picture, libsixel)) dB")
        // Each checks the other.
        #expect(blockPSNR(own, libsixel) >= 42, "\(blockPSNR(own, libsixel)) dB apart")
    }

    @Test(
        "Every pixel is set, bands and colours are counted right",
        arguments: [(1, 1), (5, 7), (9, 19), (90, 38), (250, 61)], [16, 64, 256])
    func structure(size: (Int, Int), registers: Int) throws {
        let picture = photoLike(width: size.0, height: size.1)
        let encoder = SixelEncoder()
        var streams = Self.qualities.map {
            encoder.encode(picture, quality: $0, registers: registers)
        }
        streams.append(LibsixelEncoder.encode(picture, registers: registers))
        for bytes in streams {
            let decoded = try decodeSixel(bytes)
            #expect(decoded.image.width == size.0 && decoded.image.height == size.1)
            #expect(decoded.unset == 0)
            #expect(decoded.bands == (size.1 + 5) / 6)
            #expect(decoded.defined == decoded.used)
            #expect(decoded.used.count <= registers)
            #expect((decoded.used.max() ?? 0) < registers)
            #expect(decoded.longestRun <= 9999)
            #expect(bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x1B })
        }
    }

    @Test("A flat picture is exact to the percent and short")
    func flat() throws {
        let picture = RGBImage(width: 300, height: 120, red: 200, green: 100, blue: 50)
        for quality in [SixelEncoder.Quality.adaptive, .diffused] {
            let bytes = SixelEncoder().encode(picture, quality: quality)
            #expect(bytes.count < 250)
            let image = try decodeSixel(bytes).image
            for (a, b) in zip(image.pixels, picture.pixels) {
                #expect(abs(Int(a) - Int(b)) <= 2)
                if abs(Int(a) - Int(b)) > 2 { return }
            }
        }
        let black = try decodeSixel(SixelEncoder().encode(RGBImage(width: 20, height: 20))).image
        #expect(black == RGBImage(width: 20, height: 20))
        let white = RGBImage(width: 20, height: 20, red: 255, green: 255, blue: 255)
        #expect(try decodeSixel(SixelEncoder().encode(white)).image == white)
    }

    @Test("Tiles are the same region of the whole picture")
    func tiles() throws {
        let picture = photoLike(width: 180, height: 114)
        let encoder = SixelEncoder()
        for (quality, parts) in [
            (SixelEncoder.Quality.ordered, [(0, 0, 9, 19), (27, 38, 45, 19), (171, 95, 9, 19)]),
            (.orderedHalf, [(0, 0, 20, 40), (40, 38, 50, 38)]),
        ] {
            let whole = try decodeSixel(encoder.encode(picture, quality: quality)).image
            for (x, y, width, height) in parts {
                let part = cropped(picture, x: x, y: y, width: width, height: height)
                let bytes = encoder.encode(part, x: x, y: y, quality: quality)
                let tile = try decodeSixel(bytes).image
                #expect(tile == cropped(whole, x: x, y: y, width: width, height: height))
            }
        }
    }

    @Test("The encoder's buffers are clean for the next picture, wider or narrower")
    func reuse() {
        let encoder = SixelEncoder()
        let small = photoLike(width: 40, height: 20, seed: 3)
        let large = photoLike(width: 200, height: 50, seed: 4)
        let fresh = SixelEncoder().encode(small)
        _ = encoder.encode(small)
        _ = encoder.encode(large, quality: .diffused)
        #expect(encoder.encode(small) == fresh)
    }

    @Test("libsixel leaves its input alone and gives the same bytes from many threads")
    func libsixelThreads() async {
        let pictures = (0..<4).map { photoLike(width: 64, height: 48, seed: UInt64($0)) }
        let expected = pictures.map { LibsixelEncoder.encode($0) }
        let results = await withTaskGroup(of: (Int, [UInt8]).self) { group in
            for round in 0..<24 {
                let picture = pictures[round % 4]
                group.addTask { (round % 4, LibsixelEncoder.encode(picture)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (i, bytes) in results { #expect(bytes == expected[i]) }
        #expect(pictures[0] == photoLike(width: 64, height: 48, seed: 0))
    }
}
