// Recipes and their runs: the list, where a training stands, and its figures.
// SPDX-License-Identifier: Apache-2.0
import Core

enum TrainPane: Pane {
    static let id = PaneID.train

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let train = context.state.train
        guard size.width >= 8, size.height >= 2 else { return }
        let items = train.items
        guard !items.isEmpty else {
            let text =
                train.isListed
                ? "No recipes were found. `workbench paths` lists the folders where they belong; "
                    + "`workbench train RECIPE` trains any other."
                : "Looking for recipes…"
            for (row, line) in context.wrapped(text, width: size.width).enumerated() {
                surface.put(line, x: 0, y: row, style: context.dim)
            }
            return
        }
        if size.width >= 88 {
            let names = items.map { CharacterWidth.of(train.title(of: $0)) }.max() ?? 0
            let (left, right) = size.splitLeft(max(36, min(names + 10, size.width / 3)))
            let facts = facts(context, width: left.width - 1)
            let listRows = max(3, min(items.count, left.height - facts.count - 1))
            list(
                in: Rect(x: 0, y: 0, width: left.width - 1, height: listRows), into: &surface,
                context: context, isFocused: isFocused)
            draw(
                facts, y: listRows + 1, height: left.height - listRows - 1, into: &surface,
                context: context, width: left.width - 1)
            surface.verticalRule(
                x: left.maxX - 1, y: 0, height: size.height,
                border: context.isASCII ? .ascii : .single,
                style: context.theme[.border])
            figures(
                in: Rect(x: right.x + 1, y: 0, width: right.width - 1, height: right.height),
                into: &surface, context: context)
            return
        }
        let listRows = max(1, min(items.count, size.height / 5))
        list(
            in: Rect(x: 0, y: 0, width: size.width, height: listRows), into: &surface,
            context: context, isFocused: isFocused)
        let facts = facts(context, width: size.width)
        let factRows = max(0, min(facts.count, (size.height - listRows) / 3))
        draw(
            facts, y: listRows, height: factRows, into: &surface, context: context,
            width: size.width)
        let top = listRows + factRows
        figures(
            in: Rect(x: 0, y: top, width: size.width, height: size.height - top), into: &surface,
            context: context)
    }

    // MARK: The list

    private static func list(
        in rect: Rect, into surface: inout Surface, context: DrawContext, isFocused: Bool
    ) {
        let train = context.state.train
        let items = train.items
        let first = max(0, min(items.count - rect.height, train.selected - rect.height / 2))
        let hasBar = items.count > rect.height
        let width = rect.width - (hasBar ? 1 : 0)
        for row in 0..<min(rect.height, items.count - first) {
            let index = first + row
            let item = items[index]
            let run = train.runs[train.folder(of: item)]
            let (mark, markStyle, note) = mark(item, run, context: context)
            let isSelected = index == train.selected
            let y = rect.y + row
            var style = isSelected && isFocused ? context.theme[.selection] : context.text
            if isSelected, !isFocused { style = style.adding(.bold) }
            surface.fill(Rect(x: rect.x, y: y, width: width, height: 1), style: style)
            surface.put(
                mark, x: rect.x + 1, y: y,
                style: isSelected && isFocused ? style : context.theme[markStyle])
            let room = width - 3 - (note.isEmpty ? 0 : CharacterWidth.of(note) + 1)
            surface.put(
                shortened(train.title(of: item), to: max(4, room)), x: rect.x + 3, y: y,
                style: style)
            if CharacterWidth.of(note) + 8 <= width {
                surface.put(
                    note, x: rect.x + width - CharacterWidth.of(note), y: y,
                    style: isSelected && isFocused ? style : context.dim)
            }
            if isSelected, isFocused { context.cursor(x: rect.x + 1, y: y, on: surface) }
            context.click(
                Rect(x: rect.x, y: y, width: width, height: 1), on: surface,
                [.focus(.train), .train(.select(index))])
        }
        if hasBar {
            context.scrollbar(
                first: first, total: items.count, x: rect.maxX - 1, y: rect.y,
                height: rect.height, on: &surface)
        }
    }

    /// The end of a path says more than its beginning.
    private static func shortened(_ text: String, to width: Int) -> String {
        guard CharacterWidth.of(text) > width, text.hasPrefix("/") else {
            return CharacterWidth.truncate(text, to: width)
        }
        return "…" + String(text.suffix(max(0, width - 1)))
    }

    private static func mark(
        _ item: TrainState.Item, _ run: TrainRun?, context: DrawContext
    ) -> (String, StyleName, String) {
        if case .recipe(let recipe) = item, recipe.problem != nil {
            return (context.symbol("✗", "x"), .jobFailed, "unusable")
        }
        guard let status = run?.status else { return (" ", .textDim, "") }
        let share = status.total > 0 ? "\(100 * status.step / status.total) %" : ""
        switch status.phase {
        case .preparing: return (context.symbol("◌", "~"), .jobRunning, "preparing")
        case .running: return (context.symbol("▶", ">"), .jobRunning, share)
        case .paused: return (context.symbol("‖", "="), .jobCancelled, "held " + share)
        case .stopped: return (context.symbol("■", "-"), .jobCancelled, share)
        case .done: return (context.symbol("✓", "v"), .jobDone, "done")
        case .failed: return (context.symbol("✗", "x"), .jobFailed, "failed")
        case .lost: return (context.symbol("✗", "x"), .jobFailed, "killed " + share)
        }
    }

    // MARK: Where it stands

    /// A line of facts; the first may be a bar.
    private struct Fact {
        var text: String
        var style: StyleName = .text
        var share: Double?
        var actions: [Action] = []
    }

    private static func facts(_ context: DrawContext, width: Int) -> [Fact] {
        let train = context.state.train
        guard let item = train.selectedItem else { return [] }
        let folder = train.folder(of: item)
        let run = train.runs[folder]
        var lines: [Fact] = []
        func add(_ text: String, _ style: StyleName = .text, _ actions: [Action] = []) {
            for line in context.wrapped(text, width: width) {
                lines.append(Fact(text: line, style: style, actions: actions))
            }
        }
        if case .recipe(let recipe) = item, let problem = recipe.problem {
            add(problem, .logError)
            return lines
        }
        if let status = run?.status {
            let steps =
                status.total > 0 ? "\(status.step)/\(status.total)" : status.phase.rawValue
            lines.append(
                Fact(
                    text: steps, style: .text,
                    share: status.total > 0 ? Double(status.step) / Double(status.total) : 0))
            if let problem = status.problem { add(problem, .logError) }
            var words = [phrase(status.phase)]
            if !context.state.options.isDeterministic {
                if let rate = status.stepsPerSecond, status.phase == .running {
                    words.append(TokensPane.decimal(rate, digits: rate < 10 ? 2 : 0) + " steps/s")
                }
                if let remaining = status.remaining, status.phase == .running {
                    words.append("about \(context.duration(remaining)) left")
                }
            }
            if let step = status.checkpointStep { words.append("checkpoint at \(step)") }
            add(words.joined(separator: " · "))
            if !status.title.isEmpty { add(status.title, .textDim) }
            if !status.device.isEmpty { add("on \(status.device)", .textDim) }
        } else if case .recipe(let recipe) = item {
            add(recipe.summary)
            if recipe.steps > 0 { add("\(recipe.system), \(recipe.steps) steps", .textDim) }
        }
        if case .recipe(let recipe) = item, run?.isActive != true {
            let data = train.dataFolder(of: recipe)
            let shownData = data.map { $0.isEmpty ? "the recipe's places" : $0 } ?? "not chosen"
            if !recipe.dataKind.isEmpty {
                add("data (d): \(shownData)", .textDim, [.focus(.train), .command(.setDataFolder)])
            }
            add(
                "device (D): \(train.device ?? "auto")", .textDim,
                [.focus(.train), .command(.nextTrainDevice)])
        }
        lines.append(
            Fact(
                text: "run: " + shortened(folder, to: max(8, width - 5)), style: .textDim,
                actions: [.focus(.train), .command(.setRunFolder)]))
        if let run, run.unreadableLines > 0 {
            add("\(run.unreadableLines) lines of its metrics cannot be read.", .logWarning)
        }
        return lines
    }

    private static func phrase(_ phase: TrainingStatus.Phase) -> String {
        switch phase {
        case .preparing: "reads its data"
        case .running: "training"
        case .paused: "held; Space goes on"
        case .stopped: "stopped; Enter resumes"
        case .done: "done"
        case .failed: "failed; Enter tries again"
        case .lost: "ended unexpectedly; Enter resumes"
        }
    }

    private static func draw(
        _ facts: [Fact], y: Int, height: Int, into surface: inout Surface, context: DrawContext,
        width: Int
    ) {
        for (row, fact) in facts.prefix(max(0, height)).enumerated() {
            if let share = fact.share {
                let barWidth = max(0, width - CharacterWidth.of(fact.text) - 1)
                context.bar(share, x: 0, y: y + row, width: barWidth, on: &surface)
                surface.put(fact.text, x: barWidth + 1, y: y + row, style: context.text)
                continue
            }
            surface.put(
                CharacterWidth.truncate(fact.text, to: width), x: 0, y: y + row,
                style: context.theme[fact.style])
            if !fact.actions.isEmpty {
                context.click(
                    Rect(x: 0, y: y + row, width: width, height: 1), on: surface, fact.actions)
            }
        }
    }
}
