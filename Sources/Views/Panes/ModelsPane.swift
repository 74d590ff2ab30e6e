// The catalogue and the card of the selected model.
// SPDX-License-Identifier: Apache-2.0
import Core

enum ModelsPane: Pane {
    static let id = PaneID.models

    static func draw(into surface: inout Surface, context: DrawContext, isFocused: Bool) {
        let size = surface.bounds
        let models = context.state.models
        guard !models.entries.isEmpty else {
            let text =
                models.isListed
                ? "No models were found. The log (7) says where they were looked for; "
                    + "`workbench paths` lists the folders."
                : "Looking for models…"
            for (row, line) in context.wrapped(text, width: size.width).enumerated() {
                surface.put(line, x: 0, y: row, style: context.dim)
            }
            return
        }
        // In focus the list comes first, else the card of what is loaded.
        let count = models.entries.count
        let listHeight = min(
            count, max(1, isFocused ? size.height - min(4, size.height / 3) : size.height / 3))
        let first = max(0, min(models.selected - listHeight / 2, count - listHeight))
        let isCut = count > listHeight
        for row in 0..<listHeight {
            drawEntry(
                first + row, y: row, width: size.width - (isCut ? 1 : 0), into: &surface,
                context: context, isFocused: isFocused)
        }
        if isCut {
            context.scrollbar(
                first: first, total: count, x: size.width - 1, y: 0, height: listHeight,
                on: &surface)
        }
        // A blank row parts the card from the list where there is room for one.
        let cardTop = listHeight + (size.height >= 20 ? 1 : 0)
        let cardRows = size.height - cardTop
        guard cardRows > 0, let entry = models.selectedEntry else { return }
        let lines = card(entry, context: context, width: size.width - 1)
        let scroll = min(models.cardScroll, max(0, lines.count - cardRows))
        for row in 0..<min(cardRows, lines.count - scroll) {
            let line = lines[scroll + row]
            surface.put(
                CharacterWidth.truncate(line.text, to: size.width - 1), x: 0, y: cardTop + row,
                style: context.theme[line.style])
        }
        context.scrollbar(
            first: scroll, total: lines.count, x: size.width - 1, y: cardTop,
            height: cardRows, on: &surface)
    }

    private static func drawEntry(
        _ index: Int, y: Int, width: Int, into surface: inout Surface, context: DrawContext,
        isFocused: Bool
    ) {
        let models = context.state.models
        let entry = models.entries[index]
        let name = entry.card.name
        let isLoaded = models.loaded?.card.name == name
        var mark = " "
        var note = ""
        var noteStyle = context.dim
        switch models.loading {
        case .loading(name): (mark, note) = (context.symbol("◌", "~"), "loading…")
        case .failed(name, _):
            (mark, note) = (context.symbol("✗", "x"), "failed")
            noteStyle = context.errorStyle
        default:
            if isLoaded {
                mark = context.symbol("●", "*")
                note = models.loaded.map { context.bytes($0.weightBytes) } ?? ""
            }
        }
        let isSelected = index == models.selected
        var style = isSelected && isFocused ? context.theme[.selection] : context.text
        if isSelected, !isFocused { style = style.adding(.bold) }
        surface.put(" \(mark) \(name)", x: 0, y: y, width: width, style: style)
        if !note.isEmpty, width > CharacterWidth.of(name) + CharacterWidth.of(note) + 6 {
            surface.put(
                note, x: width - CharacterWidth.of(note) - 1, y: y,
                style: isSelected && isFocused
                    ? style : (note == "failed" ? noteStyle : context.theme[.jobDone]))
        }
        if isSelected, isFocused { context.cursor(x: 1, y: y, on: surface) }
        context.click(
            Rect(x: 0, y: y, width: width, height: 1), on: surface,
            isSelected
                ? [.focus(.models), .models(.load(name))]
                : [.focus(.models), .models(.select(index))])
    }

    /// The device that the loaded model computes on, with its name and free memory.
    private static func place(_ context: DrawContext) -> String {
        let models = context.state.models
        let name = models.loadedDevice ?? models.device
        guard let device = models.devices.first(where: { $0.name == name }) else {
            return "On \(name)"
        }
        guard let total = device.totalBytes else {
            // "On cpu: CPU" would say it twice.
            let isNamed = device.title.lowercased().hasPrefix(name.lowercased())
            return "On " + (isNamed ? device.title : "\(name): \(device.title)")
        }
        let memory =
            device.freeBytes.map { "\(context.bytes($0)) of \(context.bytes(total)) free" }
            ?? context.bytes(total)
        return "On \(name): \(device.title), \(memory)"
    }

    private static func card(
        _ entry: ModelEntry, context: DrawContext, width: Int
    ) -> [(text: String, style: StyleName)] {
        let card = entry.card
        var lines: [(text: String, style: StyleName)] = []
        func add(_ text: String, _ style: StyleName = .text) {
            for line in context.wrapped(text, width: width) { lines.append((line, style)) }
        }
        if case .failed(card.name, let reason) = context.state.models.loading {
            add(reason, .logError)
        }
        add(card.summary)
        if let side = card.imageSize, let patchNums = card.patchNums {
            add("\(side)×\(side) px, scales " + patchNums.map(String.init).joined(separator: " "))
        }
        if let facts = context.state.model, facts.card.name == card.name {
            add("In memory: \(context.bytes(facts.weightBytes))", .jobDone)
            add(place(context), .jobDone)
            for line in facts.summaryLines { add(line, .textDim) }
        } else {
            let total = card.files.reduce(0) { $0 + $1.bytes }
            if total > 0 { add("On disk: \(context.bytes(total))", .textDim) }
            for (role, count) in card.parameters.sorted(by: { $0.key < $1.key }) {
                add("\(role): \(CountText.short(count)) parameters", .textDim)
            }
        }
        if !card.data.isEmpty { add("Data: \(card.data)", .textDim) }
        if !card.licence.isEmpty { add("Licence: \(card.licence)", .textDim) }
        for metric in card.metrics {
            let unit = metric.unit.map { " " + $0 } ?? ""
            add("\(metric.name): \(PlotAxis.plainLabel(metric.value))\(unit)", .textDim)
        }
        if let notes = card.notes { add(notes, .textDim) }
        return lines
    }
}
