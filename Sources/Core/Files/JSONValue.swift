// JSON that keeps the order of keys and refuses what Foundation's reader lets pass.
// SPDX-License-Identifier: Apache-2.0

/// A JSON document. Unlike Foundation's decoder this one keeps the order of an object's keys and
/// refuses a key given twice, as a checkpoint header needs.
public enum JSONValue: Sendable, Equatable {
    /// One entry of an object.
    public struct Member: Sendable, Equatable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// Members in the order of the text.
    case object([Member])

    /// What is wrong with a text, and where.
    public struct ParseError: Error, Equatable, Sendable {
        /// Bytes from the start.
        public var offset: Int
        public var reason: String
    }

    /// Parses a whole document.
    ///
    /// - Throws: ``ParseError``; also for keys given twice and for nesting beyond 64 levels.
    public init(parsing bytes: some Sequence<UInt8>) throws(ParseError) {
        var parser = JSONParser(Array(bytes))
        self = try parser.document()
    }

    /// The value of a key of an object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The document as compact text; keys in their order, `/` not escaped.
    public var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value): out += value.isFinite ? String(value) : "null"
        case .string(let value): Self.write(value, to: &out)
        case .array(let values):
            out += "["
            for (i, value) in values.enumerated() {
                if i > 0 { out += "," }
                value.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (i, member) in members.enumerated() {
                if i > 0 { out += "," }
                Self.write(member.key, to: &out)
                out += ":"
                member.value.write(to: &out)
            }
            out += "}"
        }
    }

    private static func write(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
