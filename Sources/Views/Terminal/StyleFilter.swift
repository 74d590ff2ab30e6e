// Drops colour commands that change nothing from a frame's bytes. SPDX-License-Identifier: Apache-2.0

/// Curses sets both colours of a pair at every change; most of the time one of them stands already.
nonisolated enum StyleFilter {
    /// The same frame with fewer bytes. Colours count as unknown at its beginning.
    static func compact(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var foreground: ArraySlice<UInt8>?
        var background: ArraySlice<UInt8>?
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x1B, index + 1 < bytes.count, bytes[index + 1] == 0x5B else {
                result.append(bytes[index])
                index += 1
                continue
            }
            var end = index + 2
            while end < bytes.count, !(0x40...0x7E).contains(bytes[end]) { end += 1 }
            guard end < bytes.count else {
                result += bytes[index...]
                break
            }
            defer { index = end + 1 }
            let body = bytes[(index + 2)..<end]
            if bytes[end] == UInt8(ascii: "m") {
                switch kind(body) {
                case .foreground:
                    if foreground == body { continue }
                    foreground = body
                case .background:
                    if background == body { continue }
                    background = body
                case .attribute: break
                case .other:
                    foreground = nil
                    background = nil
                }
            }
            result += bytes[index...end]
        }
        return result
    }

    private enum Kind { case foreground, background, attribute, other }

    /// One colour, one attribute, or anything else (a reset among them).
    private static func kind(_ body: ArraySlice<UInt8>) -> Kind {
        let numbers = body.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard let first = numbers.first.flatMap({ Int(String(decoding: $0, as: UTF8.self)) }) else {
            return .other
        }
        // 38;5;n and 38;2;r;g;b are one colour; anything longer is not taken apart.
        let length = numbers.count > 1 && numbers[1].elementsEqual("2".utf8) ? 5 : 3
        switch first {
        case 38 where numbers.count == length: return .foreground
        case 48 where numbers.count == length: return .background
        case 30...37 where numbers.count == 1, 90...97 where numbers.count == 1: return .foreground
        case 40...47 where numbers.count == 1, 100...107 where numbers.count == 1:
            return .background
        case 1...9 where numbers.count == 1: return .attribute
        default: return .other
        }
    }
}
