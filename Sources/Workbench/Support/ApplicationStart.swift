// The two faces of the application: the full screen and the dialogue line by line.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Views

/// What both faces of the application are started with.
@MainActor struct ApplicationStart {
    var settings: Settings
    var access: ModelAccess
    var common: CommonOptions
    var wakeup: Wakeup
    var log: Log
    var logPath: String
    var library: ThemeLibrary
    var options: ApplicationOptions

    /// Models and files for the application; the catalogue is read again when it asks.
    private var services: Services {
        let folders = access.locator.places(for: .weights).map(\.path)
        let registry = access.registry
        let devices = ComputeDevices(opened: currentDevice, precision: common.precision)
        return Services(
            listModels: {
                let catalog = ModelCatalog(folders: folders)
                var problems = catalog.problems.map { "\($0)" }
                if catalog.entries.isEmpty {
                    problems.append(
                        "No models were found in " + folders.joined(separator: ", ")
                            + ". `workbench import` adds one; --models names another folder.")
                }
                return (catalog.entries, problems)
            },
            loadModel: { try registry.load($0, cancellation: $1) },
            listDevices: { devices.entries() }, device: { try devices.device(named: $0) },
            trainings: TrainingProcesses(
                recipeFolders: access.locator.places(for: .recipes).map(\.path),
                runsFolder: "runs",
                options: common.threads.map { ["--threads", "\($0)"] } ?? []),
            isSymmetryModel: { registry.findsSymmetries(system: $0.card.system) })
    }

    private func application(_ options: ApplicationOptions) -> WorkbenchApplication {
        WorkbenchApplication(
            services: services, log: log, themes: library, options: options,
            wake: { [wakeup] in wakeup.wake() })
    }

    /// Opens the screen; `around` may put something between the application and the loop.
    func screen(
        around: (WorkbenchApplication) -> any Application = { $0 }
    ) throws {
        var terminalOptions = Terminal.Options()
        terminalOptions.logPath = logPath
        terminalOptions.escapeDelay = settings.escapeDelay
        terminalOptions.cellSize = settings.cellSize
        terminalOptions.hasBraille = settings.hasBraille
        let terminal: Terminal
        do {
            terminal = try Terminal(options: terminalOptions)
        } catch let error as TerminalError {
            throw InputError("\(error)")
        }
        // Keys go before what a model computes: the threads of the kernels, which stand by now.
        withExtendedLifetime(currentDevice) { ThreadPriority.lowerAllButMain() }
        var options = options
        options.niceness = ThreadPriority.background
        let application = application(options)
        let loop = EventLoop(
            terminal: terminal, application: around(application), pictures: application.pictures,
            wakeup: wakeup)
        let end = loop.run()
        terminal.close()
        switch end {
        case .finished: application.shutDown()
        case .hangup: throw ExitCode.failure
        case .signal(let number): EventLoop.die(of: number)
        }
    }

    /// Holds the dialogue line by line.
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
