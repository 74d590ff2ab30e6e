// How the application is started: its options, the configuration, the model services.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// Options of the commands that open the application.
struct ScreenOptions: ParsableArguments {
    /// How pictures are shown.
    enum Images: String, ExpressibleByArgument, CaseIterable {
        case auto, sixel, kitty, iterm2, half, braille, ascii, off

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

    @Option(help: "The model to load; hmar-objects when left out.")
    var model: String?

    @Flag(name: .customLong("no-mouse"), help: "Leave the mouse to the terminal.")
    var noMouse = false

    @Option(help: "How pictures are shown: auto, sixel, kitty, iterm2, half, braille, ascii, off.")
    var images: Images?

    @Option(help: "Who encodes sixel pictures: auto, own, libsixel.")
    var encoder: Encoder?

    @Option(help: "Borders: lines, ascii.")
    var borders: Borders?

    @Flag(
        name: .customLong("reduced-motion"), help: "No picture before it is done, no moving bars.")
    var reducedMotion = false

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

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if config != nil, noConfig {
            throw ValidationError("--config and --no-config exclude each other.")
        }
    }

    /// Everything that the application is made of.
    @MainActor func start() throws -> ApplicationStart {
        let access = try ModelAccess(common)
        let stateFolder = Self.stateFolder
        let logPath = common.log ?? stateFolder + "/workbench.log"
        try? FileManager.default.createDirectory(
            atPath: stateFolder, withIntermediateDirectories: true)
        let log = Log(level: .debug, path: logPath)
        let library = ThemeLibrary(folders: access.locator.places(for: .themes).map(\.path))
        if let theme { _ = try library.theme(named: theme) }
        let settings = settings()
        return ApplicationStart(
            settings: settings, access: access, common: common, wakeup: Wakeup(), log: log,
            logPath: logPath, library: library,
            options: applicationOptions(settings, stateFolder: stateFolder))
    }

    /// The configuration file that holds, whether or not it exists.
    private var settingsPath: String? {
        if noConfig { return nil }
        return config.map { HomeFolder.expandingTilde($0) }
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
        options.preferredModelName = DefaultModel.name
        if noMouse { options.isMouseOn = false }
        if let images { options.images = images.mode }
        if let encoder { options.encoder = encoder.choice }
        if let borders { options.usesASCIIBorders = borders == .ascii }
        if reducedMotion { options.isMotionReduced = true }
        options.isDeterministic = deterministic
        options.deviceName = ComputeDevices.name(of: currentDevice)
        options.stateFolder = noSession || !options.keepsSession ? nil : stateFolder
        options.settingsPath = settingsPath
        options.settingsProblems = settings.problems.map(\.description)
        return options
    }

    /// `$XDG_STATE_HOME/workbench`, else `~/.local/state/workbench`.
    static var stateFolder: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
            return folder + "/workbench"
        }
        return HomeFolder.path() + "/.local/state/workbench"
    }
}
