// What is shown as a picture: pixels, a mask over them, outlines, and the part that is seen.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A rectangle of pixels; never has a negative size.
nonisolated public struct PixelRect: Sendable, Hashable {
    public var x: Int
    public var y: Int
    public private(set) var width: Int
    public private(set) var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = max(0, width)
        self.height = max(0, height)
    }

    public init(size: PixelSize) {
        self.init(x: 0, y: 0, width: size.width, height: size.height)
    }

    public var maxX: Int { x + width }
    public var maxY: Int { y + height }
    public var isEmpty: Bool { width == 0 || height == 0 }

    public func intersection(_ other: PixelRect) -> PixelRect {
        let left = max(x, other.x)
        let top = max(y, other.y)
        return PixelRect(
            x: left, y: top, width: min(maxX, other.maxX) - left,
            height: min(maxY, other.maxY) - top)
    }
}

/// An immutable snapshot of everything that determines a picture's pixels on the screen.
nonisolated public struct PictureContent: Sendable, Equatable {
    /// How a picture is going to change: live ones are encoded fast, still ones well.
    public enum Kind: Sendable, Hashable {
        case live, still
    }

    /// A thin line around something, black or white, whichever differs more from what is below.
    public enum Outline: Sendable, Hashable {
        /// Around a rectangle of source pixels.
        case rectangle(PixelRect)
        /// Around a disc in source pixels, centre and radius.
        case circle(x: Double, y: Double, radius: Double)
    }

    public var image: RGBImage
    public var kind: Kind
    /// The mask painted over the picture; must have the picture's size to be shown.
    public var overlay: MaskOverlay?
    /// Brush, selection, box being dragged.
    public var outlines: [Outline]
    /// The part of the picture that is seen (zoom and pan); nil shows all of it.
    public var source: PixelRect?
    /// What fills the rectangle around the picture.
    public var background: Color

    public init(
        _ image: RGBImage, kind: Kind = .still, overlay: MaskOverlay? = nil,
        outlines: [Outline] = [], source: PixelRect? = nil, background: Color = .rgb(0, 0, 0)
    ) {
        self.image = image
        self.kind = kind
        self.overlay = overlay
        self.outlines = outlines
        self.source = source
        self.background = background
    }

    /// The part seen, never empty and never outside of the picture.
    var visible: PixelRect {
        let all = PixelRect(x: 0, y: 0, width: image.width, height: image.height)
        guard let part = source?.intersection(all), !part.isEmpty else { return all }
        return part
    }

    /// Where the picture stands when shown in so many pixels; maps mouse positions to pixels.
    public func geometry(in target: PixelSize) -> PictureGeometry {
        PictureGeometry(source: visible, target: target)
    }
}
