// The key documentation, written from the table.
// SPDX-License-Identifier: Apache-2.0

nonisolated public enum KeySheet {
    /// All keys as a Markdown document.
    public static func markdown(_ settings: Settings = Settings()) -> String {
        sheet(settings.options.bindings)
    }

    /// Every command: its name in the configuration and in the plain dialogue, and what it does.
    public static func commandList() -> String {
        let width = Command.allCases.map(\.name.count).max() ?? 0
        return Command.allCases.map {
            $0.name + String(repeating: " ", count: width + 2 - $0.name.count) + $0.title
        }.joined(separator: "\n")
    }

    /// The keys of every place with their meaning, for the manual page.
    public static var chapters: [(title: String, keys: [(keys: String, title: String)])] {
        let bindings = KeyBindings.default
        let places =
            [("Everywhere", KeyContext.global)]
            + PaneID.allCases.map { ("\($0.rawValue) \($0.title)", KeyContext.pane($0)) }
        return places.map { title, context in
            let commands = bindings.commands(in: context)
            return (
                title,
                commands.map {
                    (bindings.keyText(for: $0, in: context), bindings.title(of: $0, in: context))
                }
            )
        }
    }

    static func sheet(_ bindings: KeyBindings) -> String {
        var text = "# Keys\n\nEverything has a key and nothing needs the mouse. "
        text += "`?` shows the keys of the focused pane, `:` finds every command by name.\n"
        text += section("Everywhere", .global, bindings)
        for pane in PaneID.allCases {
            text += section("\(pane.rawValue) \(pane.title)", .pane(pane), bindings)
        }
        return text
    }

    private static func section(
        _ title: String, _ context: KeyContext, _ bindings: KeyBindings
    ) -> String {
        let commands = bindings.commands(in: context)
        guard !commands.isEmpty else { return "" }
        var text = "\n## \(title)\n\n| key | does |\n| --- | --- |\n"
        for command in commands {
            let keys = bindings.bindings
                .filter { $0.context == context && $0.command == command }
                .flatMap(\.keys)
                .map { "`" + ($0.label == "|" ? "\\|" : $0.label) + "`" }
                .joined(separator: " ")
            text += "| \(keys) | \(bindings.title(of: command, in: context)) |\n"
        }
        return text
    }
}
