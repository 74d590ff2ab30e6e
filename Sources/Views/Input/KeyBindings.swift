// Which key does what, by pane.
// SPDX-License-Identifier: Apache-2.0

/// Where a binding holds.
nonisolated enum KeyContext: Sendable, Hashable {
    case global
    case pane(PaneID)
}

/// The table that input, help, hints, palette and the key sheet are made of.
nonisolated struct KeyBindings: Sendable, Equatable {
    struct Binding: Sendable, Equatable {
        var context: KeyContext
        var command: Command
        var keys: [KeyPress]
        /// What it means in this pane, where the command's own title is too general.
        var title: String?

        init(
            _ context: KeyContext, _ command: Command, _ keys: [KeyPress], title: String? = nil
        ) {
            self.context = context
            self.command = command
            self.keys = keys
            self.title = title
        }
    }

    /// Two commands for one key, or a pane's use of a key that is always global.
    struct Conflict: Sendable, Equatable, CustomStringConvertible {
        var key: KeyPress
        var context: KeyContext
        var commands: [Command]

        var description: String {
            let names = commands.map { "“\($0.title)”" }.joined(separator: " and ")
            let place =
                switch context {
                case .global: "everywhere"
                case .pane(let pane): "in \(pane.title)"
                }
            return "The key \(key.label) means \(names) \(place)."
        }
    }

    private(set) var bindings: [Binding]
    private let table: [KeyContext: [KeyPress: Command]]
    let conflicts: [Conflict]

    init(_ bindings: [Binding]) {
        self.bindings = bindings
        var table: [KeyContext: [KeyPress: Command]] = [:]
        var conflicts: [Conflict] = []
        for binding in bindings {
            for key in binding.keys {
                if let other = table[binding.context]?[key] {
                    conflicts.append(
                        Conflict(
                            key: key, context: binding.context,
                            commands: [other, binding.command]))
                } else {
                    table[binding.context, default: [:]][key] = binding.command
                }
            }
        }
        for binding in bindings where binding.context != .global {
            for key in binding.keys where Self.isReserved(key) {
                guard let global = table[.global]?[key], global != binding.command else { continue }
                conflicts.append(
                    Conflict(
                        key: key, context: binding.context, commands: [global, binding.command]))
            }
        }
        self.table = table
        self.conflicts = conflicts
    }

    /// Keys that mean the same in every pane.
    static func isReserved(_ key: KeyPress) -> Bool {
        if key.modifiers.contains(.control) { return true }
        switch key.code {
        case .escape, .tab: return true
        case .character(let character): return "?:quU123456789".contains(character)
        default: return false
        }
    }

    /// The command of a key in a pane: the pane's own, else the global one.
    func command(for key: KeyPress, in pane: PaneID) -> Command? {
        table[.pane(pane)]?[key] ?? table[.global]?[key]
    }

    /// The commands of a context in the order of the table.
    func commands(in context: KeyContext) -> [Command] {
        bindings.filter { $0.context == context }.map(\.command)
    }

    func title(of command: Command, in context: KeyContext) -> String {
        bindings.first { $0.context == context && $0.command == command }?.title ?? command.title
    }

    /// The keys of a command as people read them: `Enter`, `Ctrl-S`, `[`.
    func keyText(for command: Command, in context: KeyContext) -> String {
        bindings.filter { $0.context == context && $0.command == command }
            .flatMap(\.keys).map(\.label).joined(separator: " ")
    }

    /// The first key of a command in a pane, for hints and the palette.
    func firstKey(for command: Command, in pane: PaneID) -> KeyPress? {
        let own = bindings.first { $0.context == .pane(pane) && $0.command == command }
        let found = own ?? bindings.first { $0.context == .global && $0.command == command }
        return found?.keys.first
    }
}

nonisolated extension KeyPress {
    /// As people read it: `Ctrl-S`, `Shift-Tab`, `↑`, `Space`.
    var label: String {
        var text = ""
        if modifiers.contains(.control) { text += "Ctrl-" }
        if modifiers.contains(.alt) { text += "Alt-" }
        if modifiers.contains(.shift) { text += "Shift-" }
        switch code {
        case .character(" "): return text + "Space"
        case .character(let character):
            return text
                + (modifiers.contains(.control) ? character.uppercased() : String(character))
        case .up: return text + "↑"
        case .down: return text + "↓"
        case .left: return text + "←"
        case .right: return text + "→"
        case .home: return text + "Home"
        case .end: return text + "End"
        case .pageUp: return text + "PgUp"
        case .pageDown: return text + "PgDn"
        case .insert: return text + "Ins"
        case .delete: return text + "Del"
        case .backspace: return text + "Backspace"
        case .tab: return text + "Tab"
        case .enter: return text + "Enter"
        case .escape: return text + "Esc"
        case .function(let number): return text + "F\(number)"
        }
    }
}
