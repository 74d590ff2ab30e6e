// All pictures of the session: looking, marking, searching, comparing two.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One picture of one run.
nonisolated struct GalleryItem: Sendable, Hashable {
    var run: Int
    /// In the batch.
    var picture: Int
}

/// How two pictures are looked at.
nonisolated enum PairView: String, Sendable, CaseIterable {
    case sideBySide, first, second, difference

    var title: String {
        switch self {
        case .sideBySide: "side by side"
        case .first: "first"
        case .second: "second"
        case .difference: "difference"
        }
    }
}

nonisolated struct GalleryState: Sendable, Equatable {
    /// What is searched for; empty shows all.
    var query = ""
    /// The two that are compared.
    var pair: [GalleryItem] = []
    var pairView = PairView.sideBySide
    /// Columns of the last frame's grid, for moving up and down.
    var columns = 4
}

nonisolated extension AppState {
    /// The pictures that the gallery shows, newest first.
    var galleryItems: [GalleryItem] {
        runs.runs.reversed().filter { !$0.images.isEmpty && matches($0) }
            .flatMap { run in
                run.images.indices.filter { !run.hidden.contains($0) }
                    .map { GalleryItem(run: run.id, picture: $0) }
            }
    }

    var markedItems: [GalleryItem] {
        runs.runs.flatMap { run in
            run.marked.subtracting(run.hidden).sorted()
                .map { GalleryItem(run: run.id, picture: $0) }
        }
    }

    func image(_ item: GalleryItem) -> RGBImage? {
        guard let images = runs.run(id: item.run)?.images, images.indices.contains(item.picture)
        else { return nil }
        return images[item.picture]
    }

    /// The gallery's item that preview and tokens show.
    var shownItem: GalleryItem? {
        runs.shownID.map { GalleryItem(run: $0, picture: preview.picture) }
    }

    /// What can be searched for: class, seed, model, kind, variant, `marked`, `saved`.
    func galleryText(_ run: Run) -> String {
        var words = [
            className(of: run), "seed \(run.request.seed)", run.modelName,
            run.request.variant.shortTitle,
        ]
        if case .edit(let mode) = run.kind { words.append("edit " + mode.title) }
        if let branch = run.branch { words.append("branch from scale \(branch.scale)") }
        if !run.marked.isEmpty { words.append("marked") }
        if run.isSaved { words.append("saved") }
        return words.joined(separator: " ").lowercased()
    }

    func className(of run: Run) -> String {
        model?.classTitle(run.request.classLabel)
            ?? run.request.classLabel.map { "class \($0)" } ?? "no class"
    }

    /// Every word that was typed must be found.
    private func matches(_ run: Run) -> Bool {
        let words = gallery.query.lowercased().split(whereSeparator: \.isWhitespace)
        guard !words.isEmpty else { return true }
        let text = galleryText(run)
        return words.allSatisfy { text.contains($0) }
    }
}

nonisolated extension Reducer {
    /// Commands that mean something else while the preview shows gallery, pair or branches; nil for
    /// those that don't.
    static func galleryCommand(_ command: Command, _ state: inout AppState) -> [Effect]? {
        guard state.layout.focus == .preview else { return nil }
        switch state.preview.view {
        case .gallery: return gallery(command, &state)
        case .pair:
            switch command {
            case .pauseRun:
                state.gallery.pairView = state.gallery.pairView == .first ? .second : .first
            case .compare: comparePair(&state)
            case .scrubBack: state.gallery.pairView = .first
            case .scrubForward: state.gallery.pairView = .second
            case .back: state.preview.view = .gallery
            default: return nil
            }
        case .branches:
            switch command {
            case .scrubBack: walkBranches(x: -1, y: 0, &state)
            case .scrubForward: walkBranches(x: 1, y: 0, &state)
            case .previousPicture: walkBranches(x: 0, y: -1, &state)
            case .nextPicture: walkBranches(x: 0, y: 1, &state)
            case .scrubFirst: walkBranches(x: 0, y: -100_000, &state)
            case .scrubLast: walkBranches(x: 0, y: 100_000, &state)
            case .generate: state.preview.view = .picture
            default: return nil
            }
        case .picture, .scales, .grid, .compare: return nil
        }
        return []
    }

    private static func gallery(_ command: Command, _ state: inout AppState) -> [Effect]? {
        let columns = max(1, state.gallery.columns)
        switch command {
        case .scrubBack: moveInGallery(-1, &state)
        case .scrubForward: moveInGallery(1, &state)
        case .previousPicture: moveInGallery(-columns, &state)
        case .nextPicture: moveInGallery(columns, &state)
        case .pageUp: moveInGallery(-3 * columns, &state)
        case .pageDown: moveInGallery(3 * columns, &state)
        case .scrubFirst: moveInGallery(-100_000, &state)
        case .scrubLast: moveInGallery(100_000, &state)
        case .generate: state.preview.view = .picture
        case .pauseRun: toggleMark(&state)
        case .compare: comparePair(&state)
        case .hidePicture: hidePicture(&state)
        case .search:
            state.overlays.append(
                .prompt(.searchGallery, TextEntry(state.gallery.query), problem: nil))
        case .back:
            // Leaves one thing at a time; then it means what it means everywhere.
            guard !state.gallery.query.isEmpty, state.overlays.isEmpty else { return nil }
            state.gallery.query = ""
        default: return nil
        }
        return []
    }

    static func moveInGallery(_ steps: Int, _ state: inout AppState) {
        let items = state.galleryItems
        guard !items.isEmpty else { return }
        let index = state.shownItem.flatMap { items.firstIndex(of: $0) }
        let next = index.map { max(0, min(items.count - 1, $0 + steps)) } ?? 0
        // A step down from the last whole row goes to the last picture, not nowhere.
        select(items[next], &state)
    }

    static func select(_ item: GalleryItem, _ state: inout AppState) {
        show(item.run, &state)
        preview(.selectPicture(item.picture), &state)
    }

    static func toggleMark(_ state: inout AppState) {
        guard let item = state.shownItem, state.image(item) != nil else {
            notify(.info, "There is no finished picture to mark.", &state)
            return
        }
        state.runs.update(item.run) {
            if $0.marked.remove(item.picture) == nil { $0.marked.insert(item.picture) }
        }
    }

    /// Compares the two newest marked pictures, else the shown one with the marked one or with the one
    /// before it; asked again, looks at them in the next way.
    static func comparePair(_ state: inout AppState) {
        if state.preview.view == .pair {
            let all = PairView.allCases
            let index = all.firstIndex(of: state.gallery.pairView) ?? 0
            state.gallery.pairView = all[(index + 1) % all.count]
            return
        }
        let marked = state.markedItems.filter { state.image($0) != nil }
        var pair = Array(marked.suffix(2))
        if pair.count < 2, let shown = state.shownItem, state.image(shown) != nil {
            if pair.first == shown { pair = [] }
            let before = state.runs.runs.reversed()
                .flatMap { run in
                    run.images.indices.map { GalleryItem(run: run.id, picture: $0) }
                }.first { $0 != shown }
            if pair.isEmpty, let before { pair = [before] }
            pair.append(shown)
        }
        guard pair.count == 2 else {
            notify(.info, "Two finished pictures are needed; x marks one.", &state)
            return
        }
        state.gallery.pair = pair
        state.gallery.pairView = .sideBySide
        state.preview.view = .pair
        focus(.preview, &state)
    }
}
