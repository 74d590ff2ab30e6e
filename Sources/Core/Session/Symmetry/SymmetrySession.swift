// What a model offers to whoever looks at the symmetry of data: the pane and the commands.
// SPDX-License-Identifier: Apache-2.0

/// A data set whose symmetry is known because it was made: source, per-class law, offset.
public struct SymmetryConstruction: Sendable, Equatable {
    /// The name users type, `mnist-multiple`.
    public var name: String
    /// One line: source and law.
    public var title: String
    /// Inputs made when no other count is asked for.
    public var defaultCount: Int
    /// Whether it is made from files in a folder that the user names (MNIST, meshes); generated
    /// sets (tetris) need none.
    public var needsFolder: Bool

    public init(name: String, title: String, defaultCount: Int, needsFolder: Bool) {
        self.name = name
        self.title = title
        self.defaultCount = defaultCount
        self.needsFolder = needsFolder
    }
}

/// Where the inputs of a session come from.
public enum SymmetrySource: Sendable, Equatable {
    /// A construction of the model's list; `folder` holds its source files, nil looks where the
    /// program keeps data. The same name, count and seed give the same inputs.
    case construction(name: String, folder: String?, count: Int, seed: UInt64)
    /// A user's folder of pictures, point clouds or meshes; its subfolders are classes.
    case folder(String)
}

/// A model with which the symmetry of data can be found.
public protocol SymmetryDiscovering: LoadedModel {
    var symmetryGroup: SymmetryGroup { get }
    /// The sets it can be looked at on, the best first; may be empty.
    var constructions: [SymmetryConstruction] { get }
    /// Reads or makes the inputs and embeds them; the result is ready for quick questions.
    ///
    /// Runs on the caller's thread. `progress` is called with steps done and steps in all.
    /// - Throws: ``SymmetryError``, file errors, `CancellationError`.
    func openSymmetry(
        _ source: SymmetrySource, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int, _ phase: String) -> Void
    ) throws -> any SymmetrySession
}

/// A loader whose models are ``SymmetryDiscovering``; panes tell them from other models by it.
public protocol SymmetryModelLoader: ModelLoader {}

/// Inputs with their poses and embeddings, ready for questions.
///
/// Every function runs on the caller's thread, and the session may be asked from several threads
/// at once (a long ``table(settings:cancellation:progress:)`` beside short questions); none holds a
/// lock while it computes. Short questions (one input's distribution, row, response or form) take
/// at most 50 ms. Labels and true angles are for the report: no answer but ``label(of:)``, `truth`,
/// `purity` and figures may depend on them.
public protocol SymmetrySession: AnyObject, Sendable {
    var group: SymmetryGroup { get }
    /// Where the inputs come from, in a line.
    var title: String { get }
    /// Inputs in the bank. Inputs added later have indices from here on and are not in the bank.
    var count: Int { get }
    /// Names of the labels; empty when the inputs have none.
    var labelNames: [String] { get }
    var offer: SymmetryOffer { get }

    /// The label of an input, for the report only.
    func label(of input: Int) -> Int?
    /// A short name of an input, `digit 17` or its file's name.
    func name(of input: Int) -> String

    /// Computes what all questions under these settings share, where that takes long (a second look
    /// at a large bank); questions do it themselves otherwise.
    /// - Throws: ``SymmetryError``, `CancellationError`.
    func prepare(settings: SymmetrySettings, cancellation: Cancellation) throws

    /// The poses of a scope and the law fitted to them.
    /// - Throws: ``SymmetryError``, `CancellationError`.
    func distribution(
        _ scope: SymmetryScope, settings: SymmetrySettings, cancellation: Cancellation
    ) throws -> SymmetryDistribution

    /// What is found for one input; also for added ones.
    /// - Throws: ``SymmetryError``.
    func row(of input: Int, settings: SymmetrySettings) throws -> SymmetryRow

    /// What is found for every input of the bank; the long question.
    /// - Throws: ``SymmetryError``, `CancellationError`.
    func table(
        settings: SymmetrySettings, cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws -> SymmetryTable

    /// The input in one of its forms.
    /// - Throws: ``SymmetryError``; ``SymmetryError/notOffered(_:)`` for a form it cannot make.
    func shape(of input: Int, as form: SymmetryForm, settings: SymmetrySettings) throws
        -> SymmetryShape

    /// What changes when an input is rotated before the model sees it.
    ///
    /// On SO(2) the picture is rotated as data sets are (bilinear, zero outside).
    /// - Throws: ``SymmetryError``.
    func response(of input: Int, to rotation: SymmetryPose, settings: SymmetrySettings) throws
        -> SymmetryResponse

    /// Adds a picture from elsewhere (a sample of an image model); returns its index.
    ///
    /// It is brought to the model's size and colours and is asked about like any input, but is
    /// nobody's neighbour.
    /// - Throws: ``SymmetryError``; ``SymmetryError/notOffered(_:)`` where inputs are no pictures.
    func add(_ picture: RGBImage, name: String) throws -> Int
}

extension SymmetrySession {
    public func prepare(settings: SymmetrySettings, cancellation: Cancellation) throws {}
}
