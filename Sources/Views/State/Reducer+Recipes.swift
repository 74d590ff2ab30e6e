// Recipes out of saved pictures: values, picture and mask are taken over and the run is made again.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe as read from a file, with the picture that it should make.
nonisolated struct OpenedRecipe: Sendable {
    var recipe: PictureRecipe
    var edit: EditRequest?
    var picture: RGBImage
    var path: String

    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }
}

nonisolated extension Reducer {
    /// Takes a recipe over, once its model is in memory.
    static func replay(_ opened: OpenedRecipe, _ state: inout AppState) -> [Effect] {
        let name = opened.recipe.model
        guard let facts = state.model, facts.card.name == name else {
            guard let entry = state.models.entries.first(where: { $0.card.name == name }) else {
                notify(
                    .error, "\(opened.fileName) was made by \(name), which is not installed.",
                    &state)
                return []
            }
            state.models.recipe = opened
            notify(.info, "\(opened.fileName) needs \(name); loading it.", &state)
            return load(entry, &state)
        }
        state.models.recipe = nil
        let sampling = opened.recipe.sampling
        guard sampling.schedule.patchNums == facts.geometry.patchNums,
            opened.edit.map({ $0.source.width == facts.geometry.imageSize }) ?? true
        else {
            notify(.error, "\(opened.fileName) was made for a model of another size.", &state)
            return []
        }
        var effects = setSchedule("Recipe of \(opened.fileName)", &state, merging: false) {
            $0.rows = zip(sampling.schedule.patchNums, sampling.schedule.rows).map {
                ScaleRow(side: $0, entries: $1)
            }
            $0.preset = nil
            $0.classLabel = sampling.classLabel
            $0.count = max(1, min(8, sampling.count))
            $0.seed = sampling.seed
            $0.cfg = sampling.cfg
            $0.topK = sampling.topK
            $0.topP = sampling.topP
            $0.variant = sampling.variant
            $0.mode = sampling.mode
        }
        if let edit = opened.edit {
            setEdit("Edit of \(opened.fileName)", &state) {
                $0.mode = edit.mode
                $0.anchor = edit.anchor
                $0.keepScales = edit.keepScales
                $0.dilate = edit.dilate
                $0.maskSteps = edit.maskSteps.max() ?? 0
                $0.pasteBack = edit.pasteBack
                $0.share = Int((edit.share * 100).rounded())
            }
            state.mask.mask = nil
            state.mask.open(edit.source, name: opened.fileName, path: nil)
            state.mask.mask = edit.mask
        }
        let run = Run(
            id: state.runs.nextID, kind: opened.edit.map { .edit($0.mode) } ?? .sample,
            modelName: name, request: sampling, edit: opened.edit)
        state.runs.append(run)
        state.runs.update(run.id) {
            $0.expected = Run.Expected(
                picture: opened.picture, index: opened.recipe.index, name: opened.fileName,
                checksums: opened.recipe.checksums)
        }
        if opened.edit == nil { focus(.preview, &state) }
        let title = "Replay \(opened.fileName)"
        if let edit = opened.edit {
            effects.append(.edit(run: run.id, title: title, edit))
        } else {
            effects.append(.sample(run: run.id, title: title, sampling))
        }
        return effects
    }

    /// Says whether a replayed picture is the one of its file.
    static func compareWithFile(_ id: Int, _ state: inout AppState) {
        guard let run = state.runs.run(id: id), let expected = run.expected,
            run.images.indices.contains(expected.index)
        else { return }
        if run.images[expected.index] == expected.picture {
            notify(.info, "\(expected.name): the same pixels.", &state)
            return
        }
        let sums = Dictionary(
            state.model?.card.files.map { ($0.role, $0.sha256) } ?? [],
            uniquingKeysWith: { first, _ in first })
        notify(
            .warning,
            sums == expected.checksums
                ? "\(expected.name): other pixels, on another device or number of threads?"
                : "\(expected.name): other pixels; the model's weights have changed.", &state)
    }
}
