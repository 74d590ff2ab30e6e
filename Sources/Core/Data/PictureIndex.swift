// The table that says what the pictures of an archive show.
// SPDX-License-Identifier: Apache-2.0

/// A tab-separated table with one row per picture: file, class, and optionally model and split.
///
/// The first line names the columns; other columns are left alone. `file` is the path in the archive,
/// `class` the label 0, 1, …, `class_name` its name, `model` the thing shown, `split` the part.
public struct PictureIndex: Sendable {
    /// One picture.
    public struct Row: Sendable, Equatable {
        /// Path in the archive.
        public var file: String
        public var label: Int
        /// What the picture shows, where the table says it: pictures of one thing share it.
        public var model: String?
        /// "train", "val", …; empty where the table has no such column.
        public var split: String
    }

    /// In the order of the table.
    public let rows: [Row]
    /// Names in label order.
    public let classes: [String]

    /// Reads a table.
    ///
    /// - Throws: ``FileFormatError``, ``DatasetError``.
    public init(path: String) throws {
        let bytes = try Gzip.readFile(path: path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "the table is not UTF-8 text")
        }
        try self.init(text: text, path: path)
    }

    init(text: String, path: String) throws {
        var lines = text.split(whereSeparator: \.isNewline)[...]
        let header = (lines.popFirst() ?? "").split(
            separator: "\t", omittingEmptySubsequences: false
        )
        .map(String.init)
        func column(_ name: String) throws -> Int {
            guard let index = header.firstIndex(of: name) else {
                throw DatasetError.missingColumn(path: path, column: name, found: header)
            }
            return index
        }
        let (file, label, name) = try (column("file"), column("class"), column("class_name"))
        let (model, split) = (header.firstIndex(of: "model"), header.firstIndex(of: "split"))
        var rows: [Row] = []
        rows.reserveCapacity(lines.count)
        var names: [Int: String] = [:]
        for (number, line) in zip(2..., lines) {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard cells.count == header.count else {
                throw DatasetError.badRow(
                    path: path, line: number,
                    reason: "\(cells.count) columns instead of \(header.count)")
            }
            guard let value = Int(cells[label]), (0..<65_536).contains(value) else {
                throw DatasetError.badRow(
                    path: path, line: number, reason: "the class \"\(cells[label])\" is no label")
            }
            let className = String(cells[name])
            if let known = names[value], known != className {
                throw DatasetError.badRow(
                    path: path, line: number,
                    reason: "class \(value) is called \"\(className)\" here and \"\(known)\" before"
                )
            }
            names[value] = className
            rows.append(
                Row(
                    file: String(cells[file]), label: value,
                    model: model.map { "\(value)/\(cells[$0])" },
                    split: split.map { String(cells[$0]) } ?? ""))
        }
        guard let largest = names.keys.max() else {
            throw DatasetError.badRow(path: path, line: 2, reason: "the table has no rows")
        }
        classes = try (0...largest).map { label in
            guard let name = names[label] else {
                throw DatasetError.badRow(
                    path: path, line: 2,
                    reason: "no row has class \(label), but there is a class \(largest)")
            }
            return name
        }
        self.rows = rows
    }
}

extension PictureIndex {
    /// How a table's rows are parted.
    public enum Parting: Sendable, Equatable {
        /// By these values of the column `split`, one part each.
        case splits([String])
        /// Every n-th model, in the table's order, whole into the second part.
        case models(every: Int)
    }

    /// The rows of every part, with its name.
    ///
    /// - Throws: ``DatasetError``.
    func parts(_ parting: Parting, path: String) throws(DatasetError) -> [(
        name: String, rows: [Row]
    )] {
        switch parting {
        case .splits(let names):
            var parts: [(name: String, rows: [Row])] = []
            for name in names {
                let found = rows.filter { $0.split == name }
                guard !found.isEmpty else {
                    throw .noSuchSplit(
                        path: path, split: name, found: Set(rows.map(\.split)).sorted())
                }
                parts.append((name, found))
            }
            return parts
        case .models(let interval):
            var numbers: [String: Int] = [:]
            let isHeldOut = try self.rows.map { (row) throws(DatasetError) -> Bool in
                guard let model = row.model else {
                    throw .missingColumn(path: path, column: "model", found: [])
                }
                let number = numbers[model] ?? numbers.count
                numbers[model] = number
                return number % interval == interval - 1
            }
            func rows(where heldOut: Bool) -> [Row] {
                zip(self.rows, isHeldOut).filter { $0.1 == heldOut }.map(\.0)
            }
            guard numbers.count >= interval else {
                throw .badRow(
                    path: path, line: 2,
                    reason: "\(numbers.count) models are too few to hold out every \(interval)th")
            }
            return [("models", rows(where: false)), ("models held out", rows(where: true))]
        }
    }
}
