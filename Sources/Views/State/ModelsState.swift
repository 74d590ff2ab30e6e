// The catalogue and the model in memory.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated struct ModelsState: Sendable {
    enum Loading: Sendable, Equatable {
        case idle
        case loading(String)
        case failed(String, reason: String)
    }

    var entries: [ModelEntry] = []
    /// What was wrong with cards that could not be read.
    var problems: [String] = []
    /// Whether the catalogue has been read.
    var isListed = false
    var selected = 0
    /// First line of the card shown.
    var cardScroll = 0
    var loaded: LoadedModelFacts?
    var loading = Loading.idle
    /// What undo goes back to, once the model is in memory.
    var revisited: StoredModel?
    /// A recipe that waits for its model.
    var recipe: OpenedRecipe?
    /// Where models can compute, the CPU first.
    var devices: [DeviceEntry] = []
    /// Why there is no GPU.
    var devicesProblem: String?
    /// Where the next model computes.
    var device = "cpu"
    /// Where the model in memory computes.
    var loadedDevice: String?

    var selectedEntry: ModelEntry? {
        entries.indices.contains(selected) ? entries[selected] : nil
    }
}
