// The `[keys]` tables of the configuration: every command can have other keys.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Command {
    /// The name in the configuration file and in the plain dialogue: `run-new-seed`.
    var name: String {
        rawValue.reduce(into: "") { text, character in
            if character.isUppercase { text += "-" }
            text += character.lowercased()
        }
    }

    /// The command of a name.
    init?(name: String) {
        guard let found = Command.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

nonisolated extension KeyContext {
    /// The table of the configuration file: `keys` for everywhere, `keys.mask` for a pane.
    var tableName: String {
        switch self {
        case .global: "keys"
        case .pane(let pane): "keys." + pane.name
        }
    }
}

nonisolated extension PaneID {
    /// The name in configuration files and the plain dialogue: the title in small letters.
    var name: String { title.lowercased().replacing(" ", with: "-") }
}

nonisolated extension Settings {
    mutating func readKeys(_ table: TOMLTable) {
        var overrides: [KeyContext: [(command: Command, keys: [KeyPress])]] = [:]
        let panes = Dictionary(uniqueKeysWithValues: PaneID.allCases.map { ($0.name, $0) })
        for key in table.keys {
            guard let value = table[key] else { continue }
            guard case .table(let inner) = value.content else {
                if let override = read(key, value, of: table, panes: Array(panes.keys)) {
                    overrides[.global, default: []].append(override)
                }
                continue
            }
            guard let pane = panes[key] else {
                unknown(table, key, among: panes.keys.sorted())
                continue
            }
            for name in inner.keys {
                guard let value = inner[name],
                    let override = read(name, value, of: inner, panes: [])
                else { continue }
                overrides[.pane(pane), default: []].append(override)
            }
        }
        options.bindings = KeyBindings.default.replacing(overrides)
    }

    private mutating func read(
        _ name: String, _ value: TOMLValue, of table: TOMLTable, panes: [String]
    ) -> (command: Command, keys: [KeyPress])? {
        guard let command = Command(name: name) else {
            unknown(table, name, among: Command.allCases.map(\.name) + panes)
            return nil
        }
        let elements: [TOMLValue]
        switch value.content {
        case .array(let array): elements = array
        default: elements = [value]
        }
        var keys: [KeyPress] = []
        for element in elements {
            guard case .string(let text) = element.content, let key = KeyPress(text) else {
                problems.append(
                    TOMLError(
                        .invalidValue(
                            table.fullPath(of: name),
                            expected: "a key or a list of keys, such as \"x\", \"C-x\", \"F5\", "
                                + "\"A-Left\", \"PgUp\""),
                        at: element.position, file: table.file))
                return nil
            }
            keys.append(key)
        }
        return (command, keys)
    }

    private mutating func unknown(_ table: TOMLTable, _ key: String, among names: [String]) {
        problems.append(
            TOMLError(
                .unknownKey(table.fullPath(of: key), nearest: nearestName(to: key, among: names)),
                at: table.position(of: key) ?? table.position, file: table.file))
    }
}

nonisolated extension KeyBindings {
    /// The table with other keys for some commands; a key given to one command leaves the others.
    func replacing(_ overrides: [KeyContext: [(command: Command, keys: [KeyPress])]]) -> KeyBindings
    {
        var result: [Binding] = []
        var placed: [KeyContext: Set<Command>] = [:]
        for binding in bindings {
            let own = overrides[binding.context] ?? []
            var copy = binding
            if let override = own.last(where: { $0.command == binding.command }) {
                copy.keys = override.keys
                placed[binding.context, default: []].insert(binding.command)
            } else {
                let taken = Set(own.flatMap(\.keys))
                copy.keys.removeAll { taken.contains($0) }
            }
            result.append(copy)
        }
        for context in overrides.keys.sorted(by: { $0.tableName < $1.tableName }) {
            for override in overrides[context] ?? []
            where placed[context]?.contains(override.command) != true {
                result.append(Binding(context, override.command, override.keys))
            }
        }
        return KeyBindings(result.filter { !$0.keys.isEmpty })
    }
}
