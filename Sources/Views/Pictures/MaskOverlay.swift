// A painted mask and outlines, blended into the pixels before they are encoded.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A mask shown over a picture: half tinted, hatched for those who can't tell the tint, edged.
nonisolated public struct MaskOverlay: Sendable, Equatable {
    public var mask: PixelMask
    public var tint: Color
    public var edge: Color

    public init(
        _ mask: PixelMask, tint: Color = .rgb(255, 90, 160), edge: Color = .rgb(255, 255, 255)
    ) {
        self.mask = mask
        self.tint = tint
        self.edge = edge
    }

    /// Distance of the hatch lines in pixels of the screen.
    static let hatchPeriod = 8

    /// Blends into the part of a fitted picture; depends on absolute positions only.
    func blend(
        into result: inout RGBImage, part: PixelRect, seen: PixelRect, geometry: PictureGeometry,
        hatch: Bool
    ) {
        let color = tint.components ?? (red: 255, green: 90, blue: 160)
        let line = edge.components ?? (red: 255, green: 255, blue: 255)
        let fit = geometry.fit
        let source = geometry.source
        // Source column of every output column, one to the left of the region included.
        func sourceColumn(_ x: Int) -> Int {
            source.x + max(0, min(fit.width - 1, x - fit.x)) * source.width / fit.width
        }
        let columns = (seen.x - 1..<seen.maxX).map(sourceColumn)
        let stride = result.width * 3
        // Edges need two pixels of screen for a pixel of the mask, or they cover thin strokes.
        let hasEdge = hatch && fit.width >= 2 * source.width
        // Bounds: columns and rows map into `source`, which lies inside of the mask.
        mask.repaint.withUnsafeBufferPointer { repaint in
            result.pixels.withUnsafeMutableBufferPointer { output in
                for y in seen.y..<seen.maxY {
                    let row = (source.y + (y - fit.y) * source.height / fit.height) * mask.width
                    let above =
                        (source.y + max(0, y - 1 - fit.y) * source.height / fit.height) * mask.width
                    var to = (y - part.y) * stride + (seen.x - part.x) * 3
                    for i in 1..<columns.count {
                        let inside = repaint[row + columns[i]]
                        let isEdge =
                            hasEdge
                            && (inside != repaint[row + columns[i - 1]]
                                || inside != repaint[above + columns[i]])
                        if isEdge {
                            output[to] = line.red
                            output[to + 1] = line.green
                            output[to + 2] = line.blue
                        } else if inside {
                            let x = seen.x + i - 1
                            let isHatch = hatch && (x + y) % MaskOverlay.hatchPeriod < 2
                            output[to] = mix(output[to], color.red, isHatch)
                            output[to + 1] = mix(output[to + 1], color.green, isHatch)
                            output[to + 2] = mix(output[to + 2], color.blue, isHatch)
                        }
                        to += 3
                    }
                }
            }
        }
    }

    /// Half of each; on a hatch line an eighth of the picture is left.
    @inline(__always)
    private func mix(_ pixel: UInt8, _ tint: UInt8, _ isHatch: Bool) -> UInt8 {
        isHatch
            ? UInt8((UInt16(pixel) + 7 * UInt16(tint)) / 8)
            : UInt8((UInt16(pixel) + UInt16(tint)) / 2)
    }
}

nonisolated extension PictureContent.Outline {
    /// The source pixels that the outline can touch.
    func bounds(thickness: Int = 1) -> PixelRect {
        switch self {
        case .rectangle(let rect):
            return PixelRect(
                x: rect.x - thickness, y: rect.y - thickness, width: rect.width + 2 * thickness,
                height: rect.height + 2 * thickness)
        case .circle(let x, let y, let radius):
            let reach = Int(radius.rounded(.up)) + thickness + 1
            return PixelRect(
                x: Int(x) - reach, y: Int(y) - reach, width: 2 * reach + 1, height: 2 * reach + 1)
        }
    }

    func draw(
        into result: inout RGBImage, part: PixelRect, seen: PixelRect, geometry: PictureGeometry
    ) {
        let fit = geometry.fit
        let source = geometry.source
        let scaleX = Double(fit.width) / Double(source.width)
        let scaleY = Double(fit.height) / Double(source.height)
        func invert(_ x: Int, _ y: Int) {
            guard x >= seen.x, x < seen.maxX, y >= seen.y, y < seen.maxY else { return }
            let old = result[x - part.x, y - part.y]
            // Mid grey has no inverse that differs: go to black or white by brightness.
            let bright = 299 * Int(old.red) + 587 * Int(old.green) + 114 * Int(old.blue) > 127_500
            let new: UInt8 = bright ? 0 : 255
            result[x - part.x, y - part.y] = (red: new, green: new, blue: new)
        }
        switch self {
        case .rectangle(let rect):
            let left = fit.x + Int(Double(rect.x - source.x) * scaleX)
            let top = fit.y + Int(Double(rect.y - source.y) * scaleY)
            let right = fit.x + Int(Double(rect.maxX - source.x) * scaleX) - 1
            let bottom = fit.y + Int(Double(rect.maxY - source.y) * scaleY) - 1
            guard right >= left, bottom >= top else { return }
            let fromX = max(left, seen.x)
            let toX = min(right, seen.maxX - 1)
            if fromX <= toX {
                for x in fromX...toX {
                    invert(x, top)
                    if bottom != top { invert(x, bottom) }
                }
            }
            let fromY = max(top + 1, seen.y)
            let toY = min(bottom - 1, seen.maxY - 1)
            if fromY <= toY {
                for y in fromY...toY {
                    invert(left, y)
                    if right != left { invert(right, y) }
                }
            }
        case .circle(let x, let y, let radius):
            let centerX = Double(fit.x) + (x + 0.5 - Double(source.x)) * scaleX
            let centerY = Double(fit.y) + (y + 0.5 - Double(source.y)) * scaleY
            let r = max(1.5, radius * scaleX)
            let fromY = max(seen.y, Int(centerY - r - 1))
            let toY = min(seen.maxY - 1, Int(centerY + r + 1))
            let fromX = max(seen.x, Int(centerX - r - 1))
            let toX = min(seen.maxX - 1, Int(centerX + r + 1))
            guard fromX <= toX, fromY <= toY else { return }
            for py in fromY...toY {
                for px in fromX...toX {
                    let dx = Double(px) + 0.5 - centerX
                    let dy = Double(py) + 0.5 - centerY
                    let distance = (dx * dx + dy * dy).squareRoot()
                    if abs(distance - r) < 0.6 { invert(px, py) }
                }
            }
        }
    }
}
