// The colours of shades. SPDX-License-Identifier: Apache-2.0

/// A ramp that rises evenly in brightness from dark blue to yellow, readable without colour vision.
nonisolated public enum ColorRamp {
    private static let stops: [(r: Double, g: Double, b: Double)] = [
        (24, 32, 78), (44, 74, 122), (64, 114, 132), (92, 152, 122), (156, 184, 88), (244, 216, 84),
    ]

    /// The colour of a share from 0 to 1.
    public static func color(_ share: Double) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let position = max(0, min(1, share)) * Double(stops.count - 1)
        let low = min(stops.count - 2, Int(position))
        let t = position - Double(low)
        func mix(_ a: Double, _ b: Double) -> UInt8 { UInt8((a + t * (b - a)).rounded()) }
        let a = stops[low]
        let b = stops[low + 1]
        return (mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b))
    }

    /// That colour behind a text which can be read on it.
    public static func style(_ share: Double) -> Style {
        let c = color(share)
        let isBright = share > 0.55
        return Style(
            foreground: isBright ? .rgb(16, 16, 16) : .rgb(240, 240, 240),
            background: .rgb(c.red, c.green, c.blue))
    }
}
