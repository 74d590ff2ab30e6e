// What can be wrong with questions about symmetry, and its sentences.
// SPDX-License-Identifier: Apache-2.0

/// A symmetry session that cannot be opened, or a question that cannot be answered.
public enum SymmetryError: Error, Equatable, Sendable {
    /// A construction's source files are not where they were looked for.
    case sourceMissing(construction: String, places: [String])
    /// No construction of that name.
    case unknownConstruction(name: String, nearest: String?, known: [String])
    /// A folder without anything that the model can read.
    case nothingReadable(folder: String, expected: String)
    /// Fewer inputs than neighbours were asked for.
    case tooFewInputs(source: String, count: Int, needed: Int)
    /// A setting outside of its range.
    case invalidSetting(name: String, value: String, allowed: String)
    /// An index without an input.
    case noSuchInput(Int, count: Int)
    /// What this model or data cannot give, `the Θ network`.
    case notOffered(String)
}

extension SymmetryError: CustomStringConvertible {
    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .sourceMissing(let construction, let places):
            return "The data for \(construction) was not found. Looked in: "
                + "\(places.joined(separator: ", ")). Name its folder with --data."
        case .unknownConstruction(let name, let nearest, let known):
            let hint = nearest.map { "Did you mean \($0)? " } ?? ""
            return "There is no construction \(name). \(hint)Known: "
                + "\(known.joined(separator: ", "))."
        case .nothingReadable(let folder, let expected):
            return "\(folder) holds nothing to read; this model wants \(expected)."
        case .tooFewInputs(let source, let count, let needed):
            return
                "\(source): \(count) \(count == 1 ? "input is" : "inputs are") too few: "
                + "\(needed) neighbours need at least \(needed + 1) inputs. Give more of them."
        case .invalidSetting(let name, let value, let allowed):
            return "\(name) = \(value) is not possible; allowed: \(allowed)."
        case .noSuchInput(let index, let count):
            return "There is no input \(index); they are numbered from 0 to \(max(0, count - 1))."
        case .notOffered(let what):
            return "This model has no \(what)."
        }
    }
}
