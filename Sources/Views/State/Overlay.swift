// Popups: what they ask and what has been typed into them.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A list that is narrowed by typing.
nonisolated struct FilteredList: Sendable, Equatable {
    var entry = TextEntry()
    var selected = 0
}

/// What a line of text is asked for.
nonisolated enum PromptKind: Sendable, Equatable {
    case openPicture, openRecipe, importMask, writeMask
    case savePicture(Int)
    case searchLog, searchGallery
    case symmetryFolder, symmetryData, symmetryAngle, symmetryExport
    /// The data folder for a recipe, which is started with it if `starts`.
    case trainingData(recipe: String, starts: Bool)
    case trainingFolder(recipe: String)
    /// What the files of a training's figures are called.
    case trainingExport(folder: String)

    /// What Enter does.
    var verb: String {
        switch self {
        case .openPicture, .symmetryFolder: "open"
        case .openRecipe: "make"
        case .importMask: "import"
        case .writeMask, .savePicture, .symmetryExport, .trainingExport: "write"
        case .searchLog, .searchGallery: "search"
        case .symmetryAngle: "turn"
        case .trainingData(_, let starts): starts ? "start" : "take"
        case .symmetryData, .trainingFolder: "take"
        }
    }

    var title: String {
        switch self {
        case .openPicture: "Open a picture (PNG or JPEG)"
        case .openRecipe: "Make a saved picture again (PNG of the workbench)"
        case .importMask: "Import a mask (PNG, white = repaint)"
        case .writeMask: "Write the mask as PNG"
        case .searchLog: "Search the log"
        case .symmetryFolder: "Open a folder of pictures, point clouds or meshes"
        case .symmetryData: "Folder with the source data (MNIST files, meshes)"
        case .symmetryAngle: "Turn the input by degrees (counter-clockwise)"
        case .symmetryExport: "Write everything shown; the files' names begin with"
        case .trainingData: "Data folder (empty: the recipe's own places)"
        case .trainingExport: "Write the figures; the files' names begin with"
        case .trainingFolder: "Run folder: a name, or a whole path"
        case .searchGallery: "Search the gallery: class, seed, model, marked, saved"
        case .savePicture: "Save the picture as PNG, with its recipe inside"
        }
    }
}

/// A question with a few answers.
nonisolated struct Question: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case quit, restore
        case overwrite(PromptKind, path: String)
    }

    var kind: Kind
    var title: String
    var text: String
    /// The answers; the first letter of each is its key.
    var answers: [String]
    var selected = 0
}

nonisolated enum Overlay: Sendable, Equatable {
    /// Keys of the focused pane and the global ones.
    case help(PaneID, FilteredList)
    case palette(FilteredList)
    /// The theme in force when the picker opened comes back on Esc.
    case themes(FilteredList, before: String)
    case classes(FilteredList)
    /// What was done and undone, to go to any place of it.
    case history(FilteredList)
    case symmetry(SymmetryPicker, FilteredList)
    /// Actions of a pane, at the place of the click.
    case menu(PaneID, at: Point, selected: Int)
    /// The steps of a scale as columns.
    case columns(RowColumns)
    case prompt(PromptKind, TextEntry, problem: String?)
    case question(Question)
}
