// What the popups list after filtering.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension AppState {
    /// One line of the help: keys and what they do.
    struct HelpLine: Sendable, Equatable {
        var keys: String
        var command: Command
        var title: String
        /// Whether it works in every pane.
        var isGlobal: Bool
    }

    func helpLines(_ overlay: Overlay) -> [HelpLine] {
        guard case .help(let pane, let list) = overlay else { return [] }
        let query = list.entry.text
        func lines(_ context: KeyContext) -> [HelpLine] {
            bindings.commands(in: context).map {
                HelpLine(
                    keys: bindings.keyText(for: $0, in: context), command: $0,
                    title: bindings.title(of: $0, in: context), isGlobal: context == .global)
            }
        }
        let all = lines(.pane(pane)) + lines(.global)
        if query.isEmpty { return all }
        return all.filter {
            FuzzyMatch.score(query, in: $0.title) != nil
                || $0.keys.lowercased().contains(query.lowercased())
        }
    }

    /// Every command, the recent ones first, narrowed and ordered by how well the query fits.
    func paletteCommands(_ overlay: Overlay) -> [Command] {
        guard let query = overlay.list?.entry.text else { return [] }
        // Moving about is no command that anybody looks for by name.
        let rest = Command.allCases.filter {
            !recentCommands.contains($0) && $0 != .palette && !$0.isMovement
        }
        let all = recentCommands + rest
        return FuzzyMatch.filter(all, by: query) { $0.title }
    }

    func themeNames(_ overlay: Overlay) -> [String] {
        FuzzyMatch.filter(themes, by: overlay.list?.entry.text ?? "") { $0 }
    }

    var highlightedTheme: String? {
        guard let top = overlays.last, case .themes(let list, _) = top else { return nil }
        let names = themeNames(top)
        return names.indices.contains(list.selected) ? names[list.selected] : nil
    }

    /// Labels by name; nil stands for "no class".
    func classLabels(_ overlay: Overlay) -> [Int?] {
        let count = model?.geometry.classes.count ?? 0
        let labels = (0..<count).map(Int?.some) + [nil]
        return FuzzyMatch.filter(labels, by: overlay.list?.entry.text ?? "") { label in
            (label.map { "\($0) " } ?? "") + (model?.className(label) ?? "")
        }
    }

    func lineCount(of overlay: Overlay) -> Int {
        switch overlay {
        case .help: helpLines(overlay).count
        case .palette: paletteCommands(overlay).count
        case .themes: themeNames(overlay).count
        case .classes: classLabels(overlay).count
        case .history: historyLines(overlay).count
        case .symmetry(let picker, let list):
            symmetryChoices(picker, query: list.entry.text).count
        case .menu(let pane, _, _): Command.menu(of: pane, bindings).count
        case .prompt, .columns: 1
        case .question(let question): question.answers.count
        }
    }
}
