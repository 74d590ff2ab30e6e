// One complete `CSI` sequence and what it can mean.
// SPDX-License-Identifier: Apache-2.0

/// `CSI`, an optional private mark, numbers, intermediates and a final byte.
nonisolated struct ControlSequence: Sendable {
    /// `<`, `=`, `>` or `?`; 0 for none.
    let mark: UInt8
    /// First numbers of every parameter; -1 for an empty one.
    let numbers: [Int]
    /// Second numbers (after a colon) of every parameter; -1 for none.
    let details: [Int]
    let intermediates: [UInt8]
    let final: UInt8

    init(parameters: [UInt8], final: UInt8) {
        var rest = parameters[...]
        if let first = rest.first, (0x3C...0x3F).contains(first) {
            mark = first
            rest = rest.dropFirst()
        } else {
            mark = 0
        }
        let digits = rest.prefix { (0x30...0x3B).contains($0) }
        intermediates = Array(rest.dropFirst(digits.count))
        self.final = final
        var numbers: [Int] = []
        var details: [Int] = []
        if !digits.isEmpty {
            for parameter in digits.split(separator: 0x3B, omittingEmptySubsequences: false) {
                let parts = parameter.split(separator: 0x3A, omittingEmptySubsequences: false)
                let values = parts.map { Self.number($0) }
                numbers.append(values.first ?? -1)
                details.append(values.count > 1 ? values[1] : -1)
            }
        }
        self.numbers = numbers
        self.details = details
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        if digits.isEmpty { return -1 }
        // Nine digits at most: more is garbage and must not overflow.
        return digits.prefix(9).reduce(0) { $0 * 10 + Int($1 & 15) }
    }

    /// A parameter from 0, or the default when missing or empty.
    func number(_ index: Int, default value: Int = 1) -> Int {
        index < numbers.count && numbers[index] >= 0 ? numbers[index] : value
    }

    private var isPlain: Bool { mark == 0 && intermediates.isEmpty }

    var isPasteStart: Bool { isPlain && final == 0x7E && number(0) == 200 }

    /// `CSI I` and `CSI O`: the window got or lost the focus.
    var focus: Bool? {
        guard isPlain, numbers.isEmpty else { return nil }
        return final == 0x49 ? true : final == 0x4F ? false : nil
    }

    /// The answer that it is, if any.
    var reply: TerminalReply? {
        let values = numbers.map { max(0, $0) }
        switch (mark, final) {
        case (0x3F, 0x63): return .deviceAttributes(values)
        case (0, 0x6E) where values.count == 1: return .status(values[0])
        // `CSI 1;m R` is F3 with a modifier.
        case (0, 0x52) where values.count == 2 && !(values[0] == 1 && (2...16).contains(values[1])):
            return .cursor(row: values[0], column: values[1])
        case (0, 0x74) where intermediates.isEmpty: return .window(values)
        case (0x3F, 0x53): return .graphics(values)
        case (0x3F, 0x79) where intermediates == [0x24] && values.count == 2:
            return .mode(values[0], state: values[1])
        default: return nil
        }
    }

    /// The key that it is, if any.
    var key: KeyPress? {
        guard isPlain else { return nil }
        // Kitty's protocol reports releases as `modifiers:3`.
        if details.count > 1, details[1] == 3 { return nil }
        let modifiers = KeyModifiers(parameter: number(1))
        switch final {
        case 0x7E: return tildeKey
        case 0x75: return Self.key(code: number(0, default: 0), modifiers)
        case 0x5A: return KeyPress(.tab, modifiers.union(.shift))
        default: return KeyCode(final: final).map { KeyPress($0, modifiers) }
        }
    }

    private var tildeKey: KeyPress? {
        let modifiers = KeyModifiers(parameter: number(1))
        let code: KeyCode
        switch number(0) {
        case 1, 7: code = .home
        case 2: code = .insert
        case 3: code = .delete
        case 4, 8: code = .end
        case 5: code = .pageUp
        case 6: code = .pageDown
        case let n where (11...15).contains(n): code = .function(n - 10)
        case let n where (17...21).contains(n): code = .function(n - 11)
        case let n where (23...26).contains(n): code = .function(n - 12)
        case let n where (28...29).contains(n): code = .function(n - 13)
        case let n where (31...34).contains(n): code = .function(n - 14)
        case 27: return Self.key(code: number(2, default: 0), modifiers)
        default: return nil
        }
        return KeyPress(code, modifiers)
    }

    /// The key of a Unicode value, as `modifyOtherKeys` and `CSI u` report it.
    private static func key(code: Int, _ modifiers: KeyModifiers) -> KeyPress? {
        switch code {
        case 8, 127: return KeyPress(.backspace, modifiers)
        case 9: return KeyPress(.tab, modifiers)
        case 13: return KeyPress(.enter, modifiers)
        case 27: return KeyPress(.escape, modifiers)
        // 57344 and up are kitty's own numbers of keys that nothing here is bound to.
        case 32..<57344, 63744...0x10FFFF:
            guard let value = UInt32(exactly: code), let scalar = Unicode.Scalar(value) else {
                return nil
            }
            var press = KeyPress(Character(scalar), modifiers)
            press.normalize()
            if case .character(let c) = press.code, !c.isLetter, c != " " {
                press.modifiers.remove(.shift)
            }
            return press
        default: return nil
        }
    }
}

nonisolated extension KeyModifiers {
    /// From the parameter of a key sequence: 1 + a bit for each modifier.
    init(parameter: Int) {
        let bits = max(0, parameter - 1)
        self = []
        if bits & 1 != 0 { insert(.shift) }
        if bits & 2 != 0 || bits & 32 != 0 { insert(.alt) }
        if bits & 4 != 0 { insert(.control) }
    }
}

nonisolated extension KeyCode {
    /// Of the letter that ends `CSI` and `SS3` keys.
    init?(final: UInt8) {
        switch final {
        case 0x41: self = .up
        case 0x42: self = .down
        case 0x43: self = .right
        case 0x44: self = .left
        case 0x46: self = .end
        case 0x48: self = .home
        case 0x50...0x53: self = .function(Int(final) - 0x4F)
        default: return nil
        }
    }
}
