// Colours as the terminal's palette has them.
// SPDX-License-Identifier: Apache-2.0

nonisolated extension Capabilities.ColorDepth {
    /// The number that curses knows a colour by; -1 for the terminal's own.
    func index(of color: Color) -> Int32 {
        if self == .none { return -1 }
        switch color {
        case .default: return -1
        case .ansi(let index):
            if index < 8 { return Int32(index) }
            switch self {
            case .none: return -1
            case .ansi8: return index < 16 ? Int32(index) - 8 : nearestANSI(Self.rgb(of: index), 8)
            case .ansi16: return index < 16 ? Int32(index) : nearestANSI(Self.rgb(of: index), 16)
            case .xterm256: return Int32(index)
            case .direct: return Self.direct(Self.rgb(of: index))
            }
        case .rgb(let r, let g, let b):
            let rgb = (Int(r), Int(g), Int(b))
            switch self {
            case .none: return -1
            case .ansi8: return nearestANSI(rgb, 8)
            case .ansi16: return nearestANSI(rgb, 16)
            case .xterm256: return Self.nearest256(rgb)
            case .direct: return Self.direct(rgb)
            }
        }
    }

    /// A colour as it will look after the terminal's palette has rounded it; `default` where only
    /// the terminal knows.
    func shown(_ color: Color) -> Color {
        let index = index(of: color)
        if index < 0 { return .default }
        if self == .direct, case .rgb = color { return color }
        guard let entry = UInt8(exactly: index) else { return color }
        let (r, g, b) = Self.rgb(of: entry)
        return .rgb(UInt8(r), UInt8(g), UInt8(b))
    }

    private typealias RGB = (Int, Int, Int)

    /// Values below 8 mean palette entries even on a direct-colour terminal.
    private static func direct(_ c: RGB) -> Int32 { Int32(max(8, c.0 << 16 | c.1 << 8 | c.2)) }

    private static let levels = [0, 95, 135, 175, 215, 255]

    private static func nearest256(_ c: RGB) -> Int32 {
        func step(_ v: Int) -> Int { v < 48 ? 0 : v < 115 ? 1 : min(5, (v - 35) / 40) }
        let (r, g, b) = (step(c.0), step(c.1), step(c.2))
        let cube = (levels[r], levels[g], levels[b])
        let grey = max(0, min(23, ((c.0 + c.1 + c.2) / 3 - 3) / 10))
        let level = 8 + 10 * grey
        return distance(c, (level, level, level)) < distance(c, cube)
            ? Int32(232 + grey) : Int32(16 + 36 * r + 6 * g + b)
    }

    private func nearestANSI(_ c: RGB, _ count: Int) -> Int32 {
        var best = 0
        for i in 1..<count
        where Self.distance(c, Self.ansi[i]) < Self.distance(c, Self.ansi[best]) { best = i }
        return Int32(best)
    }

    private static func distance(_ a: RGB, _ b: RGB) -> Int {
        let (r, g, b) = (a.0 - b.0, a.1 - b.1, a.2 - b.2)
        return 2 * r * r + 4 * g * g + b * b
    }

    /// The colours of a stock xterm's palette.
    private static func rgb(of index: UInt8) -> RGB {
        let i = Int(index)
        if i < 16 { return ansi[i] }
        if i >= 232 { return (8 + 10 * (i - 232), 8 + 10 * (i - 232), 8 + 10 * (i - 232)) }
        let c = i - 16
        return (levels[c / 36], levels[c / 6 % 6], levels[c % 6])
    }

    private static let ansi: [RGB] = [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205),
        (0, 205, 205), (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0),
        (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]
}
