// The four string forms of a TOML text. SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
    /// Reads `"…"` or `"""…"""` with escapes.
    mutating func parseBasicString(multiline: Bool) throws(TOMLError) -> String {
        let start = position(at: offset)
        let quote = UInt8(ascii: "\"")
        var text: [UInt8] = []
        openString(multiline: multiline)
        while let byte = peek {
            if byte == quote {
                if try closeString(quote, multiline: multiline, into: &text) {
                    return String(decoding: text, as: UTF8.self)
                }
            } else if byte == UInt8(ascii: "\\") {
                try parseEscape(multiline: multiline, into: &text)
            } else {
                try takeCharacter(byte, multiline: multiline, start: start, into: &text)
            }
        }
        throw error(.unterminatedString, at: start)
    }

    /// Reads `'…'` or `'''…'''`, where nothing is an escape.
    mutating func parseLiteralString(multiline: Bool) throws(TOMLError) -> String {
        let start = position(at: offset)
        let quote = UInt8(ascii: "'")
        var text: [UInt8] = []
        openString(multiline: multiline)
        while let byte = peek {
            if byte == quote {
                if try closeString(quote, multiline: multiline, into: &text) {
                    return String(decoding: text, as: UTF8.self)
                }
                continue
            }
            try takeCharacter(byte, multiline: multiline, start: start, into: &text)
        }
        throw error(.unterminatedString, at: start)
    }

    private mutating func openString(multiline: Bool) {
        offset += multiline ? 3 : 1
        // A line end right after the opening quotes is not part of the text.
        if multiline { _ = takeLineEnd() }
    }

    /// Handles quotes inside and at the end; true if the string ended here.
    private mutating func closeString(
        _ quote: UInt8, multiline: Bool, into text: inout [UInt8]
    ) throws(TOMLError) -> Bool {
        guard multiline else {
            offset += 1
            return true
        }
        var run = 0
        while run < 5, peek(run) == quote { run += 1 }
        if run < 3 {
            // One or two quotes belong to the text.
            for _ in 0..<run { text.append(quote) }
            offset += run
            return false
        }
        for _ in 3..<max(3, run) { text.append(quote) }
        offset += run
        return true
    }

    private mutating func takeCharacter(
        _ byte: UInt8, multiline: Bool, start: TOMLPosition, into text: inout [UInt8]
    ) throws(TOMLError) {
        if byte == 0x0A || byte == 0x0D && peek(1) == 0x0A {
            guard multiline else { throw error(.unterminatedString, at: start) }
            _ = takeLineEnd()
            text.append(0x0A)
            return
        }
        try refuseControl(byte)
        text.append(byte)
        offset += 1
    }

    private mutating func parseEscape(
        multiline: Bool, into text: inout [UInt8]
    ) throws(TOMLError) {
        let start = position(at: offset)
        offset += 1
        guard let byte = peek else { throw error(.unterminatedString, at: start) }
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            try parseUnicodeEscape(digits: byte == UInt8(ascii: "u") ? 4 : 8, start, into: &text)
            return
        default:
            if multiline, try continueLine() { return }
            let name =
                byte < 0x20 ? "\\ at the end of the line" : "\\\(Character(UnicodeScalar(byte)))"
            throw error(.badEscape(name), at: start)
        }
        offset += 1
    }

    /// A backslash at the end of a line joins it to the next text.
    private mutating func continueLine() throws(TOMLError) -> Bool {
        let before = offset
        skipSpaces()
        guard takeLineEnd() else {
            offset = before
            return false
        }
        repeat { skipSpaces() } while takeLineEnd()
        return true
    }

    private mutating func parseUnicodeEscape(
        digits: Int, _ start: TOMLPosition, into text: inout [UInt8]
    ) throws(TOMLError) {
        let from = offset
        let end = min(offset + 1 + digits, bytes.count)
        let name = "\\" + String(decoding: bytes[from..<end], as: UTF8.self)
        let hex = bytes[(from + 1)..<end]
        let isHex = hex.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
        guard hex.count == digits, isHex,
            let value = UInt32(String(decoding: hex, as: UTF8.self), radix: 16),
            let scalar = UnicodeScalar(value)
        else { throw error(.badEscape(name), at: start) }
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
        offset = end
    }
}
