// The sentences of TOML errors. SPDX-License-Identifier: Apache-2.0

extension TOMLError: CustomStringConvertible {
    /// `file:line:column: sentence`.
    public var description: String {
        let name = file ?? "TOML text"
        if case .unreadable(let reason) = problem { return "\(name): \(reason)." }
        return "\(name):\(line):\(column): \(sentence)"
    }

    /// The sentence without the place.
    public var sentence: String {
        switch problem {
        case .unreadable(let reason): "The file can't be opened: \(reason)."
        case .notUTF8: "The file is not UTF-8 text; save it as UTF-8."
        case .expected(let what, let found): "Expected \(what), found \(found)."
        case .forbiddenCharacter(let name):
            "The character \(name) may not stand here; write it as an escape like \\t or \\u0000."
        case .unterminatedString: "The text begins here but its closing quote is missing."
        case .badEscape(let escape):
            "\(escape) is not an escape; use \\\\ for a backslash, or 'single quotes'."
        case .badNumber(let text): "\"\(text)\" is not a number, true or false; text needs quotes."
        case .numberTooLarge(let text): "\(text) does not fit in 64 bits."
        case .dateNotSupported: "Dates and times are not used here; put the text in quotes."
        case .duplicateKey(let key, let line): "\"\(key)\" is already given in line \(line)."
        case .duplicateTable(let key, let line):
            "The table \"\(key)\" is already complete since line \(line); put its keys there."
        case .notATable(let key, let line):
            "\"\(key)\" is not a table: it has a value in line \(line)."
        case .nestedTooDeeply(let limit): "Lists and tables are nested more than \(limit) deep."
        case .missingKey(let key, let nearest):
            "\"\(key)\" is missing" + (nearest.map { "; did you mean it by \"\($0)\"?" } ?? ".")
        case .unknownKey(let key, let nearest):
            "\"\(key)\" is not known here"
                + (nearest.map { "; did you mean \"\($0)\"?" } ?? "; remove it.")
        case .wrongKind(let key, let expected, let found):
            "\"\(key)\" must be \(expected.rawValue), but it is \(found.rawValue)."
        case .outOfRange(let key, let lower, let upper, let found):
            "\"\(key)\" must be between \(lower) and \(upper), but it is \(found)."
        case .invalidValue(let key, let expected): "\"\(key)\" must be \(expected)."
        }
    }
}
