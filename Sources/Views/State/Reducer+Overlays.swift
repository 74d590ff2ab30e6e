// Popups: opening, typing into, choosing from and closing them.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension Reducer {
    static func overlay(_ action: OverlayAction, _ state: inout AppState) -> [Effect] {
        switch action {
        case .close: return closeOverlay(&state)
        case .select(let index):
            select(index, &state)
            return previewTheme(&state)
        case .choose(let index):
            select(index, &state)
            return confirmOverlay(&state)
        case .scroll(let lines): return moveSelection(lines, &state)
        case .menu(let pane, let point):
            focus(pane, &state)
            state.overlays.append(.menu(pane, at: point, selected: 0))
        case .askToQuit: return quit(&state, asksAlways: true)
        }
        return []
    }

    /// A key for the popup on top, else for the value being typed in the schedule.
    static func key(_ key: KeyPress, _ state: inout AppState) -> [Effect] {
        guard let top = state.overlays.last else { return scheduleEditKey(key, &state) }
        if case .columns = top { return columnsKey(key, &state) }
        switch (key.code, key.modifiers) {
        case (.escape, _): return closeOverlay(&state)
        case (.enter, _): return confirmOverlay(&state)
        case (.up, _), (.character("p"), .control): return moveSelection(-1, &state)
        case (.down, _), (.character("n"), .control): return moveSelection(1, &state)
        case (.tab, .shift): return moveSelection(-1, &state)
        case (.tab, _): return moveSelection(1, &state)
        case (.pageUp, _): return moveSelection(-10, &state)
        case (.pageDown, _): return moveSelection(10, &state)
        default: return type(key, into: top, &state)
        }
    }

    static func paste(_ text: String, _ state: inout AppState) -> [Effect] {
        guard let top = state.overlays.last else {
            guard var editing = state.schedule.editing else { return [] }
            editing.entry.insert(text)
            state.schedule.editing = editing
            return scheduleEditKey(KeyPress(.end), &state)
        }
        switch top {
        case .prompt(let kind, var entry, _):
            entry.insert(text)
            replaceTop(.prompt(kind, entry, problem: nil), &state)
        default:
            guard var list = top.list else { return [] }
            list.entry.insert(text)
            list.selected = 0
            replaceTop(top.with(list), &state)
        }
        return []
    }

    static func replaceTop(_ overlay: Overlay, _ state: inout AppState) {
        if !state.overlays.isEmpty { state.overlays[state.overlays.count - 1] = overlay }
    }

    private static func type(
        _ key: KeyPress, into top: Overlay, _ state: inout AppState
    ) -> [Effect] {
        switch top {
        case .prompt(let kind, var entry, let problem):
            if entry.handle(key) {
                replaceTop(.prompt(kind, entry, problem: nil), &state)
            } else {
                replaceTop(.prompt(kind, entry, problem: problem), &state)
            }
        case .question(let question):
            guard let typed = key.typedText else {
                if key.code == .left { return moveSelection(-1, &state) }
                return key.code == .right ? moveSelection(1, &state) : []
            }
            let letter = typed.lowercased()
            if let index = question.answers.firstIndex(where: {
                $0.prefix(1).lowercased() == letter
            }) {
                select(index, &state)
                return confirmOverlay(&state)
            }
            switch letter {
            case "q": return closeOverlay(&state)
            case "h", "k": return moveSelection(-1, &state)
            case "j", "l": return moveSelection(1, &state)
            case "y":
                select(0, &state)
                return confirmOverlay(&state)
            case "n":
                select(question.answers.count - 1, &state)
                return confirmOverlay(&state)
            default: break
            }
        case .columns: break
        case .menu:
            switch key.typedText {
            case "j": return moveSelection(1, &state)
            case "k": return moveSelection(-1, &state)
            case "q": return closeOverlay(&state)
            default: break
            }
        case .help, .palette, .themes, .classes, .history, .symmetry:
            guard var list = top.list else { return [] }
            // `q` and `?` leave the help while nothing has been typed.
            if case .help = top, list.entry.text.isEmpty,
                key.typedText == "q" || key.typedText == "?"
            {
                return closeOverlay(&state)
            }
            if list.entry.handle(key) {
                list.selected = 0
                replaceTop(top.with(list), &state)
                return previewTheme(&state)
            }
        }
        return []
    }

    // MARK: Selection

    private static func select(_ index: Int, _ state: inout AppState) {
        guard let top = state.overlays.last else { return }
        let index = max(0, min(state.lineCount(of: top) - 1, index))
        switch top {
        case .question(var question):
            question.selected = index
            replaceTop(.question(question), &state)
        case .menu(let pane, let at, _):
            replaceTop(.menu(pane, at: at, selected: index), &state)
        default:
            guard var list = top.list else { return }
            list.selected = index
            replaceTop(top.with(list), &state)
        }
    }

    private static func moveSelection(_ steps: Int, _ state: inout AppState) -> [Effect] {
        guard let top = state.overlays.last else { return [] }
        select((top.selected ?? 0) + steps, &state)
        return previewTheme(&state)
    }

    private static func previewTheme(_ state: inout AppState) -> [Effect] {
        guard case .themes = state.overlays.last, let name = state.highlightedTheme else {
            return []
        }
        state.themeName = name
        return [.setTheme(name)]
    }

    // MARK: Ending

    static func closeOverlay(_ state: inout AppState) -> [Effect] {
        guard let top = state.overlays.popLast() else { return [] }
        if case .themes(_, let before) = top {
            state.themeName = before
            return [.setTheme(before)]
        }
        if case .question(let question) = top, question.kind == .restore {
            state.session.recovered = nil
        }
        return []
    }

    private static func confirmOverlay(_ state: inout AppState) -> [Effect] {
        guard let top = state.overlays.last else { return [] }
        switch top {
        case .help:
            let lines = state.helpLines(top)
            state.overlays.removeLast()
            let index = top.selected ?? 0
            guard lines.indices.contains(index) else { return [] }
            return lines[index].command.apply(to: &state)
        case .palette:
            let commands = state.paletteCommands(top)
            state.overlays.removeLast()
            let index = top.selected ?? 0
            guard commands.indices.contains(index) else { return [] }
            let command = commands[index]
            state.recentCommands.removeAll { $0 == command }
            state.recentCommands.insert(command, at: 0)
            state.recentCommands = Array(state.recentCommands.prefix(8))
            return command.apply(to: &state)
        case .themes:
            let name = state.highlightedTheme
            state.overlays.removeLast()
            guard let name else { return [] }
            state.themeName = name
            return [.setTheme(name)]
        case .classes:
            let labels = state.classLabels(top)
            state.overlays.removeLast()
            let index = top.selected ?? 0
            guard labels.indices.contains(index) else { return [] }
            return schedule(.setClass(labels[index]), &state)
        case .history:
            let lines = state.historyLines(top)
            state.overlays.removeLast()
            let index = top.selected ?? 0
            guard lines.indices.contains(index) else { return [] }
            return walk(to: lines[index].place, &state)
        case .symmetry(let picker, let list):
            state.overlays.removeLast()
            return pickSymmetry(picker, list.selected, list, &state)
        case .menu(let pane, _, let selected):
            let commands = Command.menu(of: pane, state.bindings)
            state.overlays.removeLast()
            guard commands.indices.contains(selected) else { return [] }
            return commands[selected].apply(to: &state)
        case .columns:
            state.overlays.removeLast()
            return []
        case .prompt(let kind, let entry, _):
            return confirmPrompt(kind, entry, &state)
        case .question(let question):
            state.overlays.removeLast()
            return answer(question, &state)
        }
    }

    private static func confirmPrompt(
        _ kind: PromptKind, _ entry: TextEntry, _ state: inout AppState
    ) -> [Effect] {
        let path = entry.text.trimmed
        if kind == .searchGallery {
            state.overlays.removeLast()
            state.gallery.query = path
            if let first = state.galleryItems.first, !path.isEmpty { select(first, &state) }
            return []
        }
        let mayBeEmpty = if case .trainingData = kind { true } else { false }
        guard !path.isEmpty || mayBeEmpty else {
            replaceTop(.prompt(kind, entry, problem: "Type a file name, or Esc."), &state)
            return []
        }
        state.overlays.removeLast()
        switch kind {
        case .openRecipe: return [.openRecipe(path: path)]
        case .openPicture, .importMask:
            guard let side = readyModel(&state)?.geometry.imageSize else { return [] }
            return kind == .openPicture
                ? [.openPicture(path: path, side: side)] : [.importMask(path: path, side: side)]
        case .writeMask:
            guard let mask = state.mask.mask else { return [] }
            return [.writeMask(mask, path: path, overwrites: false)]
        case .savePicture(let run): return save(run: run, path: path, overwrites: false, &state)
        case .symmetryFolder, .symmetryData, .symmetryAngle, .symmetryExport:
            return confirmSymmetryPrompt(kind, path, &state)
        case .trainingData, .trainingFolder: return answerTraining(kind, path, &state)
        case .trainingExport(let folder):
            return exportTraining(folder, base: path, overwrites: false, &state)
        case .searchLog:
            state.log.query = path
            return searchLog(1, fromNewest: true, &state)
        case .searchGallery: return []
        }
    }

    private static func answer(_ question: Question, _ state: inout AppState) -> [Effect] {
        let isFirst = question.selected == 0
        switch question.kind {
        case .quit:
            if isFirst { state.isFinished = true }
            return []
        case .restore:
            if isFirst { return session(.restore, &state) }
            state.session.recovered = nil
            return []
        case .overwrite(let kind, let path):
            guard isFirst else { return [] }
            switch kind {
            case .writeMask:
                guard let mask = state.mask.mask else { return [] }
                return [.writeMask(mask, path: path, overwrites: true)]
            case .savePicture(let run): return save(run: run, path: path, overwrites: true, &state)
            case .symmetryExport:
                return exportSymmetry(base: path, overwrites: true, &state)
            case .trainingExport(let folder):
                return exportTraining(folder, base: path, overwrites: true, &state)
            case .openPicture, .openRecipe, .importMask, .searchLog, .searchGallery,
                .symmetryFolder, .symmetryData, .symmetryAngle, .trainingData, .trainingFolder:
                return []
            }
        }
    }
}

nonisolated extension Overlay {
    /// The filtered list of popups that have one.
    var list: FilteredList? {
        switch self {
        case .help(_, let list), .palette(let list), .themes(let list, _), .classes(let list),
            .history(let list), .symmetry(_, let list):
            list
        case .columns, .menu, .prompt, .question: nil
        }
    }

    var selected: Int? {
        switch self {
        case .menu(_, _, let selected): selected
        case .question(let question): question.selected
        default: list?.selected
        }
    }

    func with(_ list: FilteredList) -> Overlay {
        switch self {
        case .help(let pane, _): .help(pane, list)
        case .palette: .palette(list)
        case .themes(_, let before): .themes(list, before: before)
        case .classes: .classes(list)
        case .history: .history(list)
        case .symmetry(let picker, _): .symmetry(picker, list)
        case .columns, .menu, .prompt, .question: self
        }
    }
}

nonisolated extension String {
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
