// Large counts as people read them. SPDX-License-Identifier: Apache-2.0

/// Counts of parameters in a few digits.
public enum CountText {
    /// `5637267` as `5.6 M`, `812` as `812`.
    public static func short(_ count: Int) -> String {
        func oneDigit(_ value: Double, _ unit: String) -> String {
            let tenths = Int((value * 10).rounded())
            return tenths % 10 == 0 || tenths >= 1000
                ? "\((tenths + 5) / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        switch abs(count) {
        case 0..<10_000: return "\(count)"
        case 10_000..<1_000_000: return oneDigit(Double(count) / 1e3, "k")
        case 1_000_000..<1_000_000_000: return oneDigit(Double(count) / 1e6, "M")
        default: return oneDigit(Double(count) / 1e9, "G")
        }
    }
}
