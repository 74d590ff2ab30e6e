// The sentences of DatasetError.
// SPDX-License-Identifier: Apache-2.0

extension DatasetError: CustomStringConvertible {
    /// Which data, what is wrong, what to do.
    public var description: String {
        switch self {
        case .notFound(let name, let files, let places):
            return
                "\(name.prefix(1).uppercased())\(name.dropFirst()) was not found. Looked for \(files.joined(separator: ", ")) "
                + "(each also with .gz) in: \(places.joined(separator: ", ")). "
                + "Put the files into one of these folders or name another one."
        case .countMismatch(let first, let firstCount, let second, let secondCount):
            return "\(first) has \(firstCount) entries, but \(second) has \(secondCount); "
                + "these files do not belong together: get both again."
        case .wrongShape(let path, let expected, let found):
            return "\(path): an array of \(found) where \(expected) is expected; "
                + "this is another file than the one meant."
        case .labelOutOfRange(let path, let index, let label, let classCount):
            return "\(path): label \(label) at entry \(index), but there are only "
                + "\(classCount) classes (0 to \(classCount - 1))."
        case .noPictures(let folder):
            return "\(folder): no pictures; give a folder that holds one folder of PNG or JPEG "
                + "files per class."
        case .missingColumn(let path, let column, let found):
            return "\(path): no column \"\(column)\"; the first line must name the columns "
                + "(found: \(found.joined(separator: ", ")))."
        case .badRow(let path, let line, let reason):
            return "\(path), line \(line): \(reason)."
        case .noSuchSplit(let path, let split, let found):
            return "\(path): no row has \"\(split)\" in its column \"split\" "
                + "(found: \(found.joined(separator: ", "))); name another part."
        case .missingPicture(let archive, let index, let file):
            return "\(archive): \(file) is missing, which \(index) names; these files do not "
                + "belong together: get both again."
        case .sizeMismatch(let name, let index, let expected, let found):
            return
                "\(name): picture \(index) is \(found), the others of its batch are \(expected); "
                + "name a size to which all are fitted."
        }
    }
}
