// The key documentation, written from the table.
// SPDX-License-Identifier: Apache-2.0

nonisolated public enum KeySheet {
    /// All keys as a Markdown document.
    public static func markdown() -> String { sheet(KeyBindings.default) }

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
