// Reading themes from TOML files. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

nonisolated extension Theme {
    /// Reads one theme from a text; `inherits` is looked up in `library`.
    public init(
        parsing text: String, name: String, file: String? = nil, library: ThemeLibrary? = nil
    ) throws(ThemeError) {
        var reader = ThemeReader(library: library)
        do {
            let table = try TOMLTable(parsing: text, file: file ?? "\(name).toml")
            try reader.read(table, name: name)
        } catch let error as TOMLError {
            throw .syntax(error)
        } catch let error as ThemeError {
            throw error
        } catch {
            throw .notFound(name: name, nearest: nil, folders: [])
        }
        self = try reader.theme(name: name)
    }

    static let modifierNames: [(name: String, modifier: Style.Modifiers)] = [
        ("bold", .bold), ("dim", .dim), ("italic", .italic), ("underlined", .underlined),
        ("reversed", .reversed), ("crossed_out", .crossedOut),
    ]

    /// The 16 colour names, in the order of their numbers.
    static let colorNames = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "light-gray", "gray",
        "light-red", "light-green", "light-yellow", "light-blue", "light-magenta", "light-cyan",
        "white",
    ]

    /// `#rgb`, `#rrggbb`, one of the 16 names or `default`; nil for anything else.
    static func color(_ text: String) -> Color? {
        if text == "default" { return .default }
        if let index = colorNames.firstIndex(of: text) { return .ansi(UInt8(index)) }
        guard text.hasPrefix("#") else { return nil }
        let digits = text.dropFirst().map { $0.isASCII ? $0.hexDigitValue : nil }
        let values = digits.compactMap { $0 }
        guard values.count == digits.count else { return nil }
        switch values.count {
        case 3: return .rgb(UInt8(values[0] * 17), UInt8(values[1] * 17), UInt8(values[2] * 17))
        case 6:
            return .rgb(
                UInt8(values[0] * 16 + values[1]), UInt8(values[2] * 16 + values[3]),
                UInt8(values[4] * 16 + values[5]))
        default: return nil
        }
    }
}

