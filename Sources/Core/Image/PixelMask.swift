// The painted mask of an edit. SPDX-License-Identifier: Apache-2.0

/// Which pixels of a picture are to be repainted.
public struct PixelMask: Sendable, Equatable {
    /// Width in pixels, that of the picture.
    public let width: Int
    /// Height in pixels, that of the picture.
    public let height: Int
    /// `width · height` entries, row by row; `true` = repaint, `false` = keep.
    public var repaint: [Bool]

    /// Creates a mask with every pixel kept (or every pixel repainted).
    public init(width: Int, height: Int, filledWith value: Bool = false) {
        precondition(width > 0 && height > 0, "PixelMask: \(width)×\(height) has no pixels")
        self.width = width
        self.height = height
        self.repaint = [Bool](repeating: value, count: width * height)
    }

    /// Whether the pixel in column `x`, row `y` is to be repainted.
    public subscript(x: Int, y: Int) -> Bool {
        get { repaint[y * width + x] }
        set { repaint[y * width + x] = newValue }
    }

    /// The share of pixels to be repainted, 0…1.
    public var coverage: Double {
        Double(repaint.lazy.filter { $0 }.count) / Double(repaint.count)
    }

    /// The mask with kept and repainted pixels exchanged.
    public func inverted() -> PixelMask {
        var other = self
        for i in other.repaint.indices { other.repaint[i].toggle() }
        return other
    }
}
