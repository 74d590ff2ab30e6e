// What can be wrong with a theme. SPDX-License-Identifier: Apache-2.0
import Core

/// An error (or, for unknown style names, a warning) about a theme.
nonisolated public enum ThemeError: Error, Sendable, Equatable {
    /// The file is not valid TOML, or a value has the wrong kind.
    case syntax(TOMLError)
    /// No folder has a theme of this name.
    case notFound(name: String, nearest: String?, folders: [String])
    /// A theme that inherits from itself, directly or not; the names in order.
    case inheritanceCycle([String], file: String)
    /// A colour that is neither in the palette nor a colour name nor `#rgb`.
    case unknownColor(String, style: String, nearest: String?, Place)
    /// An attribute that does not exist.
    case unknownModifier(String, style: String, nearest: String?, Place)
    /// A style name that the program never looks up.
    case unknownStyle(String, nearest: String?, Place)

    /// Where something stands.
    public struct Place: Sendable, Equatable {
        public let file: String
        public let position: TOMLPosition
    }
}

nonisolated extension ThemeError: CustomStringConvertible {
    public var description: String {
        func hint(_ nearest: String?) -> String {
            nearest.map { "; did you mean \"\($0)\"?" } ?? "."
        }
        func place(_ place: Place) -> String {
            "\(place.file):\(place.position.line):\(place.position.column)"
        }
        switch self {
        case .syntax(let error): return error.description
        case .notFound(let name, let nearest, let folders):
            let places = folders.isEmpty ? "no folder" : folders.joined(separator: ", ")
            return "There is no theme \"\(name)\"\(hint(nearest)) "
                + "`workbench themes` lists them. Looked in \(places)."
        case .inheritanceCycle(let names, let file):
            return
                "\(file): the theme inherits from itself (\(names.joined(separator: " → "))); "
                + "remove one \"inherits\"."
        case .unknownColor(let color, let style, let nearest, let where_):
            return
                "\(place(where_)): \"\(color)\" in \"\(style)\" is not a colour\(hint(nearest)) "
                + "Use #rgb, #rrggbb, a colour name, \"default\" or a name of [palette]."
        case .unknownModifier(let modifier, let style, let nearest, let where_):
            return
                "\(place(where_)): \"\(modifier)\" in \"\(style)\" is not an attribute"
                + "\(hint(nearest)) Use \(Theme.modifierNames.map(\.name).joined(separator: ", "))."
        case .unknownStyle(let style, let nearest, let where_):
            return "\(place(where_)): the style \"\(style)\" is not used\(hint(nearest))"
        }
    }
}
