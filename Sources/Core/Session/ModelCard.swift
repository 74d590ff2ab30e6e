// What a shipped weight file says about itself. SPDX-License-Identifier: Apache-2.0

/// The card beside a weight file: what it is, how it was made, and what it reaches.
///
/// Stored as JSON with the weight file's name and the extension `json`.
public struct ModelCard: Sendable, Equatable, Codable {
    /// One measured figure with the command that computes it again.
    public struct Metric: Sendable, Equatable, Codable {
        public var name: String
        public var value: Double
        public var unit: String?
        public var command: String?
        public var note: String?

        public init(
            name: String, value: Double, unit: String? = nil, command: String? = nil,
            note: String? = nil
        ) {
            self.name = name
            self.value = value
            self.unit = unit
            self.command = command
            self.note = note
        }
    }

    /// One weight file of the model and its part in it.
    public struct File: Sendable, Equatable, Codable {
        /// What the file is for the system: `tokenizer`, `hmar`, `var`, `classifier`…
        public var role: String
        /// Path relative to the card.
        public var path: String
        /// Lower-case hexadecimal SHA-256 of the file.
        public var sha256: String
        public var bytes: Int

        public init(role: String, path: String, sha256: String, bytes: Int) {
            self.role = role
            self.path = path
            self.sha256 = sha256
            self.bytes = bytes
        }
    }

    /// Sampling settings that the panes start with.
    public struct Defaults: Sendable, Equatable, Codable {
        public var cfg: Double?
        public var topK: Int?
        public var topP: Double?
        /// Rows S_k; absent: next-scale passes only.
        public var schedule: [[Int]]?

        public init(
            cfg: Double? = nil, topK: Int? = nil, topP: Double? = nil, schedule: [[Int]]? = nil
        ) {
            self.cfg = cfg
            self.topK = topK
            self.topP = topP
            self.schedule = schedule
        }
    }

    /// The card format; 1.
    public var format: Int
    /// The name users type, `hmar-digits`.
    public var name: String
    /// The system that loads it, `hmar`.
    public var system: String
    public var summary: String
    /// Image side in pixels, for image systems.
    public var imageSize: Int?
    /// Side of every token map, coarse to fine, for next-scale systems.
    public var patchNums: [Int]?
    /// Class names in label order, for class-conditional systems.
    public var classes: [String]?
    /// Parameters by file role.
    public var parameters: [String: Int]
    /// What it was trained on.
    public var data: String
    public var dataLicence: String
    public var licence: String
    /// Recipes in the repository, in the order they were run.
    public var recipes: [String]
    /// The command that trained it.
    public var command: String
    public var steps: [String: Int]
    public var seed: UInt64
    /// The commit of the code that trained it, where known.
    public var commit: String?
    public var defaults: Defaults
    public var metrics: [Metric]
    public var files: [File]
    /// Free remarks: what to expect, what not.
    public var notes: String?

    public init(
        format: Int = 1, name: String, system: String, summary: String, imageSize: Int? = nil,
        patchNums: [Int]? = nil, classes: [String]? = nil, parameters: [String: Int] = [:],
        data: String, dataLicence: String, licence: String, recipes: [String] = [],
        command: String = "", steps: [String: Int] = [:], seed: UInt64 = 0,
        commit: String? = nil, defaults: Defaults = Defaults(), metrics: [Metric] = [],
        files: [File] = [], notes: String? = nil
    ) {
        self.format = format
        self.name = name
        self.system = system
        self.summary = summary
        self.imageSize = imageSize
        self.patchNums = patchNums
        self.classes = classes
        self.parameters = parameters
        self.data = data
        self.dataLicence = dataLicence
        self.licence = licence
        self.recipes = recipes
        self.command = command
        self.steps = steps
        self.seed = seed
        self.commit = commit
        self.defaults = defaults
        self.metrics = metrics
        self.files = files
        self.notes = notes
    }
}
