// `workbench` without a command: the terminal application. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// Opens the terminal application.
struct RunCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Open the terminal application (the default).",
        discussion: """
            Examples:
              workbench
              workbench --theme default-light
              workbench --images half --no-mouse
              workbench --plain
              workbench --print-default-config > ~/.config/workbench/config.toml
            """)

    /// How pictures are shown.
    enum Images: String, ExpressibleByArgument, CaseIterable {
        case auto, sixel, half, ascii, off

        var mode: PictureMode? { PictureMode(rawValue: rawValue) }
    }

    /// Who encodes sixel pictures.
    enum Encoder: String, ExpressibleByArgument, CaseIterable {
        case auto, own, libsixel

        var choice: EncoderChoice { EncoderChoice(rawValue: rawValue) ?? .automatic }
    }

    /// The characters of borders.
    enum Borders: String, ExpressibleByArgument, CaseIterable {
        case lines, ascii
    }

    @Option(help: "The theme; `workbench themes` lists them.")
    var theme: String?

    @Option(help: "The model to load; the first one installed when left out.")
    var model: String?

    @Flag(name: .customLong("no-mouse"), help: "Leave the mouse to the terminal.")
    var noMouse = false

    @Option(help: "How pictures are shown: auto, sixel, half, ascii, off.")
    var images: Images?

    @Option(help: "Who encodes sixel pictures: auto, own, libsixel.")
    var encoder: Encoder?

    @Option(help: "Borders: lines, ascii.")
    var borders: Borders?

    @Flag(
        name: .customLong("reduced-motion"), help: "No picture before it is done, no moving bars.")
    var reducedMotion = false

    @Flag(help: "A dialogue line by line, for screen readers and simple terminals.")
    var plain = false

    @Flag(help: "Show no clock, spinner or timing, so that screens can be compared.")
    var deterministic = false

    @Flag(name: .customLong("no-session"), help: "Neither keep nor restore a session.")
    var noSession = false

    @Option(
        help: ArgumentHelp(
            "Read this configuration instead of ~/.config/workbench/config.toml.",
            valueName: "file"))
    var config: String?

    @Flag(name: .customLong("no-config"), help: "Read no configuration.")
    var noConfig = false

    @Flag(
        name: .customLong("print-default-config"),
        help: "Print a configuration with every setting and key, commented out.")
    var printDefaultConfig = false

    @Option(
        name: .customLong("debug-crash"), help: .hidden)
    var debugCrash: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if config != nil, noConfig {
            throw ValidationError("--config and --no-config exclude each other.")
        }
        if let debugCrash, DebugCrash(rawValue: debugCrash) == nil {
            let kinds = DebugCrash.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--debug-crash is \(debugCrash); the kinds are \(kinds).")
        }
    }

    func run() throws {
        if printDefaultConfig { return Output.line(Settings.defaultFile) }
        // The program's main thread runs commands; nothing else ever holds the main actor.
        try MainActor.assumeIsolated { try open() }
    }

    @MainActor private func open() throws {
        let access = try ModelAccess(common)
        let wakeup = Wakeup()
        let stateFolder = Self.stateFolder
        let logPath = common.log ?? stateFolder + "/workbench.log"
        try? FileManager.default.createDirectory(
            atPath: stateFolder, withIntermediateDirectories: true)
        let log = Log(level: .debug, path: logPath)
        let library = ThemeLibrary(folders: access.locator.places(for: .themes).map(\.path))
        if let theme { _ = try library.theme(named: theme) }
        let settings = settings()
        let start = Start(
            settings: settings, access: access, wakeup: wakeup, log: log, logPath: logPath,
            library: library, options: applicationOptions(settings, stateFolder: stateFolder))
        if plain || settings.isPlain { return start.plain() }
        try start.screen(debugCrash: debugCrash.flatMap(DebugCrash.init))
    }

    /// The configuration file that holds, whether or not it exists.
    private var settingsPath: String? {
        if noConfig { return nil }
        return config.map { ($0 as NSString).expandingTildeInPath }
            ?? Settings.defaultPath(environment: ProcessInfo.processInfo.environment)
    }

    private func settings() -> Settings {
        guard let path = settingsPath else { return Settings() }
        return Settings(file: path, isRequired: config != nil)
    }

    /// The settings of the file, replaced by what the command line says.
    private func applicationOptions(
        _ settings: Settings, stateFolder: String
    ) -> ApplicationOptions {
        var options = settings.options
        if let theme { options.themeName = theme }
        if let model { options.modelName = model }
        if noMouse { options.isMouseOn = false }
        if let images { options.images = images.mode }
        if let encoder { options.encoder = encoder.choice }
        if let borders { options.usesASCIIBorders = borders == .ascii }
        if reducedMotion { options.isMotionReduced = true }
        options.isDeterministic = deterministic
        options.stateFolder = noSession || !options.keepsSession ? nil : stateFolder
        options.settingsPath = settingsPath
        options.settingsProblems = settings.problems.map(\.description)
        return options
    }

    /// Models and files for the application; the catalogue is read again when it asks.
    fileprivate static func services(_ access: ModelAccess) -> Services {
        let folders = access.locator.places(for: .weights).map(\.path)
        let registry = access.registry
        return Services(
            listModels: {
                let catalog = ModelCatalog(folders: folders)
                var problems = catalog.problems.map { "\($0)" }
                if catalog.entries.isEmpty {
                    problems.append("No models in: " + folders.joined(separator: ", "))
                }
                return (catalog.entries, problems)
            },
            loadModel: { try registry.load($0, cancellation: $1) },
            isSymmetryModel: { registry.findsSymmetries(system: $0.card.system) })
    }

    /// `$XDG_STATE_HOME/workbench`, else `~/.local/state/workbench`.
    static var stateFolder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
            return folder + "/workbench"
        }
        return NSHomeDirectory() + "/.local/state/workbench"
    }
}

/// What both faces of the application are started with.
@MainActor private struct Start {
    var settings: Settings
    var access: ModelAccess
    var wakeup: Wakeup
    var log: Log
    var logPath: String
    var library: ThemeLibrary
    var options: ApplicationOptions

    private func application(_ options: ApplicationOptions) -> WorkbenchApplication {
        WorkbenchApplication(
            services: RunCommand.services(access), log: log, themes: library, options: options,
            wake: { [wakeup] in wakeup.wake() })
    }

    func screen(debugCrash: DebugCrash?) throws {
        var terminalOptions = Terminal.Options()
        terminalOptions.logPath = logPath
        terminalOptions.escapeDelay = settings.escapeDelay
        terminalOptions.cellSize = settings.cellSize
        let terminal: Terminal
        do {
            terminal = try Terminal(options: terminalOptions)
        } catch let error as TerminalError {
            throw InputError("\(error)")
        }
        let application = application(options)
        debugCrash?.perform()
        let loop = EventLoop(
            terminal: terminal, application: application, pictures: application.pictures,
            wakeup: wakeup)
        let end = loop.run()
        terminal.close()
        switch end {
        case .finished: application.shutDown()
        case .hangup: throw ExitCode.failure
        case .signal(let number): EventLoop.die(of: number)
        }
    }

    func plain() {
        var options = options
        options.images = .off
        options.usesASCIIBorders = true
        options.isMotionReduced = true
        options.showsHints = false
        let application = application(options)
        let dialogue = PlainDialogue(application: application) { Output.line($0) }
        PlainLoop(dialogue: dialogue, application: application, wakeup: wakeup).run()
        application.shutDown()
    }
}
