// The structure of a TOML text: headers, keys, and which tables may still be extended.
// SPDX-License-Identifier: Apache-2.0

/// A strict recursive-descent reader of TOML 1.0 without dates.
struct TOMLParser {
    /// Nesting limit of lists and inline tables: a hostile file must not exhaust the stack.
    static let depthLimit = 64

    let bytes: [UInt8]
    let file: String?
    /// Offsets of the first bytes of the lines.
    let lineStarts: [Int]
    var offset = 0
    var depth = 0

    init(bytes: [UInt8], file: String?) {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        lineStarts = [offset] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    /// A table while it is being filled.
    final class Building {
        enum Origin {
            /// Exists only because a longer header or dotted key runs through it.
            case implied
            /// Has had its own `[header]`.
            case header
            /// Made by dotted keys inside one table section.
            case dotted
            /// An element of a `[[list of tables]]`.
            case element
            /// Written as `{ … }`: complete at once.
            case inline
        }
        enum Entry {
            case value(TOMLValue)
            case table(Building)
            case tables([Building], TOMLPosition)
        }
        var origin: Origin
        let position: TOMLPosition
        var order: [String] = []
        var entries: [String: Entry] = [:]
        var positions: [String: TOMLPosition] = [:]

        init(_ origin: Origin, at position: TOMLPosition) {
            self.origin = origin
            self.position = position
        }

        func add(_ entry: Entry, for key: String, at position: TOMLPosition) {
            order.append(key)
            entries[key] = entry
            positions[key] = position
        }

        func finished(file: String?, path: String) -> TOMLTable {
            var values: [String: TOMLValue] = [:]
            for (key, entry) in entries {
                let keyPath = path.isEmpty ? key : "\(path).\(key)"
                switch entry {
                case .value(let value): values[key] = value.rooted(at: keyPath)
                case .table(let table):
                    values[key] = TOMLValue(
                        .table(table.finished(file: file, path: keyPath)), at: table.position)
                case .tables(let tables, let first):
                    let elements = tables.enumerated().map { i, table in
                        TOMLValue(
                            .table(table.finished(file: file, path: "\(keyPath)[\(i)]")),
                            at: table.position)
                    }
                    values[key] = TOMLValue(.array(elements), at: first)
                }
            }
            return TOMLTable(
                keys: order, values: values, keyPositions: positions, file: file, path: path,
                position: position)
        }
    }

    typealias Key = (name: String, position: TOMLPosition)

    mutating func parseDocument() throws(TOMLError) -> TOMLTable {
        let root = Building(.header, at: TOMLPosition(line: 1, column: 1))
        var section = root
        while true {
            try skipBlankLines()
            guard let byte = peek else { break }
            if byte == UInt8(ascii: "[") {
                section = try parseHeader(root: root)
            } else {
                try parseKeyValue(into: section)
            }
            try endLine()
        }
        return root.finished(file: file, path: "")
    }

    // MARK: Headers and keys

    private mutating func parseHeader(root: Building) throws(TOMLError) -> Building {
        let start = position(at: offset)
        offset += 1
        let isList = take(UInt8(ascii: "["))
        skipSpaces()
        let keys = try parseDottedKey()
        try expect(UInt8(ascii: "]"), "\"]\" after the table's name")
        if isList { try expect(UInt8(ascii: "]"), "\"]]\" after the list's name") }

        var table = root
        for key in keys.dropLast() { table = try descend(table, key, origin: .implied) }
        guard let last = keys.last else { return root }
        switch (table.entries[last.name], isList) {
        case (nil, false):
            let new = Building(.header, at: start)
            table.add(.table(new), for: last.name, at: last.position)
            return new
        case (nil, true):
            let new = Building(.element, at: start)
            table.add(.tables([new], start), for: last.name, at: last.position)
            return new
        case (.tables(let elements, let first), true):
            let new = Building(.element, at: start)
            table.entries[last.name] = .tables(elements + [new], first)
            return new
        case (.table(let existing), false):
            guard existing.origin == .implied else {
                throw error(
                    .duplicateTable(path(keys), firstLine: existing.position.line),
                    at: last.position)
            }
            existing.origin = .header
            return existing
        default:
            let line = table.positions[last.name]?.line ?? 1
            throw error(.duplicateKey(path(keys), firstLine: line), at: last.position)
        }
    }

    mutating func parseKeyValue(into section: Building) throws(TOMLError) {
        let keys = try parseDottedKey()
        try expect(UInt8(ascii: "="), "\"=\" after the key \"\(path(keys))\"")
        skipSpaces()
        var table = section
        for key in keys.dropLast() { table = try descend(table, key, origin: .dotted) }
        guard let last = keys.last else { return }
        if let first = table.positions[last.name] {
            throw error(.duplicateKey(path(keys), firstLine: first.line), at: last.position)
        }
        let value = try parseValue()
        table.add(.value(value), for: last.name, at: last.position)
    }

    /// The table `key` of `table`, made if absent; refuses what is complete already.
    private func descend(
        _ table: Building, _ key: Key, origin: Building.Origin
    ) throws(TOMLError) -> Building {
        switch table.entries[key.name] {
        case nil:
            let new = Building(origin, at: key.position)
            table.add(.table(new), for: key.name, at: key.position)
            return new
        case .table(let existing):
            // Dotted keys may extend only what dotted keys of the same section made; headers may
            // run through anything that is not inline.
            let allowed = origin == .dotted ? existing.origin == .dotted : true
            guard allowed else {
                throw error(
                    .duplicateTable(key.name, firstLine: existing.position.line), at: key.position)
            }
            return existing
        case .tables(let elements, let first):
            guard origin == .implied, let last = elements.last else {
                throw error(.duplicateTable(key.name, firstLine: first.line), at: key.position)
            }
            return last
        case .value(let value):
            throw error(.notATable(key.name, firstLine: value.position.line), at: key.position)
        }
    }

    private mutating func parseDottedKey() throws(TOMLError) -> [Key] {
        var keys: [Key] = []
        repeat {
            skipSpaces()
            keys.append(try parseSimpleKey())
            skipSpaces()
        } while take(UInt8(ascii: "."))
        return keys
    }

    private mutating func parseSimpleKey() throws(TOMLError) -> Key {
        let start = offset
        switch peek {
        case UInt8(ascii: "\""):
            return (try parseBasicString(multiline: false), position(at: start))
        case UInt8(ascii: "'"):
            return (try parseLiteralString(multiline: false), position(at: start))
        default:
            while let byte = peek, isBareKeyByte(byte) { offset += 1 }
            guard offset > start else { throw unexpected("a key") }
            return (String(decoding: bytes[start..<offset], as: UTF8.self), position(at: start))
        }
    }

    private func isBareKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func path(_ keys: [Key]) -> String { keys.map(\.name).joined(separator: ".") }
}

extension TOMLValue {
    /// The same value with the paths of its inner tables completed by where it stands.
    func rooted(at path: String) -> TOMLValue {
        switch content {
        case .table(let table):
            var values: [String: TOMLValue] = [:]
            for (key, value) in table.values { values[key] = value.rooted(at: "\(path).\(key)") }
            let rooted = TOMLTable(
                keys: table.keys, values: values, keyPositions: table.keyPositions,
                file: table.file, path: path, position: table.position)
            return TOMLValue(.table(rooted), at: position)
        case .array(let elements):
            let rooted = elements.enumerated().map { $1.rooted(at: "\(path)[\($0)]") }
            return TOMLValue(.array(rooted), at: position)
        default: return self
        }
    }
}
