// Recipes, their runs, and what the Train pane shows of them.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated enum TrainView: String, Sendable, CaseIterable {
    case overview, curves, codes, samples, table

    var title: String { rawValue }
}

/// A training as its folder shows it.
nonisolated struct TrainRun: Sendable, Equatable {
    struct Sample: Sendable, Equatable {
        var step: Int
        /// From the run folder.
        var file: String
    }

    let folder: String
    var status: TrainingStatus?
    var curves = TrainCurves()
    var samples: [Sample] = []
    /// The sample that was read last.
    var picture: (sample: Sample, image: RGBImage)?
    var unreadableLines = 0

    init(folder: String) { self.folder = folder }

    var isActive: Bool { status?.phase.isActive == true }

    /// The newest sample at or before a step; the newest of all without one.
    func sample(at step: Double?) -> Sample? {
        guard let step else { return samples.last }
        return samples.last { Double($0.step) <= step } ?? samples.first
    }

    static func == (a: TrainRun, b: TrainRun) -> Bool {
        a.folder == b.folder && a.status == b.status && a.curves == b.curves
            && a.samples == b.samples && a.picture?.sample == b.picture?.sample
    }
}

nonisolated struct TrainState: Sendable {
    /// A line of the list.
    enum Item: Sendable, Equatable {
        case recipe(RecipeEntry)
        /// A run whose recipe is not among those found.
        case run(String)
    }

    var isListed = false
    var recipes: [RecipeEntry] = []
    /// Runs by folder.
    var runs: [String: TrainRun] = [:]
    /// Folders in the order of the list.
    var order: [String] = []
    var selected = 0
    var view = TrainView.overview
    /// The group of figures chosen by name; nil is the first.
    var group: String?
    var isLogarithmic = false
    /// The step that is looked at; nil follows the newest.
    var cursor: Double?
    /// First line of the table.
    var tableScroll = 0
    /// Where the next training computes; nil leaves the choice to it.
    var device: String?
    /// Folders typed for a recipe, by its path; an empty data folder leaves it to the recipe.
    var dataFolders: [String: String] = [:]
    var outFolders: [String: String] = [:]
    /// The folder of a training that was asked for and has not begun.
    var starting: String?

    var items: [Item] {
        let own = Set(recipes.map { folder(of: $0) })
        return recipes.map(Item.recipe) + order.filter { !own.contains($0) }.map(Item.run)
    }

    var selectedItem: Item? {
        let items = items
        return items.indices.contains(selected) ? items[selected] : nil
    }

    func folder(of recipe: RecipeEntry) -> String { outFolders[recipe.path] ?? recipe.runFolder }

    func folder(of item: Item) -> String {
        switch item {
        case .recipe(let recipe): folder(of: recipe)
        case .run(let folder): folder
        }
    }

    func title(of item: Item) -> String {
        switch item {
        case .recipe(let recipe): recipe.name
        case .run(let folder): runs[folder]?.status?.name.nonEmpty ?? folder
        }
    }

    /// The run shown.
    var shown: TrainRun? { selectedItem.flatMap { runs[folder(of: $0)] } }

    /// A training at work, the selected one first.
    var active: TrainRun? {
        if let shown, shown.isActive { return shown }
        return order.lazy.compactMap { runs[$0] }.first(where: \.isActive)
    }

    /// The groups of the run shown, and which is chosen.
    var shownGroup: (groups: [TrainCurves.Group], index: Int) {
        let groups = shown?.curves.groups ?? []
        return (groups, groups.firstIndex { $0.name == group } ?? 0)
    }

    /// The group shown as shades: the chosen one if it has scales, else code use, else any.
    var heatGroup: TrainCurves.Group? {
        let (groups, index) = shownGroup
        if groups.indices.contains(index), groups[index].isPerScale { return groups[index] }
        let perScale = groups.filter(\.isPerScale)
        return perScale.first { $0.name.hasPrefix("usage") } ?? perScale.first
    }

    /// The data folder for a recipe: the typed one, that of its last run, or that of a run on data of
    /// the same kind.
    func dataFolder(of recipe: RecipeEntry) -> String? {
        if let typed = dataFolders[recipe.path] { return typed }
        if let own = runs[folder(of: recipe)]?.status?.data { return own }
        guard !recipe.dataKind.isEmpty else { return nil }
        let alike = recipes.filter { $0.dataKind == recipe.dataKind }
        return alike.lazy.compactMap { dataFolders[$0.path] }.first(where: { !$0.isEmpty })
            ?? alike.lazy.compactMap { runs[folder(of: $0)]?.status?.data }.first
    }
}

nonisolated extension String {
    var nonEmpty: String? { isEmpty ? nil : self }
}
