// What can be wrong with a data set.
// SPDX-License-Identifier: Apache-2.0

/// A data set that is not there or contradicts itself.
///
/// The sentences are in `DatasetError+Description.swift`.
public enum DatasetError: Error, Equatable, Sendable {
    /// None of the places looked at holds the files.
    case notFound(name: String, files: [String], places: [String])
    /// Two files that must agree in length do not.
    case countMismatch(first: String, firstCount: Int, second: String, secondCount: Int)
    /// An array has another shape than the data set's.
    case wrongShape(path: String, expected: String, found: [Int])
    /// A label that is no class.
    case labelOutOfRange(path: String, index: Int, label: Int, classCount: Int)
    /// A folder without any class folder that holds pictures.
    case noPictures(folder: String)
    /// A table without a column that is needed.
    case missingColumn(path: String, column: String, found: [String])
    /// A row of a table that cannot be used; lines count from 1.
    case badRow(path: String, line: Int, reason: String)
    /// A table none of whose rows belong to the part wanted.
    case noSuchSplit(path: String, split: String, found: [String])
    /// A picture that the table names is not in the archive.
    case missingPicture(archive: String, index: String, file: String)
    /// Pictures of one batch differ in size.
    case sizeMismatch(name: String, index: Int, expected: String, found: String)
}
