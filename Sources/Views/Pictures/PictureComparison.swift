// Two pictures in one: side by side, split, or their difference.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How two pictures of a size are compared.
nonisolated public enum PictureComparison: Sendable, Hashable {
    case before
    case after
    /// The first left, the second right, a gap between them.
    case sideBySide
    /// The first left of a share of the width, the second right of it; a line between them.
    case split(Double)
    /// How far apart the pixels are: black where equal, times a gain.
    case difference(gain: Int)

    /// The picture to show. Pictures of different sizes are shown as `sideBySide`.
    public func compose(_ before: RGBImage, _ after: RGBImage) -> RGBImage {
        let sameSize = before.width == after.width && before.height == after.height
        switch self {
        case .before: return before
        case .after: return after
        case .split(let share) where sameSize:
            var result = before
            let edge = max(0, min(before.width, Int((share * Double(before.width)).rounded())))
            for y in 0..<before.height {
                for x in edge..<before.width { result[x, y] = after[x, y] }
                if edge > 0, edge < before.width {
                    result[edge, y] = (red: 255, green: 255, blue: 255)
                }
            }
            return result
        case .difference(let gain) where sameSize:
            var result = before
            for i in result.pixels.indices {
                let distance = abs(Int(before.pixels[i]) - Int(after.pixels[i]))
                result.pixels[i] = UInt8(min(255, distance * max(1, gain)))
            }
            return result
        case .sideBySide, .split, .difference:
            let gap = max(2, (before.width + after.width) / 64)
            var result = RGBImage(
                width: before.width + gap + after.width, height: max(before.height, after.height))
            result.copy(before, x: 0, y: 0)
            result.copy(after, x: before.width + gap, y: 0)
            return result
        }
    }
}

nonisolated extension RGBImage {
    /// Copies another picture into this one; what does not fit is cut.
    mutating func copy(_ other: RGBImage, x: Int, y: Int) {
        let columns = min(other.width, width - x)
        let rows = min(other.height, height - y)
        guard x >= 0, y >= 0, columns > 0, rows > 0 else { return }
        for row in 0..<rows {
            let from = row * other.width * 3
            let to = ((y + row) * width + x) * 3
            pixels.replaceSubrange(
                to..<(to + 3 * columns), with: other.pixels[from..<(from + 3 * columns)])
        }
    }
}
