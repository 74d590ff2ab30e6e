// The dozen keys that matter, for the README. SPDX-License-Identifier: Apache-2.0

nonisolated extension KeySheet {
    /// Commands with where they are and what they do together, in few words.
    private static let chosen: [(context: KeyContext, commands: [Command], words: String)] = [
        (.global, [.help, .palette], "the keys of the pane; every command by name"),
        (.pane(.preview), [.generate], "make a picture; in the mask, run the edit"),
        (.global, [.runNewSeed], "another one, with a new seed"),
        (.pane(.preview), [.scrubBack, .scrubForward], "back and forth through the passes"),
        (.pane(.preview), [.branch], "go back to this scale and draw on from it"),
        (.pane(.preview), [.editPicture], "paint a mask over this picture"),
        (.global, [.compare], "VAR, HMAR without and with mask steps at the same seed"),
        (.pane(.preview), [.viewGallery, .comparePair], "all pictures; two of them compared"),
        (.global, [.undo, .redo, .history], "undo, redo, the list of all that was done"),
        (.global, [.savePicture, .openRecipe], "save with the recipe inside; make it again"),
        (.global, [.copyCommand], "copy the command line that does the same"),
        (.global, [.focusModels, .focusSymmetry], "to the panes, by their numbers"),
        (.global, [.themes], "try the themes"),
        (.global, [.zoomPane], "one pane on the whole screen, and back"),
        (.global, [.back, .quit], "cancel or go back; quit"),
    ]

    /// A short table as Markdown.
    public static func short(_ settings: Settings = Settings()) -> String {
        let bindings = settings.options.bindings
        var text = "| key | does |\n| --- | --- |\n"
        for line in chosen {
            let keys = line.commands.compactMap { command in
                bindings.bindings.first { $0.context == line.context && $0.command == command }?
                    .keys.first.map { "`\($0.label)`" }
            }
            let isRange = line.commands == [.focusModels, .focusSymmetry]
            text += "| \(keys.joined(separator: isRange ? " … " : " ")) | \(line.words) |\n"
        }
        return text
    }
}
