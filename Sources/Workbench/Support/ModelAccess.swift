// Models by name, with the capability that a command needs. SPDX-License-Identifier: Apache-2.0
import Core

/// Finds and loads models for commands.
struct ModelAccess {
    let locator: AssetLocator
    let catalog: ModelCatalog
    let registry: ModelRegistry

    init(_ common: CommonOptions) throws {
        locator = try AssetLocator(
            .process(
                modelsDirectory: common.modelsFolder, dataDirectory: common.dataFolder))
        catalog = ModelCatalog(folders: locator.places(for: .weights).map(\.path))
        registry = ModelRegistry(Registry.loaders)
    }

    /// A model of any kind.
    func load(_ name: String, cancellation: Cancellation) throws -> any LoadedModel {
        try registry.load(named: name, from: catalog, cancellation: cancellation)
    }

    /// A model that generates pictures.
    func imageModel(_ name: String, cancellation: Cancellation) throws -> any ImageSampling {
        guard let model = try load(name, cancellation: cancellation) as? any ImageSampling else {
            throw InputError(
                "\(name) does not generate pictures; `workbench models` lists those that do.")
        }
        return model
    }

    /// A model that edits pictures.
    func editor(_ name: String, cancellation: Cancellation) throws -> any ImageEditing {
        guard let model = try load(name, cancellation: cancellation) as? any ImageEditing else {
            throw InputError(
                "\(name) does not edit pictures; `workbench models` lists those that do.")
        }
        return model
    }

    /// A model that encodes pictures to tokens.
    func tokenizer(_ name: String, cancellation: Cancellation) throws -> any ImageTokenizing {
        guard let model = try load(name, cancellation: cancellation) as? any ImageTokenizing else {
            throw InputError(
                "\(name) has no picture tokenizer; `workbench models` lists those that do.")
        }
        return model
    }
}
