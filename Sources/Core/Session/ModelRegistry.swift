// The systems that can load models.
// SPDX-License-Identifier: Apache-2.0

/// Loaders by system; put together once at start.
public struct ModelRegistry: Sendable {
    private let loaders: [String: any ModelLoader]

    /// - Precondition: one loader per system.
    public init(_ loaders: [any ModelLoader]) {
        self.loaders = Dictionary(uniqueKeysWithValues: loaders.map { ($0.system, $0) })
    }

    /// The systems known, in alphabetical order.
    public var systems: [String] { loaders.keys.sorted() }

    /// Whether models of a system find symmetries (``SymmetryDiscovering``).
    public func findsSymmetries(system: String) -> Bool {
        loaders[system] is any SymmetryModelLoader
    }

    /// Loads a model after checking that its files are there and whole in size.
    ///
    /// - Throws: ``CatalogError``, and what the system's loader throws.
    public func load(
        _ entry: ModelEntry, cancellation: Cancellation = Cancellation()
    ) throws -> any LoadedModel {
        guard let loader = loaders[entry.card.system] else {
            throw CatalogError.unknownSystem(
                model: entry.card.name, system: entry.card.system, known: systems)
        }
        try ModelCatalog.check(entry)
        return try loader.load(entry, cancellation: cancellation)
    }

    /// Finds a model by name and loads it.
    ///
    /// - Throws: ``CatalogError``, and what the system's loader throws.
    public func load(
        named name: String, from catalog: ModelCatalog,
        cancellation: Cancellation = Cancellation()
    ) throws -> any LoadedModel {
        try load(try catalog.entry(named: name), cancellation: cancellation)
    }
}
