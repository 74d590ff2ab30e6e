// The parser behind JSONValue (RFC 8259).
// SPDX-License-Identifier: Apache-2.0

struct JSONParser {
    private static let deepest = 64
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONValue.ParseError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw error("text after the end of the document") }
        return value
    }

    private func error(_ reason: String) -> JSONValue.ParseError {
        JSONValue.ParseError(offset: offset, reason: reason)
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONValue.ParseError) {
        guard current == UInt8(ascii: character) else {
            throw error(current == nil ? "the text ends early" : "'\(character)' is missing")
        }
        offset += 1
    }

    private mutating func literal(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONValue.ParseError) -> JSONValue {
        for i in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[i] else { throw error("an unknown word") }
            offset += 1
        }
        return value
    }

    private mutating func value(depth: Int) throws(JSONValue.ParseError) -> JSONValue {
        guard depth < Self.deepest else { throw error("nested more than \(Self.deepest) deep") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case nil: throw error("the text ends early")
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONValue.ParseError) -> JSONValue {
        try expect("{")
        var members: [JSONValue.Member] = []
        var keys: Set<String> = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            offset += 1
            return .object(members)
        }
        while true {
            skipSpace()
            let key = try string()
            guard keys.insert(key).inserted else {
                throw error("the key \"\(key)\" is there twice")
            }
            skipSpace()
            try expect(":")
            members.append(.init(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if current == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            try expect("}")
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws(JSONValue.ParseError) -> JSONValue {
        try expect("[")
        var values: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            offset += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            try expect("]")
            return .array(values)
        }
    }

    private mutating func string() throws(JSONValue.ParseError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            guard let byte = current else { throw error("a string has no end") }
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONValue.ParseError) {
        guard let byte = current else { throw error("a string has no end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code {
                try expect("\\")
                try expect("u")
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw error("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw error("an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(JSONValue.ParseError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current,
                let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else { throw error("an escape without four digits") }
            code = code * 16 + UInt32(digit)
            offset += 1
        }
        return code
    }

    private mutating func number() throws(JSONValue.ParseError) -> JSONValue {
        let start = offset
        var isInteger = true
        while let byte = current {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                isInteger = false
            default:
                return try finishNumber(from: start, isInteger: isInteger)
            }
            offset += 1
        }
        return try finishNumber(from: start, isInteger: isInteger)
    }

    private func finishNumber(
        from start: Int, isInteger: Bool
    ) throws(JSONValue.ParseError) -> JSONValue {
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard !text.isEmpty, let value = Double(text) else {
            throw JSONValue.ParseError(offset: start, reason: "an unexpected character")
        }
        return .number(value)
    }
}
