// libsixel for still pictures: adaptive palette with Floyd–Steinberg.
// SPDX-License-Identifier: Apache-2.0
import CSixel
import Core
import Glibc
import Synchronization

/// Quantises with libsixel, one picture at a time.
///
/// libsixel chooses the palette and diffuses; its stream is read back as indices and written by
/// our own writer, so that tiles of the same picture can be cut from it and the stream keeps the
/// rules of our pictures (explicit pixels, only used colours, no trailing band).
nonisolated public enum LibsixelEncoder {
    /// libsixel sorts palettes with a global variable: one thread at a time.
    private static let lock = Mutex(())

    /// The version of the library, for the report of `doctor`.
    public static var version: String { LIBSIXEL_VERSION }

    /// Encodes a whole picture. Where libsixel refuses (a picture of one pixel, no memory), our own
    /// encoder steps in.
    public static func encode(_ image: RGBImage, registers: Int = 256) -> [UInt8] {
        let colors = min(256, registers)
        let picture =
            quantized(image, registers: colors) ?? ErrorDiffusion.indexed(image, colors: colors)
        return SixelEncoder().encode(picture)
    }

    /// The picture as libsixel maps it to a palette; nil if it refuses.
    static func quantized(_ image: RGBImage, registers: Int) -> IndexedPicture? {
        guard let stream = lock.withLock({ _ in stream(image, registers: registers) }) else {
            return nil
        }
        return lock.withLock { _ in indices(stream, width: image.width, height: image.height) }
    }

    /// Collects the 16 KiB pieces of libsixel's output.
    private final class Collector {
        var bytes: [UInt8] = []
    }

    private static func stream(_ image: RGBImage, registers: Int) -> [UInt8]? {
        let width = Int32(image.width)
        let height = Int32(image.height)
        var dither: OpaquePointer?
        guard sixel_dither_new(&dither, Int32(max(2, min(256, registers))), nil) == SIXEL_OK else {
            return nil
        }
        defer { sixel_dither_unref(dither) }
        // A copy: diffusion writes into the pixels it is given.
        var pixels = image.pixels
        let collector = Collector()
        let isDone = pixels.withUnsafeMutableBufferPointer { buffer -> Bool in
            guard
                sixel_dither_initialize(
                    dither, buffer.baseAddress, width, height,
                    SIXEL_PIXELFORMAT_RGB888, SIXEL_LARGE_AUTO, SIXEL_REP_AUTO, SIXEL_QUALITY_HIGH)
                    == SIXEL_OK
            else { return false }
            // Colours that the terminal can show exactly: the diffusion then knows the true error.
            if let palette = sixel_dither_get_palette(dither) {
                // Bounds: the palette has three bytes for each of its colours.
                for i in 0..<(3 * Int(sixel_dither_get_num_of_palette_colors(dither))) {
                    palette[i] = Palette.representable(Int(palette[i]))
                }
            }
            sixel_dither_set_diffusion_type(dither, SIXEL_DIFFUSE_FS)
            var output: OpaquePointer?
            let context = Unmanaged.passUnretained(collector).toOpaque()
            let status = sixel_output_new(
                &output,
                { data, size, context in
                    guard let data, let context, size > 0 else { return 0 }
                    let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
                    data.withMemoryRebound(to: UInt8.self, capacity: Int(size)) {
                        collector.bytes.append(
                            contentsOf: UnsafeBufferPointer(start: $0, count: Int(size)))
                    }
                    return size
                }, context, nil)
            guard status == SIXEL_OK else { return false }
            defer { sixel_output_unref(output) }
            return sixel_encode(buffer.baseAddress, width, height, 3, dither, output) == SIXEL_OK
        }
        return isDone ? collector.bytes : nil
    }

    private static func indices(_ stream: [UInt8], width: Int, height: Int) -> IndexedPicture? {
        var bytes = stream
        var pixels: UnsafeMutablePointer<UInt8>?
        var palette: UnsafeMutablePointer<UInt8>?
        var decodedWidth: Int32 = 0
        var decodedHeight: Int32 = 0
        var count: Int32 = 0
        let status = bytes.withUnsafeMutableBufferPointer {
            sixel_decode_raw(
                $0.baseAddress, Int32($0.count), &pixels, &decodedWidth, &decodedHeight, &palette,
                &count, nil)
        }
        defer {
            free(pixels)
            free(palette)
        }
        // The last band may be read as six full rows: at least the picture's size is enough.
        guard status == SIXEL_OK, let pixels, let palette, count > 0, count <= 256,
            decodedWidth >= width, decodedHeight >= height
        else { return nil }
        var indices = [UInt8]()
        indices.reserveCapacity(width * height)
        for y in 0..<height {
            indices.append(
                contentsOf: UnsafeBufferPointer(start: pixels + y * Int(decodedWidth), count: width)
            )
        }
        let colors = (0..<Int(count)).map {
            (Int(palette[3 * $0]), Int(palette[3 * $0 + 1]), Int(palette[3 * $0 + 2]))
        }
        guard (indices.max() ?? 0) < count else { return nil }
        return IndexedPicture(
            width: width, height: height, indices: indices, palette: Palette(colors))
    }
}
