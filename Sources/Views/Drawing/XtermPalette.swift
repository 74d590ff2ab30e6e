// The 256 colours of xterm and the nearest of them. SPDX-License-Identifier: Apache-2.0

/// xterm's palette: 16 ANSI colours, a 6×6×6 cube, 24 greys.
nonisolated public enum XtermPalette {
    private static let ansi: [(UInt8, UInt8, UInt8)] = [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205),
        (0, 205, 205), (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
        (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]

    private static func level(_ step: Int) -> Int { step == 0 ? 0 : 55 + 40 * step }

    /// The colour of an index.
    public static func color(_ index: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let i = Int(index)
        if i < 16 { return ansi[i] }
        if i >= 232 {
            let grey = UInt8(8 + 10 * (i - 232))
            return (grey, grey, grey)
        }
        let cube = i - 16
        return (
            UInt8(level(cube / 36)), UInt8(level(cube / 6 % 6)), UInt8(level(cube % 6))
        )
    }

    /// The index of the nearest colour of the cube and the greys (16 to 255; the first 16 differ
    /// between terminals).
    public static func nearest(red: UInt8, green: UInt8, blue: UInt8) -> UInt8 {
        let (r, g, b) = (Int(red), Int(green), Int(blue))
        func step(_ value: Int) -> Int { value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40 }
        func distance(_ cr: Int, _ cg: Int, _ cb: Int) -> Int {
            2 * (cr - r) * (cr - r) + 4 * (cg - g) * (cg - g) + (cb - b) * (cb - b)
        }
        let (sr, sg, sb) = (step(r), step(g), step(b))
        let mean = (2 * r + 4 * g + b) / 7
        let greyStep = max(0, min(23, (mean - 3) / 10))
        let grey = 8 + 10 * greyStep
        if distance(grey, grey, grey) < distance(level(sr), level(sg), level(sb)) {
            return UInt8(232 + greyStep)
        }
        return UInt8(16 + 36 * sr + 6 * sg + sb)
    }
}
