// The values of a TOML text: numbers, truth values, lists and inline tables.
// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
    mutating func parseValue() throws(TOMLError) -> TOMLValue {
        let start = position(at: offset)
        switch peek {
        case UInt8(ascii: "\""):
            let multiline = peek(1) == UInt8(ascii: "\"") && peek(2) == UInt8(ascii: "\"")
            return TOMLValue(.string(try parseBasicString(multiline: multiline)), at: start)
        case UInt8(ascii: "'"):
            let multiline = peek(1) == UInt8(ascii: "'") && peek(2) == UInt8(ascii: "'")
            return TOMLValue(.string(try parseLiteralString(multiline: multiline)), at: start)
        case UInt8(ascii: "["):
            return TOMLValue(
                .array(try nested(at: start) { p throws(TOMLError) in try p.parseArray() }),
                at: start)
        case UInt8(ascii: "{"):
            return TOMLValue(
                .table(
                    try nested(at: start) { p throws(TOMLError) in try p.parseInlineTable(at: start)
                    }), at: start)
        case nil, 0x0A, 0x0D, UInt8(ascii: "#"):
            throw unexpected("a value")
        default:
            return TOMLValue(try parsePlain(at: start), at: start)
        }
    }

    private mutating func nested<T>(
        at position: TOMLPosition, _ body: (inout TOMLParser) throws(TOMLError) -> T
    ) throws(TOMLError) -> T {
        guard depth < TOMLParser.depthLimit else {
            throw error(.nestedTooDeeply(limit: TOMLParser.depthLimit), at: position)
        }
        depth += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func parseArray() throws(TOMLError) -> [TOMLValue] {
        offset += 1
        var elements: [TOMLValue] = []
        while true {
            try skipBlankLines()
            if take(UInt8(ascii: "]")) { return elements }
            elements.append(try parseValue())
            try skipBlankLines()
            if take(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "]"), "\",\" or \"]\" in the list")
            return elements
        }
    }

    private mutating func parseInlineTable(at start: TOMLPosition) throws(TOMLError) -> TOMLTable {
        offset += 1
        let table = Building(.inline, at: start)
        skipSpaces()
        if take(UInt8(ascii: "}")) { return table.finished(file: file, path: "") }
        while true {
            skipSpaces()
            try parseKeyValue(into: table)
            skipSpaces()
            if take(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "}"), "\",\" or \"}\" in the inline table")
            return table.finished(file: file, path: "")
        }
    }

    // MARK: Numbers and truth values

    private mutating func parsePlain(at start: TOMLPosition) throws(TOMLError) -> TOMLValue.Content
    {
        let from = offset
        while let byte = peek, !isDelimiter(byte) { offset += 1 }
        let text = String(decoding: bytes[from..<offset], as: UTF8.self)
        switch text {
        case "":
            throw unexpected("a value")
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        default: return try number(text, at: start)
        }
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"),
            UInt8(ascii: "#"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private func number(
        _ text: String, at start: TOMLPosition
    ) throws(TOMLError) -> TOMLValue.Content {
        let raw = Array(text.utf8)
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            guard let digits = ungrouped(raw.dropFirst(2), radix: radix) else {
                throw error(.badNumber(text), at: start)
            }
            guard let value = Int(digits, radix: radix) else {
                throw error(.numberTooLarge(text), at: start)
            }
            return .integer(value)
        }
        if looksLikeDate(raw) { throw error(.dateNotSupported, at: start) }

        var rest = raw[...]
        var sign = ""
        if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            if first == UInt8(ascii: "-") { sign = "-" }
            rest = rest.dropFirst()
        }
        let mantissa = rest.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        let exponent = rest.dropFirst(mantissa.count)
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        let fraction = mantissa.dropFirst(whole.count)
        guard let wholeDigits = ungrouped(whole, radix: 10),
            wholeDigits.count == 1 || !wholeDigits.hasPrefix("0")
        else { throw error(.badNumber(text), at: start) }
        if fraction.isEmpty, exponent.isEmpty {
            guard let value = Int(sign + wholeDigits) else {
                throw error(.numberTooLarge(text), at: start)
            }
            return .integer(value)
        }
        var plain = sign + wholeDigits
        if !fraction.isEmpty {
            guard let digits = ungrouped(fraction.dropFirst(), radix: 10) else {
                throw error(.badNumber(text), at: start)
            }
            plain += "." + digits
        }
        if !exponent.isEmpty {
            var digits = exponent.dropFirst()
            plain += "e"
            if let first = digits.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
                plain += first == UInt8(ascii: "-") ? "-" : ""
                digits = digits.dropFirst()
            }
            guard let ungrouped = ungrouped(digits, radix: 10) else {
                throw error(.badNumber(text), at: start)
            }
            plain += ungrouped
        }
        guard let value = Double(plain) else { throw error(.badNumber(text), at: start) }
        return .float(value)
    }

    /// The digits without underscores, or nil unless every underscore stands between two digits.
    private func ungrouped(_ bytes: ArraySlice<UInt8>, radix: Int) -> String? {
        var digits = ""
        var previousIsDigit = false
        for byte in bytes {
            if byte == UInt8(ascii: "_") {
                guard previousIsDigit else { return nil }
                previousIsDigit = false
            } else {
                let character = Character(UnicodeScalar(byte))
                guard let value = character.hexDigitValue, value < radix else { return nil }
                digits.append(character)
                previousIsDigit = true
            }
        }
        return previousIsDigit ? digits : nil
    }

    /// `1979-05-27…` or `07:32…`.
    private func looksLikeDate(_ raw: [UInt8]) -> Bool {
        let digits = raw.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
        guard digits < raw.count else { return false }
        return digits == 4 && raw[4] == UInt8(ascii: "-")
            || digits == 2 && raw[2] == UInt8(ascii: ":")
    }
}
