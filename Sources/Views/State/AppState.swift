// Everything the application knows, as one value changed only by the reducer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// The value tree that panes draw. Pictures are values too: copies share their pixels.
nonisolated struct AppState: Sendable {
    var options = ApplicationOptions()
    var terminal = Capabilities()
    var models = ModelsState()
    var schedule = ScheduleState()
    var runs = RunsState()
    var preview = PreviewState()
    var gallery = GalleryState()
    var mask = MaskState()
    var tokens = TokensState()
    var symmetry = SymmetryState()
    var jobs = JobsState()
    var log = LogState()
    var train = TrainState()
    var layout = LayoutState()
    /// Popups, the topmost last.
    var overlays: [Overlay] = []
    var notice: Notice?
    var undo = UndoHistory()
    var session = SessionState()
    var firstSteps = FirstStepsState()
    /// Commands chosen from the palette, newest first.
    var recentCommands: [Command] = []
    var themes: [String] = []
    var themeName = ""
    /// The keys in force.
    var bindings = KeyBindings.default
    /// Seconds of the monotonic clock at the last tick.
    var now = 0.0
    /// When Ctrl-C was last pressed, for "twice quits".
    var interruptedAt: Double?
    var isMouseOn = true
    var isFinished = false

    /// The model in memory, if any.
    var model: LoadedModelFacts? { models.loaded }

    var pictureMode: PictureMode {
        PictureMode.choose(preferred: options.images, capabilities: terminal)
    }
}

/// Settings from the command line and the environment, fixed for the run.
nonisolated public struct ApplicationOptions: Sendable, Equatable {
    /// The theme's name; nil chooses by the terminal's background.
    public var themeName: String?
    public var isMouseOn = true
    /// How pictures are shown; nil is the best that the terminal has.
    public var images: PictureMode?
    public var encoder = EncoderChoice.automatic
    /// No clock, spinner or timing on the screen, so that screens can be compared.
    public var isDeterministic = false
    /// Borders of plain characters.
    public var usesASCIIBorders = false
    /// Where sessions are kept; nil keeps none.
    public var stateFolder: String?
    /// The model to load at start; nil takes the preferred one.
    public var modelName: String?
    /// What is opened where nothing else was asked for; the catalogue's first where it is missing.
    public var preferredModelName: String?
    /// Where models compute at start, "cpu" or "cuda:0".
    public var deviceName = "cpu"
    /// No picture before it is done and no moving bars.
    public var isMotionReduced = false
    /// First steps are shown until they have been taken.
    public var showsHints = true
    /// The real cursor is seen wherever the focus is, for magnifiers and screen readers.
    public var isCursorAlwaysVisible = false
    /// The niceness of threads that compute, so that keys go before them; pictures are half as nice.
    public var niceness: Int32 = 0
    /// Whether sessions are kept at all.
    public var keepsSession = true
    /// The configuration file, read again when it changes.
    public var settingsPath: String?
    /// What was wrong in it, to be told.
    public var settingsProblems: [String] = []
    /// The keys in force.
    var bindings = KeyBindings.default

    public init() {}
}

/// One line for the person, in the status line for a while.
nonisolated struct Notice: Sendable, Equatable {
    enum Level: Sendable, Equatable {
        case info, warning, error
    }

    var level: Level
    var text: String
    /// When it goes away, in seconds of the monotonic clock.
    var until: Double
}

/// The fixed facts of a loaded model that panes need; the model itself stays with the workers.
nonisolated struct LoadedModelFacts: Sendable, Equatable {
    var card: ModelCard
    var geometry: ScaleGeometry
    var variants: [SamplingVariant]
    var canEdit: Bool
    var canTokenize: Bool
    var weightBytes: Int
    var summaryLines: [String]

    /// The facts of a model that can sample; nil for one that cannot.
    init?(_ model: any LoadedModel) {
        guard let sampling = model as? any ImageSampling else { return nil }
        card = model.card
        geometry = sampling.geometry
        variants = sampling.variants
        canEdit = model is any ImageEditing
        canTokenize = model is any ImageTokenizing
        weightBytes = model.weightBytes
        summaryLines = model.summaryLines
    }

    /// The class in a sentence: its name, `class 7` where the name is a number.
    func classTitle(_ label: Int?) -> String {
        let name = className(label)
        return name.allSatisfy(\.isNumber) ? "class " + name : name
    }

    /// The class's name, or "no class".
    func className(_ label: Int?) -> String {
        guard let label else { return "no class" }
        return geometry.classes.indices.contains(label) ? geometry.classes[label] : "class \(label)"
    }
}
