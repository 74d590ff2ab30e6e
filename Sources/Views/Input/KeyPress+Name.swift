// The written form of a key, for key bindings and help: `C-p`, `S-Tab`, `A-Left`, `F1`, `?`.
// SPDX-License-Identifier: Apache-2.0

nonisolated extension KeyPress: CustomStringConvertible {
    /// Reads a written key; nil if it is none.
    ///
    /// `C-`, `A-` and `S-` in any order, then a name (`Enter`, `Esc`, `Space`, `PgUp`, `F5`…, upper
    /// or lower case) or a single character.
    public init?(_ text: String) {
        var rest = Substring(text)
        var modifiers: KeyModifiers = []
        while rest.count > 2, rest.dropFirst().first == "-" {
            switch rest.first {
            case "C", "c": modifiers.insert(.control)
            case "A", "a", "M", "m": modifiers.insert(.alt)
            case "S", "s": modifiers.insert(.shift)
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        guard let code = Self.code(named: rest) else { return nil }
        self.init(code, modifiers)
        normalize()
    }

    public var description: String {
        var text = ""
        if modifiers.contains(.control) { text += "C-" }
        if modifiers.contains(.alt) { text += "A-" }
        if modifiers.contains(.shift) { text += "S-" }
        switch code {
        case .character(" "): return text + "Space"
        case .character(let character): return text + String(character)
        case .function(let number): return text + "F\(number)"
        default: return text + (Self.names.first { $0.code == code }?.name ?? "?")
        }
    }

    /// Brings forms that mean the same to one: `S-a` to `A`, `C-A` to `C-a`.
    mutating func normalize() {
        guard case .character(let character) = code else { return }
        if modifiers.contains(.control), let lower = character.lowercased().first {
            code = .character(lower)
        } else if modifiers.contains(.shift), character.isLetter,
            let upper = character.uppercased().first
        {
            code = .character(upper)
            modifiers.remove(.shift)
        }
    }

    private static func code(named name: Substring) -> KeyCode? {
        if name.count == 1, let only = name.first { return .character(only) }
        let lower = name.lowercased()
        if lower == "space" { return .character(" ") }
        if lower.first == "f", let number = Int(lower.dropFirst()), (1...35).contains(number) {
            return .function(number)
        }
        return names.first { $0.name.lowercased() == lower }?.code
    }

    /// The first name of a code is the one that is printed.
    private static let names: [(name: String, code: KeyCode)] = [
        ("Up", .up), ("Down", .down), ("Left", .left), ("Right", .right), ("Home", .home),
        ("End", .end), ("PgUp", .pageUp), ("PgDn", .pageDown), ("Ins", .insert), ("Del", .delete),
        ("Backspace", .backspace), ("Tab", .tab), ("Enter", .enter), ("Esc", .escape),
        ("PageUp", .pageUp), ("PageDown", .pageDown), ("Insert", .insert), ("Delete", .delete),
        ("Escape", .escape), ("Return", .enter), ("BS", .backspace),
    ]
}