/// The folders that themes are looked up in, first hit wins.
nonisolated public struct ThemeLibrary: Sendable, Equatable {
    /// The user's folder first, then the shipped one.
    public let folders: [String]

    public init(folders: [String]) { self.folders = folders }

    /// The names of all themes, sorted.
    public func names() -> [String] {
        var names = Set<String>()
        for folder in folders {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for file in files where file.hasSuffix(".toml") {
                names.insert(String(file.dropLast(5)))
            }
        }
        return names.sorted()
    }

    /// Reads a theme and what it inherits from.
    public func theme(named name: String) throws(ThemeError) -> Theme {
        var reader = ThemeReader(library: self)
        try reader.load(name)
        return try reader.theme(name: name)
    }

    /// The file of a theme, or nil. A name with a slash is refused.
    func file(of name: String) -> String? {
        guard !name.contains("/"), !name.isEmpty else { return nil }
        return folders.map { "\($0)/\(name).toml" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }
}

/// Collects the palette and the styles of a theme and of its ancestors.
///
/// Colours are looked up only at the end, so a theme can inherit all styles and change the palette.
nonisolated private struct ThemeReader {
    let library: ThemeLibrary?
    var chain: [String] = []
    var files: [String] = []
    var palette: [String: (value: TOMLValue, file: String)] = [:]
    var styles: [String: (value: TOMLValue, file: String)] = [:]
    var warnings: [ThemeError] = []

    init(library: ThemeLibrary?) { self.library = library }

    mutating func load(_ name: String) throws(ThemeError) {
        guard let file = library?.file(of: name) else {
            throw .notFound(
                name: name, nearest: nearestName(to: name, among: library?.names() ?? []),
                folders: library?.folders ?? [])
        }
        do {
            try read(TOMLTable(contentsOfFile: file), name: name)
        } catch let error as ThemeError {
            throw error
        } catch let error as TOMLError {
            throw .syntax(error)
        } catch {
            throw .notFound(name: name, nearest: nil, folders: library?.folders ?? [])
        }
    }

    mutating func read(_ table: TOMLTable, name: String) throws {
        let file = table.file ?? "\(name).toml"
        if chain.contains(name) {
            throw ThemeError.inheritanceCycle(chain + [name], file: file)
        }
        chain.append(name)
        files.append(file)
        // The ancestors first, so that this theme's own entries replace theirs.
        if let parent = try table.stringIfPresent("inherits") { try load(parent) }
        if let own = try table.tableIfPresent("palette") {
            for key in own.keys { if let value = own[key] { palette[key] = (value, file) } }
        }
        let known = StyleName.all.map(\.rawValue)
        let groups = Set(known.flatMap(ancestors))
        for key in table.keys where !["inherits", "palette", "description"].contains(key) {
            guard let value = table[key] else { continue }
            if !groups.contains(key) {
                warnings.append(
                    .unknownStyle(
                        key, nearest: nearestName(to: key, among: known),
                        ThemeError.Place(
                            file: file, position: table.position(of: key) ?? value.position)))
                continue
            }
            styles[key] = (value, file)
        }
    }

    /// `ui.text.dim` → `ui.text.dim`, `ui.text`, `ui`.
    private func ancestors(_ name: String) -> [String] {
        Array(sequence(first: StyleName(name), next: \.parent)).map(\.rawValue)
    }

    func theme(name: String) throws(ThemeError) -> Theme {
        var result: [StyleName: Theme.PartialStyle] = [:]
        for (key, entry) in styles {
            result[StyleName(key)] = try style(entry.value, key: key, file: entry.file)
        }
        return Theme(name: name, styles: result, sourceFiles: files, warnings: warnings)
    }

    private func style(
        _ value: TOMLValue, key: String, file: String
    ) throws(ThemeError) -> Theme.PartialStyle {
        switch value.content {
        case .string:
            return Theme.PartialStyle(foreground: try color(value, key: key, file: file))
        case .table(let table):
            var style = Theme.PartialStyle()
            do {
                try table.requireOnly(keys: ["fg", "bg", "modifiers"])
                if let fg = table["fg"] { style.foreground = try color(fg, key: key, file: file) }
                if let bg = table["bg"] { style.background = try color(bg, key: key, file: file) }
                if table["modifiers"] != nil {
                    let elements = try table.array("modifiers")
                    for (name, element) in zip(try table.strings("modifiers"), elements) {
                        style.modifiers.formUnion(
                            try modifier(name, key: key, file: file, at: element.position))
                    }
                }
            } catch let error as ThemeError {
                throw error
            } catch let error as TOMLError {
                throw .syntax(error)
            } catch {
                return style
            }
            return style
        default:
            throw .syntax(
                TOMLError(
                    .invalidValue(key, expected: "a colour or { fg, bg, modifiers }"),
                    at: value.position, file: file))
        }
    }

    private func color(
        _ value: TOMLValue, key: String, file: String
    ) throws(ThemeError) -> Color {
        guard case .string(let text) = value.content else {
            throw .syntax(
                TOMLError(
                    .wrongKind(key, expected: .string, found: value.kind), at: value.position,
                    file: file))
        }
        if let entry = palette[text] {
            // Palette entries are plain colours: they can't refer to each other.
            if case .string(let plain) = entry.value.content, let color = Theme.color(plain) {
                return color
            }
            throw unknown(entry.value, key: "palette.\(text)", file: entry.file)
        }
        if let color = Theme.color(text) { return color }
        throw unknown(value, key: key, file: file)
    }

    private func unknown(_ value: TOMLValue, key: String, file: String) -> ThemeError {
        guard case .string(let text) = value.content else {
            return .syntax(
                TOMLError(
                    .wrongKind(key, expected: .string, found: value.kind), at: value.position,
                    file: file))
        }
        let names = palette.keys.sorted() + Theme.colorNames + ["default"]
        return .unknownColor(
            text, style: key, nearest: nearestName(to: text, among: names),
            ThemeError.Place(file: file, position: value.position))
    }

    private func modifier(
        _ name: String, key: String, file: String, at position: TOMLPosition
    ) throws(ThemeError) -> Style.Modifiers {
        if let found = Theme.modifierNames.first(where: { $0.name == name }) {
            return found.modifier
        }
        throw .unknownModifier(
            name, style: key,
            nearest: nearestName(to: name, among: Theme.modifierNames.map(\.name)),
            ThemeError.Place(file: file, position: position))
    }
}
