// From a recipe to a training run. SPDX-License-Identifier: Apache-2.0

/// What can be trained by a recipe; one per `system` name, registered at start.
public protocol TrainingSystem: Sendable {
    /// The recipe's `system`, "vqvae".
    var name: String { get }
    /// One line for lists.
    var summary: String { get }
    /// Reads the recipe, loads data and earlier stages' weights, and builds the run at step 0.
    ///
    /// - Throws: `TOMLError` for the recipe, `DatasetError`, `FileFormatError`, `CheckpointError`
    ///   for what it points to.
    func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun
}

/// What a recipe is read with.
public struct TrainingContext: Sendable {
    /// Where the run computes.
    public var device: any Device
    /// A data folder given by hand; it goes before every other place.
    public var dataFolder: String?
    /// Resolves a path in a recipe, relative to the folder the command runs in.
    public var resolve: @Sendable (String) -> String
    /// Minutes to train for at most; goes before the recipe's own limit.
    public var maxMinutes: Double?
    /// Looked at while data are prepared.
    public var cancellation: Cancellation
    /// The other processes that take part.
    public var parallel: DataParallel

    public init(
        device: any Device = currentDevice, dataFolder: String? = nil, maxMinutes: Double? = nil,
        cancellation: Cancellation = Cancellation(), parallel: DataParallel = .single,
        resolve: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.device = device
        self.dataFolder = dataFolder
        self.maxMinutes = maxMinutes
        self.cancellation = cancellation
        self.parallel = parallel
        self.resolve = resolve
    }
}

/// The recipe keys that every system shares; a system adds its own tables.
public enum RecipeKeys {
    /// Top-level keys known to all: name, system, seed, steps, batch size and how often to look.
    public static let common = [
        "name", "system", "summary", "seed", "steps", "batch_size", "log_every", "evaluate_every",
        "sample_every", "measure_every", "checkpoint_seconds", "data",
    ]
}
