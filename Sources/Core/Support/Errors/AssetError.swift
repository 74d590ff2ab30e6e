// What can be wrong with the places of the program's data, and its sentences.
// SPDX-License-Identifier: Apache-2.0

/// The program's own data cannot be found.
public enum AssetError: Error, Equatable, Sendable {
    /// A folder named by an option or the environment does not exist.
    case folderMissing(origin: AssetLocator.Origin, path: String)
    /// Nothing of that name in any place.
    case notFound(kind: AssetLocator.Kind, name: String, places: [String])
}

extension AssetError: CustomStringConvertible {
    /// What is missing, where it was looked for, what to do.
    public var description: String {
        switch self {
        case .folderMissing(let origin, let path):
            return "\(path): the folder given by \(origin.rawValue) does not exist; "
                + "create it or name another one."
        case .notFound(let kind, let name, let places):
            return "There is no \(name) among the \(kind.rawValue). Looked in: "
                + "\(places.joined(separator: ", ")). `workbench paths` shows all places."
        }
    }
}
