// The application without a terminal, on a model without weights.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

@testable import Views

/// Drives an application as the event loop would.
@MainActor
final class ApplicationHarness {
    let application: WorkbenchApplication
    let model: FakeImageModel
    let files = FakeFiles()
    private let clock = FakeClock()
    var size: CellSize

    init(
        size: CellSize = CellSize(columns: 120, rows: 40), passSeconds: Double = 0,
        patchNums: [Int] = [1, 2, 3, 5, 7], imageSize: Int = 28, stateFolder: String? = nil,
        capabilities: Capabilities = ApplicationHarness.sixelTerminal,
        themes: ThemeLibrary? = nil, symmetry: [FakeSymmetryModel] = [],
        trainings: FakeTrainings? = nil, gpu: DeviceEntry? = nil,
        options: (inout ApplicationOptions) -> Void = { _ in }
    ) {
        let model = FakeImageModel(
            imageSize: imageSize, patchNums: patchNums, passSeconds: passSeconds)
        self.model = model
        self.size = size
        var settings = ApplicationOptions()
        settings.isDeterministic = true
        settings.showsHints = false
        settings.stateFolder = stateFolder
        options(&settings)
        let files = files
        let clock = clock
        application = WorkbenchApplication(
            services: Services(
                listModels: {
                    let cards = [model.card] + symmetry.map(\.card)
                    return (cards.map { ModelEntry(card: $0, folder: "/models") }, [])
                },
                loadModel: { entry, _ -> any LoadedModel in
                    let fake = symmetry.first { $0.card.name == entry.card.name }
                    if let fake { return fake }
                    return model
                },
                listDevices: {
                    let devices = [DeviceEntry(name: "cpu", title: "CPU, 2 cores")]
                    return (devices + [gpu].compactMap { $0 }, gpu == nil ? "no driver." : nil)
                },
                trainings: trainings,
                openPicture: { path, side in
                    (RGBImage(width: side, height: side, red: 200), "\(path) was resized.")
                },
                importMask: { _ in PixelMask(width: 14, height: 14, filledWith: true) },
                writeMask: { mask, path in files.add(path, mask: mask) },
                writePicture: { _, recipe, path in files.add(path, recipe: recipe) },
                isSymmetryModel: { $0.card.system == "fake-symmetry" },
                writeFile: { bytes, path in files.add(path, bytes: bytes) }),
            themes: themes, options: settings, environment: [:], clock: { clock.now }, wake: {})
        application.terminalChanged(capabilities)
        application.handle(.resize(ScreenSize(cells: size)))
    }

    static var sixelTerminal: Capabilities {
        var capabilities = Capabilities()
        capabilities.hasSixel = true
        capabilities.hasPixelMouse = true
        return capabilities
    }

    /// With the model in memory.
    func ready(waitsForJobs: Bool = true) -> Self {
        wait {
            $0.model != nil && (!waitsForJobs || $0.jobs.jobs.allSatisfy { $0.state.isFinished })
        }
        return self
    }

    var state: AppState { application.state }

    /// Takes what the workers left, again and again, until a condition holds.
    func wait(_ seconds: Double = 20, until condition: (AppState) -> Bool) {
        let end = Date(timeIntervalSinceNow: seconds)
        while !condition(application.state), Date() < end {
            application.tick(now: clock.now)
            Thread.sleep(forTimeInterval: 0.001)
        }
        application.tick(now: clock.now)
    }

    /// Until nothing runs and nothing waits.
    func settle() {
        wait {
            !$0.runs.hasUnfinished && $0.jobs.jobs.allSatisfy { $0.state.isFinished }
        }
    }

    /// Lets time pass.
    func advance(_ seconds: Double) {
        clock.now += seconds
        application.tick(now: clock.now)
    }

    func press(_ keys: KeyPress...) {
        for key in keys { application.handle(.key(key)) }
    }

    func press(_ characters: String) {
        for character in characters { application.handle(.key(KeyPress(character))) }
    }

    func type(_ text: String) { press(text) }

    func frame() -> Frame { application.draw(size: size) }
    func text() -> String { frame().surface.text() }

    /// Clicks where a text stands.
    func click(_ text: String, button: MouseEvent.Button = .left) {
        guard let point = frame().surface.find(text) else { return }
        click(point, button: button)
    }

    func click(_ point: Point, button: MouseEvent.Button = .left) {
        application.handle(.mouse(MouseEvent(.press, button: button, cell: point)))
        application.handle(.mouse(MouseEvent(.release, button: button, cell: point)))
    }
}

/// Time that passes when a test says so.
@MainActor
final class FakeClock {
    var now = 0.0
}

/// Remembers what was written.
final class FakeFiles: @unchecked Sendable {
    private let lock = NSLock()
    private var written: [String] = []
    private var storedRecipes: [PictureRecipe] = []
    private var storedMasks: [PixelMask] = []
    private var storedFiles: [String: [UInt8]] = [:]

    func add(_ path: String, recipe: PictureRecipe) {
        lock.withLock {
            written.append(path)
            storedRecipes.append(recipe)
        }
    }

    func add(_ path: String, mask: PixelMask) {
        lock.withLock {
            written.append(path)
            storedMasks.append(mask)
        }
    }

    func add(_ path: String, bytes: [UInt8]) {
        lock.withLock {
            written.append(path)
            storedFiles[path] = bytes
        }
    }

    var files: [String: [UInt8]] { lock.withLock { storedFiles } }
    var paths: [String] { lock.withLock { written } }
    var recipes: [PictureRecipe] { lock.withLock { storedRecipes } }
    var masks: [PixelMask] { lock.withLock { storedMasks } }
}

extension KeyPress {
    static let enter = KeyPress(.enter)
    static let escape = KeyPress(.escape)
    static let up = KeyPress(.up)
    static let down = KeyPress(.down)
    static let left = KeyPress(.left)
    static let right = KeyPress(.right)
}
