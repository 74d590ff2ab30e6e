// What can be wrong with installed models, and its sentences.
// SPDX-License-Identifier: Apache-2.0

/// A model that cannot be listed, found, verified or loaded.
public enum CatalogError: Error, Equatable, Sendable {
    /// No card of that name; `nearest` is a likely slip.
    case unknownModel(name: String, nearest: String?, known: [String], places: [String])
    /// A card that cannot be used.
    case invalidCard(path: String, reason: String)
    /// Two cards of one name; the first place wins.
    case shadowed(name: String, path: String, by: String)
    /// A card names a file that is not there.
    case fileMissing(model: String, path: String)
    /// A file has another size than its card says.
    case wrongSize(model: String, path: String, expected: Int, found: Int)
    /// A file has another checksum than its card says.
    case wrongChecksum(model: String, path: String, expected: String, found: String)
    /// A card of a system that this program does not have.
    case unknownSystem(model: String, system: String, known: [String])
}

extension CatalogError: CustomStringConvertible {
    /// Which model or file, what is wrong, what to do.
    public var description: String {
        switch self {
        case .unknownModel(let name, let nearest, let known, let places):
            if known.isEmpty {
                return "There is no model \(name): no models are installed. Looked in: "
                    + "\(places.joined(separator: ", ")). `workbench import` adds one."
            }
            let hint = nearest.map { "Did you mean \($0)? " } ?? ""
            return "There is no model \(name). \(hint)Installed: "
                + "\(known.joined(separator: ", "))."
        case .invalidCard(let path, let reason):
            return "\(path): not a usable model card: \(reason)."
        case .shadowed(let name, let path, let winner):
            return "\(path): not used, because \(winner) is also named \(name) and comes first."
        case .fileMissing(let model, let path):
            return "\(model): its file \(path) is not there; get the model again."
        case .wrongSize(let model, let path, let expected, let found):
            return "\(model): \(path) has \(found) bytes, its card says \(expected); "
                + "the file is incomplete or another one: get it again."
        case .wrongChecksum(let model, let path, let expected, let found):
            return "\(model): \(path) has SHA-256 \(found), its card says \(expected); "
                + "the file was changed or damaged: get it again."
        case .unknownSystem(let model, let system, let known):
            return "\(model): this program has no system \(system); "
                + "it has \(known.joined(separator: ", "))."
        }
    }
}
