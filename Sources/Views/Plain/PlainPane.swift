// A pane as lines of text, from the same drawing as the full screen.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What a pane says, without pictures and frames.
struct PaneText: Equatable {
    /// Lines that hold something, inner blanks joined.
    var lines: [String]
    /// The line in focus.
    var item: String?
}

extension WorkbenchApplication {
    /// The focused pane as text.
    func paneText() -> PaneText {
        let notes = FrameNotes()
        let size = CellSize(columns: 76, rows: 60)
        var surface = Surface(size: size, style: .plain)
        Screen.draw(
            state.layout.focus, into: &surface, context: context(notes: notes), isFocused: true)
        let rows = surface.text().split(separator: "\n", omittingEmptySubsequences: false)
        func clean(_ line: Substring) -> String {
            line.split(separator: " ").joined(separator: " ")
        }
        let lines = rows.map(clean)
        let item = notes.cursor.flatMap { lines.indices.contains($0.y) ? lines[$0.y] : nil }
        return PaneText(
            lines: lines.filter { $0.contains { $0.isLetter || $0.isNumber } },
            item: item.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// The lines of a popup's list, with their keys.
    func overlayLines(_ overlay: Overlay) -> [String] {
        let focus = state.layout.focus
        func withKey(_ command: Command, _ title: String) -> String {
            let key = state.bindings.firstKey(for: command, in: focus)?.description
            return title + (key.map { " (\($0))" } ?? "") + ", \(command.name)"
        }
        switch overlay {
        case .help: return state.helpLines(overlay).map { withKey($0.command, $0.title) }
        case .palette: return state.paletteCommands(overlay).map { withKey($0, $0.title) }
        case .themes: return state.themeNames(overlay)
        case .classes: return state.classLabels(overlay).map { state.model?.className($0) ?? "" }
        case .symmetry(let picker, let list):
            return state.symmetryChoices(picker, query: list.entry.text).map {
                "\($0.title), \($0.name)"
            }
        case .history: return state.historyLines(overlay).map { "\($0.title) \($0.detail)" }
        case .menu(let pane, _, _):
            return Command.menu(of: pane, state.bindings).map { withKey($0, $0.title) }
        case .prompt, .question, .columns: return []
        }
    }
}

nonisolated extension AppState {
    /// A run in a few words: what tells it from others first, so that it survives a narrow pane.
    func title(of run: Run) -> String {
        let label = model?.classTitle(run.request.classLabel) ?? "no class"
        switch run.kind {
        case .sample:
            var words = [label, "seed \(run.request.seed)"]
            if run.request.variant != .hmar { words.append(run.request.variant.shortTitle) }
            if let start = run.request.start, run.schedule.patchNums.indices.contains(start.scale) {
                let side = run.schedule.patchNums[start.scale]
                words.append("from \(side)×\(side)")
            }
            return words.joined(separator: ", ")
        case .edit(let mode): return "\(mode.title), seed \(run.request.seed)"
        }
    }
}
