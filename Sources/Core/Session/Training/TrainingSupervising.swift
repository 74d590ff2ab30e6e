// What panes ask of trainings that run in processes of their own.
// SPDX-License-Identifier: Apache-2.0

/// Finds recipes and runs, starts trainings, and steers them.
///
/// A training is a process of its own that leaves everything in its run folder; this side only reads
/// that folder and writes commands into it. Ending the program never ends a training, and a training
/// that crashes never ends the program. All of it is called on worker threads.
public protocol TrainingSupervising: Sendable {
    /// The recipes found, in the order of their folders.
    func recipes() -> [RecipeEntry]
    /// Run folders found, the newest first.
    func runs() -> [String]
    /// Starts a training and returns when its process has begun.
    ///
    /// - Returns: the run folder, absolute.
    /// - Throws: what keeps the process from starting, with a sentence that says what to do.
    func start(_ request: TrainingRequest) throws -> String
    /// Asks a running training for something.
    ///
    /// - Throws: ``TrainingFolderError`` when nothing runs there or the folder cannot be written.
    func send(_ command: TrainingCommand, to folder: String) throws
    /// What is new in a run folder since a reader last looked.
    func read(_ reader: inout TrainingFolderReader) -> TrainingNews
}

/// A recipe on disk.
public struct RecipeEntry: Sendable, Equatable {
    public var path: String
    /// Its `name`, which is also the name of its run folder below `runs`.
    public var name: String
    /// Its `system`, "vqvae".
    public var system: String
    /// What it is for.
    public var summary: String
    /// Steps that it asks for; 0 if unknown.
    public var steps: Int
    /// What it needs of data, "mnist"; empty if it says nothing.
    public var dataKind: String
    /// Where its run is kept unless another folder is given, absolute.
    public var runFolder: String
    /// Why it cannot be used; nil if it can.
    public var problem: String?
    /// The file's text, to be read before it is started.
    public var text: String

    public init(
        path: String, name: String, system: String = "", summary: String = "", steps: Int = 0,
        dataKind: String = "", runFolder: String = "", problem: String? = nil, text: String = ""
    ) {
        self.text = text
        self.path = path
        self.name = name
        self.system = system
        self.summary = summary
        self.steps = steps
        self.dataKind = dataKind
        self.runFolder = runFolder
        self.problem = problem
    }
}

/// A place to compute.
public struct DeviceEntry: Sendable, Equatable, Codable {
    /// As `--device` takes it, "cpu", "cuda:0".
    public var name: String
    /// "AMD EPYC, 2 threads", "NVIDIA H100 80GB HBM3".
    public var title: String
    /// Bytes of memory that are free; nil for the CPU.
    public var freeBytes: Int?
    /// Bytes of memory in all; nil for the CPU.
    public var totalBytes: Int?

    public init(name: String, title: String, freeBytes: Int? = nil, totalBytes: Int? = nil) {
        self.name = name
        self.title = title
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

/// A training to be started.
public struct TrainingRequest: Sendable, Equatable {
    public var recipePath: String
    /// Where the data are; nil leaves it to the recipe.
    public var dataFolder: String?
    /// Where the run is kept.
    public var outFolder: String
    /// As `--device` takes it; nil leaves the choice to the training.
    public var device: String?
    /// Whether it goes on from the folder's checkpoint; nil does so where there is one.
    public var resumes: Bool?
    /// Steps between samples; nil leaves it to the recipe, 0 makes none.
    public var sampleEvery: Int?

    public init(
        recipePath: String, dataFolder: String? = nil, outFolder: String, device: String? = nil,
        resumes: Bool? = nil, sampleEvery: Int? = nil
    ) {
        self.recipePath = recipePath
        self.dataFolder = dataFolder
        self.outFolder = outFolder
        self.device = device
        self.resumes = resumes
        self.sampleEvery = sampleEvery
    }
}

/// What a running training does when asked; the raw value is a line of its control file.
public enum TrainingCommand: String, Sendable, CaseIterable {
    /// Holds after the present step.
    case pause
    case resume
    /// Saves a checkpoint now.
    case checkpoint
    /// Makes sample pictures now.
    case sample
    /// Saves a checkpoint and ends; `--resume` goes on from there.
    case stop
}
