// JSON decoding errors in words for people.
// SPDX-License-Identifier: Apache-2.0

extension DecodingError {
    /// Which field is wrong and how, "the field defaults.cfg is not a number".
    package var sentence: String {
        switch self {
        case .keyNotFound(let key, let context):
            return "the field \(Self.path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context):
            return "the field \(Self.path(context.codingPath)) is empty"
        case .typeMismatch(let type, let context):
            return "the field \(Self.path(context.codingPath)) is not \(Self.word(type))"
        case .dataCorrupted(let context):
            if context.codingPath.isEmpty { return "the text is not JSON" }
            return "the field \(Self.path(context.codingPath)) is wrong "
                + "(\(context.underlyingError.map { "\($0)" } ?? context.debugDescription))"
        @unknown default: return "\(self)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return text.isEmpty ? "at the top" : text
    }

    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        default: "of the expected form"
        }
    }
}
