// A TOML table that remembers the order and the place of its keys.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A table of a TOML file: keys in the order of the file, each with its value and its place.
///
/// Example:
/// ```swift
/// let recipe = try TOMLTable(parsing: "steps = 200\n[optimizer]\nlearning_rate = 3e-4")
/// let steps = try recipe.int("steps", in: 1...1_000_000)
/// let rate = try recipe.table("optimizer").double("learning_rate")
/// ```
public struct TOMLTable: Sendable, Equatable {
    /// The keys, in the order in which they first appear.
    public let keys: [String]
    /// The file's name for messages, if it came from a file.
    public let file: String?
    /// The dotted path of this table inside its file; empty for the root.
    public let path: String
    /// Where the table begins.
    public let position: TOMLPosition

    let values: [String: TOMLValue]
    let keyPositions: [String: TOMLPosition]

    init(
        keys: [String], values: [String: TOMLValue], keyPositions: [String: TOMLPosition],
        file: String?, path: String, position: TOMLPosition
    ) {
        self.keys = keys
        self.values = values
        self.keyPositions = keyPositions
        self.file = file
        self.path = path
        self.position = position
    }

    /// Reads a whole TOML text.
    ///
    /// - Parameters:
    ///   - text: the text; a byte-order mark at its beginning is skipped.
    ///   - file: the name used in messages.
    /// - Throws: the first error found, with its line and column.
    public init(parsing text: String, file: String? = nil) throws(TOMLError) {
        var parser = TOMLParser(bytes: Array(text.utf8), file: file)
        self = try parser.parseDocument()
    }

    /// Reads a TOML file.
    ///
    /// - Throws: ``TOMLError`` with the problem `unreadable` if the file can't be read and
    ///   `notUTF8` if its bytes are not UTF-8; otherwise the first error of its text.
    public init(contentsOfFile path: String) throws(TOMLError) {
        let start = TOMLPosition(line: 1, column: 1)
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            let reason =
                isFolder.boolValue
                ? "this is a folder; give the path of a file"
                : isThere
                    ? "it can't be read; check its permissions"
                    : "there is no such file; check the path"
            throw TOMLError(.unreadable(reason: reason), at: start, file: path)
        }
        let bytes = Array(data)
        if let bad = firstInvalidUTF8(bytes) {
            let position = TOMLParser(bytes: bytes, file: path).position(at: bad)
            throw TOMLError(.notUTF8, at: position, file: path)
        }
        var parser = TOMLParser(bytes: bytes, file: path)
        self = try parser.parseDocument()
    }

    /// The value of a key of this table (one key, not a dotted path).
    public subscript(key: String) -> TOMLValue? { values[key] }

    /// Where a key stands.
    public func position(of key: String) -> TOMLPosition? { keyPositions[key] }

    /// Whether the table has no keys.
    public var isEmpty: Bool { keys.isEmpty }

    /// The dotted path of one of this table's keys inside the file.
    public func fullPath(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Equal keys and values, whatever the places and the file.
    public static func == (a: TOMLTable, b: TOMLTable) -> Bool {
        a.values.count == b.values.count
            && a.values.allSatisfy { key, value in b.values[key]?.content == value.content }
    }
}

/// The offset of the first byte that is not part of well-formed UTF-8, or nil.
private func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue(let scalar): offset += UTF8.width(scalar)
        case .emptyInput: return nil
        case .error: return min(offset, bytes.count)
        }
    }
}
