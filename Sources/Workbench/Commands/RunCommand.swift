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
    var images = Images.auto

    @Option(help: "Who encodes sixel pictures: auto, own, libsixel.")
    var encoder = Encoder.auto

    @Option(help: "Borders: lines, ascii.")
    var borders = Borders.lines

    @Flag(help: "Show no clock, spinner or timing, so that screens can be compared.")
    var deterministic = false

    @Flag(name: .customLong("no-session"), help: "Neither keep nor restore a session.")
    var noSession = false

    @Option(
        name: .customLong("debug-crash"), help: .hidden)
    var debugCrash: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
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
        var options = Terminal.Options()
        options.logPath = logPath
        options.allowsMouse = !noMouse
        let terminal: Terminal
        do {
            terminal = try Terminal(options: options)
        } catch let error as TerminalError {
            throw InputError("\(error)")
        }
        let application = WorkbenchApplication(
            services: Self.services(access), log: log, themes: library,
            options: applicationOptions(stateFolder: stateFolder), wake: { wakeup.wake() })
        if let debugCrash, let kind = DebugCrash(rawValue: debugCrash) { kind.perform() }
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

    private func applicationOptions(stateFolder: String) -> ApplicationOptions {
        var options = ApplicationOptions()
        options.themeName = theme
        options.modelName = model
        options.isMouseOn = !noMouse
        options.images = images.mode
        options.encoder = encoder.choice
        options.isDeterministic = deterministic
        options.usesASCIIBorders = borders == .ascii
        options.stateFolder = noSession ? nil : stateFolder
        return options
    }

    /// Models and files for the application; the catalogue is read again when it asks.
    private static func services(_ access: ModelAccess) -> Services {
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
            loadModel: { try registry.load($0, cancellation: $1) })
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
