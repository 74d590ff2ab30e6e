// The commented default configuration and the manual's chapters, written from the tables.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Settings {
    /// A configuration file with every setting and every key, all commented out.
    public static var defaultFile: String {
        var text = """
            # The workbench's configuration. Lines that begin with # show the defaults.
            # A mistake is reported with its line and column, and the default holds.

            """
        for setting in Setting.all {
            text += "\n# \(setting.help)\n"
            text += "# Values: \(setting.values).\n"
            text += "# \(setting.name) = \(setting.defaultText ?? setting.example)\n"
        }
        text += """

            # Keys: a key or a list of keys for a command; an empty list takes its keys away.
            # Written C-x (Ctrl), A-x (Alt), S-Tab (Shift), F5, PgUp, Space, or the character.
            # `workbench keys --commands` lists the commands that have no key of their own, too.

            """
        let contexts = [KeyContext.global] + PaneID.allCases.map(KeyContext.pane)
        for context in contexts {
            let own = KeyBindings.default.bindings.filter { $0.context == context }
            guard !own.isEmpty else { continue }
            text += "\n# [\(context.tableName)]\n"
            for binding in own {
                let keys = binding.keys.map { "\"\(escaped($0.description))\"" }
                text += "# \(binding.command.name) = [\(keys.joined(separator: ", "))]"
                text += "  # \(binding.title ?? binding.command.title)\n"
            }
        }
        return text
    }

    /// Name, values, default and meaning of every setting, for the manual page.
    public static var chapters: [(name: String, values: String, initial: String, help: String)] {
        Setting.all.map { ($0.name, $0.values, $0.defaultText ?? "not set", $0.help) }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
