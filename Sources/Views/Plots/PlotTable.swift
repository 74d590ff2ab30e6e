// The numbers of a plot as rows and columns: shown as a table, written as CSV and JSON.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A plot whose every number can be read and exported.
nonisolated public protocol PlotData {
    /// What it shows, as rows and columns.
    var table: PlotTable { get }
    /// The values at its cursor in words; nil without a cursor.
    var reading: String? { get }
}

/// Rows of numbers and names with a header.
nonisolated public struct PlotTable: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case number(Double)
        case text(String)
        case missing
    }

    public var columns: [String]
    public var rows: [[Value]]

    public init(columns: [String], rows: [[Value]]) {
        self.columns = columns
        self.rows = rows
    }

    /// Comma-separated values (RFC 4180), one header line, `\n` at line ends; missing values are empty.
    public var csv: String {
        func quoted(_ text: String) -> String {
            guard text.contains(where: { "\",\r\n".contains($0) }) else { return text }
            return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
        }
        let header = columns.map(quoted).joined(separator: ",")
        let lines = rows.map { row in
            row.map { value in
                switch value {
                case .number(let number): number.isFinite ? "\(number)" : ""
                case .text(let text): quoted(text)
                case .missing: ""
                }
            }.joined(separator: ",")
        }
        return ([header] + lines).map { $0 + "\n" }.joined()
    }

    /// An array of objects, one a row, keys in alphabetic order; missing values are `null`.
    public func json() throws -> Data {
        let objects = rows.map { row in
            var object: [String: Any] = [:]
            for (column, value) in zip(columns, row) {
                switch value {
                case .number(let number): object[column] = number.isFinite ? number : NSNull()
                case .text(let text): object[column] = text
                case .missing: object[column] = NSNull()
                }
            }
            return object
        }
        return try JSONSerialization.data(
            withJSONObject: objects, options: [.prettyPrinted, .sortedKeys])
    }
}
