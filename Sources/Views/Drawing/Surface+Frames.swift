// The shared borders of neighbouring panes, with the right junctions.
// SPDX-License-Identifier: Apache-2.0

nonisolated extension Surface {
    /// Draws overlapping frames so that lines join; the focused one in its own style, on top.
    public mutating func frames(
        _ frames: [Rect], focused: Rect? = nil, ascii: Bool = false, style: Style = .plain,
        focusStyle: Style = .plain
    ) {
        var links: [Point: UInt8] = [:]
        for frame in frames where frame.width >= 2 && frame.height >= 2 {
            let right = frame.maxX - 1
            let bottom = frame.maxY - 1
            for x in frame.x...right {
                let sides: UInt8 = (x > frame.x ? Self.west : 0) | (x < right ? Self.east : 0)
                links[Point(x: x, y: frame.y), default: 0] |= sides
                links[Point(x: x, y: bottom), default: 0] |= sides
            }
            for y in frame.y...bottom {
                let sides: UInt8 = (y > frame.y ? Self.north : 0) | (y < bottom ? Self.south : 0)
                links[Point(x: frame.x, y: y), default: 0] |= sides
                links[Point(x: right, y: y), default: 0] |= sides
            }
        }
        for (point, sides) in links {
            let isFocused = focused.map { $0.contains(point) && !$0.inset().contains(point) }
            put(
                Self.junction(sides, ascii: ascii), x: point.x, y: point.y,
                style: isFocused == true ? focusStyle : style)
        }
    }

    private static let north: UInt8 = 1
    private static let east: UInt8 = 2
    private static let south: UInt8 = 4
    private static let west: UInt8 = 8

    private static func junction(_ sides: UInt8, ascii: Bool) -> Character {
        let box: [Character] = [
            " ", "│", "─", "└", "│", "│", "┌", "├", "─", "┘", "─", "┴", "┐", "┤", "┬", "┼",
        ]
        if ascii { return sides & 5 == 0 ? "-" : sides & 10 == 0 ? "|" : "+" }
        return box[Int(sides & 15)]
    }
}
