// Opens a picture of any accepted kind, told by its first bytes.
// SPDX-License-Identifier: Apache-2.0

/// Reading a user's own pictures and masks.
public enum ImageFile {
    /// Reads a PNG or JPEG file, whatever its name.
    ///
    /// - Throws: ``FileFormatError``.
    public static func read(path: String) throws -> RGBImage {
        let file = try MappedFile(filledPath: path)
        return try withExtendedLifetime(file) {
            if file.bytes.starts(with: PNG.signature) {
                return try PNG.decode(file.bytes, path: path)
            }
            if file.bytes.starts(with: JPEG.signature) {
                return try JPEG.decode(file.bytes, path: path)
            }
            throw FileFormatError.notRecognised(path: path, expected: "a picture (PNG or JPEG)")
        }
    }

    /// Reads a picture and fits it to a model's square size; the fit says what was done.
    ///
    /// - Throws: ``FileFormatError``.
    public static func read(path: String, side: Int) throws -> (image: RGBImage, fit: PictureFit) {
        let image = try read(path: path)
        let fit = PictureFit(width: image.width, height: image.height, side: side)
        return (fit.apply(to: image), fit)
    }

    /// Reads a mask: white (128 or brighter) is repainted, black is kept, transparent is white.
    ///
    /// - Throws: ``FileFormatError``.
    public static func readMask(path: String) throws -> PixelMask {
        let image = try read(path: path)
        var mask = PixelMask(width: image.width, height: image.height)
        for i in mask.repaint.indices {
            let r = 299 * Int(image.pixels[3 * i])
            let g = 587 * Int(image.pixels[3 * i + 1])
            let b = 114 * Int(image.pixels[3 * i + 2])
            mask.repaint[i] = r + g + b >= 128_000
        }
        return mask
    }

    /// Writes a mask as a grey PNG, white where it is repainted.
    ///
    /// - Throws: ``FileFormatError``.
    public static func writeMask(_ mask: PixelMask, to path: String) throws {
        let pixels = mask.repaint.map { $0 ? UInt8.max : 0 }
        try AtomicWrite.write(
            PNG.encodeGrey(pixels, width: mask.width, height: mask.height), to: path)
    }
}

/// How a picture is brought to a model's square size: its middle square, resized.
public struct PictureFit: Sendable, Equatable {
    public let originalWidth: Int
    public let originalHeight: Int
    /// The model's side in pixels.
    public let side: Int

    /// - Precondition: all at least 1.
    public init(width: Int, height: Int, side: Int) {
        precondition(width > 0 && height > 0 && side > 0, "\(width)×\(height) to \(side)")
        originalWidth = width
        originalHeight = height
        self.side = side
    }

    /// Side of the square that is kept of the original.
    public var cropSide: Int { min(originalWidth, originalHeight) }
    /// Whether parts of the original are cut away.
    public var isCropped: Bool { originalWidth != originalHeight }
    /// Whether the kept square is resized.
    public var isResized: Bool { cropSide != side }

    /// What was done in one line, nil when nothing was.
    public var notice: String? {
        var parts: [String] = []
        if isCropped { parts.append("cropped to its middle \(cropSide)×\(cropSide)") }
        if isResized { parts.append("resized to \(side)×\(side)") }
        if parts.isEmpty { return nil }
        return "\(originalWidth)×\(originalHeight) " + parts.joined(separator: ", ")
    }

    /// Applies the fit.
    ///
    /// - Precondition: the picture has the original's size.
    public func apply(to image: RGBImage) -> RGBImage {
        precondition(
            image.width == originalWidth && image.height == originalHeight,
            "a fit of \(originalWidth)×\(originalHeight) used on \(image.width)×\(image.height)")
        var result = image
        if isCropped {
            result = result.cropped(
                x: (originalWidth - cropSide) / 2, y: (originalHeight - cropSide) / 2,
                width: cropSide, height: cropSide)
        }
        return isResized ? result.resized(width: side, height: side) : result
    }
}
