// The values of a TOML file, each with the place where it stands.
// SPDX-License-Identifier: Apache-2.0

/// A place in a text file, both counted from 1; columns count Unicode scalars.
public struct TOMLPosition: Sendable, Hashable {
    /// Line, from 1.
    public let line: Int
    /// Column, from 1.
    public let column: Int

    /// Creates a position.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// One value of a TOML file and where it stands.
public struct TOMLValue: Sendable, Equatable {
    /// What a value can be. Dates are not part of the dialect read here.
    public enum Content: Sendable, Equatable {
        /// Text, from any of the four string forms.
        case string(String)
        /// A 64-bit whole number.
        case integer(Int)
        /// A double, including `inf` and `nan`.
        case float(Double)
        /// `true` or `false`.
        case boolean(Bool)
        /// A list; the elements may differ in kind.
        case array([TOMLValue])
        /// A table, written inline or under a header.
        case table(TOMLTable)
    }

    /// The value itself.
    public let content: Content
    /// Where the value begins; for a table under a header, where the header begins.
    public let position: TOMLPosition

    /// Creates a value.
    public init(_ content: Content, at position: TOMLPosition) {
        self.content = content
        self.position = position
    }

    /// What the value is, in words for an error message.
    public var kind: TOMLKind {
        switch content {
        case .string: .string
        case .integer: .integer
        case .float: .float
        case .boolean: .boolean
        case .array: .array
        case .table: .table
        }
    }
}

/// The kinds of values, named as a message to a person names them.
public enum TOMLKind: String, Sendable {
    /// Text in quotes.
    case string = "text"
    /// A number without a fraction.
    case integer = "a whole number"
    /// A number with a fraction or an exponent.
    case float = "a number"
    /// `true` or `false`.
    case boolean = "true or false"
    /// A list in square brackets.
    case array = "a list"
    /// A table.
    case table = "a table"
}
