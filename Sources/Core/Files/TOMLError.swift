// What can be wrong with a TOML file, and where. SPDX-License-Identifier: Apache-2.0

/// An error in a TOML file: the problem, its line and column, and the file if known.
public struct TOMLError: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Problem: Sendable, Equatable {
        // The file
        /// The file can't be read.
        case unreadable(reason: String)
        /// The bytes are not UTF-8.
        case notUTF8
        // The text
        /// Something else was needed here; `found` is what stands there, in words.
        case expected(String, found: String)
        /// A character that may not appear here (control characters, by name).
        case forbiddenCharacter(String)
        /// A string without its closing quotes.
        case unterminatedString
        /// A backslash sequence that does not exist.
        case badEscape(String)
        /// A number that is not one of TOML's forms.
        case badNumber(String)
        /// A whole number outside 64 bits.
        case numberTooLarge(String)
        /// Dates and times are not part of the dialect.
        case dateNotSupported
        /// A key given twice.
        case duplicateKey(String, firstLine: Int)
        /// A table header given twice, or a table extended in a way that TOML forbids.
        case duplicateTable(String, firstLine: Int)
        /// A dotted key or header that runs through something that is not a table.
        case notATable(String, firstLine: Int)
        /// Lists or inline tables nested deeper than the limit.
        case nestedTooDeeply(limit: Int)
        // The meaning
        /// A required key is absent.
        case missingKey(String, nearest: String?)
        /// A key that the reader does not know.
        case unknownKey(String, nearest: String?)
        /// A value of the wrong kind.
        case wrongKind(String, expected: TOMLKind, found: TOMLKind)
        /// A number outside its range.
        case outOfRange(String, lower: String, upper: String, found: String)
        /// A value that breaks a rule of its reader.
        case invalidValue(String, expected: String)
    }

    /// What is wrong.
    public let problem: Problem
    /// Where it is.
    public let position: TOMLPosition
    /// The file's name, if the text came from a file.
    public let file: String?

    /// Creates an error.
    public init(_ problem: Problem, at position: TOMLPosition, file: String? = nil) {
        self.problem = problem
        self.position = position
        self.file = file
    }

    /// Line, from 1.
    public var line: Int { position.line }
    /// Column, from 1.
    public var column: Int { position.column }
}
