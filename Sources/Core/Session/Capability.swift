// What a loaded model can do for a pane or a command. SPDX-License-Identifier: Apache-2.0

/// A model in memory. Panes ask what it can do by casting to the capability protocols.
public protocol LoadedModel: AnyObject, Sendable {
    /// The card it was loaded by.
    var card: ModelCard { get }
    /// Bytes of weights this process holds (mapped or copied).
    var weightBytes: Int { get }
    /// One line per weight file: role, format, parameters.
    var summaryLines: [String] { get }
}

/// Turns a card and its files into a model in memory; one per system, registered at start.
public protocol ModelLoader: Sendable {
    /// The card's `system`, `hmar`.
    var system: String { get }
    /// Loads the model.
    ///
    /// - Parameters:
    ///   - entry: the card and where it lies.
    ///   - cancellation: looked at between tensors.
    /// - Throws: `CheckpointError`, `FileFormatError`, or `CancellationError`.
    func load(_ entry: ModelEntry, cancellation: Cancellation) throws -> any LoadedModel
}

/// A card found on disk.
public struct ModelEntry: Sendable, Equatable {
    /// The card.
    public var card: ModelCard
    /// The folder that the card's file paths start from.
    public var folder: String

    public init(card: ModelCard, folder: String) {
        self.card = card
        self.folder = folder
    }

    /// The absolute path of the file with a role, if the card names one.
    public func path(role: String) -> String? {
        card.files.first { $0.role == role }.map { folder + "/" + $0.path }
    }
}

/// Fixed facts of a next-scale image model that panes lay themselves out by.
public struct ScaleGeometry: Sendable, Equatable {
    /// Image side in pixels.
    public var imageSize: Int
    /// Side p_k of every token map, coarse to fine.
    public var patchNums: [Int]
    /// Codebook size V.
    public var vocabulary: Int
    /// Class names in label order.
    public var classes: [String]

    public init(imageSize: Int, patchNums: [Int], vocabulary: Int, classes: [String]) {
        self.imageSize = imageSize
        self.patchNums = patchNums
        self.vocabulary = vocabulary
        self.classes = classes
    }
}

/// Generates pictures scale by scale.
public protocol ImageSampling: LoadedModel {
    var geometry: ScaleGeometry { get }
    /// The ways it can sample, the default first.
    var variants: [SamplingVariant] { get }
    /// Generates `request.count` pictures.
    ///
    /// Runs on the caller's thread and reports every pass to `control`. The same request gives the
    /// same bytes on the same device and thread count, unless the schedule is changed on the way.
    /// - Throws: `ScheduleError`, `SamplingError`, `CancellationError`.
    func sample(_ request: SamplingRequest, control: SamplingControl) throws -> SamplingResult
}

/// Repaints parts of a picture without retraining.
public protocol ImageEditing: ImageSampling {
    /// Applies an edit; same contract as `sample`.
    func edit(_ request: EditRequest, control: SamplingControl) throws -> EditResult
}

/// Encodes pictures to multi-scale token maps and back.
public protocol ImageTokenizing: LoadedModel {
    var geometry: ScaleGeometry { get }
    /// Tokens of every scale, each row-major p_k×p_k, for a picture of the model's size.
    func encode(_ image: RGBImage) throws -> TokenMaps
    /// The picture of token maps using scales 0…`throughScale` (all when nil).
    func decode(_ tokens: TokenMaps, throughScale: Int?) throws -> RGBImage
}

/// Token maps of one picture.
public struct TokenMaps: Sendable, Equatable, Codable {
    public var patchNums: [Int]
    /// `scales[k]` has p_k² entries, row-major.
    public var scales: [[Int32]]

    public init(patchNums: [Int], scales: [[Int32]]) {
        self.patchNums = patchNums
        self.scales = scales
    }
}
