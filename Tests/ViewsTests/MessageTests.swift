// Messages of what went wrong are told to their end, and stay. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Messages")
struct MessageTests {
    private static let reason =
        "/home/someone/pictures/of/a/long/name/mask-of-the-chair.png: the first bytes are not those "
        + "of a picture (PNG or JPEG); give a file of that kind."

    @Test("A long error takes as many lines as it needs; a hint on a narrow screen takes one")
    func longErrors() throws {
        let app = ApplicationHarness(size: CellSize(columns: 80, rows: 24)).ready()
        app.application.send(.notice(.error, Self.reason))
        let lines = app.text().split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.hasPrefix(" ✗ /home/someone") })
        #expect(first < 22)
        let shown = lines[first...22].map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(shown.joined(separator: " ") == "✗ " + Self.reason)
        // The panes come back.
        app.press(.escape)
        #expect(app.text().split(separator: "\n")[21].hasPrefix("└"))
        let narrow = ApplicationHarness(size: CellSize(columns: 70, rows: 24)).ready()
        narrow.application.send(.notice(.info, Self.reason))
        #expect(narrow.text().split(separator: "\n")[21].hasPrefix("└"))
    }

    @Test("No message goes over the edge of any window", arguments: [1, 2, 5, 20, 60, 200])
    func anySize(columns: Int) {
        let app = ApplicationHarness(size: CellSize(columns: columns, rows: 12)).ready()
        app.application.send(.notice(.error, Self.reason))
        #expect(app.frame().surface.size == app.size)
    }

    @Test("A mistake told at the start is not covered by the model that becomes ready")
    func settingsProblem() {
        let app = ApplicationHarness(options: {
            $0.settingsProblems = ["config.toml:2:1: \"imagess\" is not known here."]
        }).ready()
        #expect(app.text().contains("config.toml:2:1"))
        app.press(.enter)
        app.settle()
        #expect(app.state.runs.runs.count == 1)
    }

    @Test("A theme of the configuration that cannot be used: told, logged, and the default shown")
    func brokenTheme() throws {
        let folder = try TemporaryFolder()
        try Data("\"ui.text\" = \"#12345\"\n".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/mine.toml"))
        try Data("\"ui.text\" = \"#abcdef\"\n".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/default-dark.toml"))
        let library = ThemeLibrary(folders: [folder.path])
        for (name, words) in [("mine", "mine.toml:1:13"), ("nonesuch", "nonesuch")] {
            let app = ApplicationHarness(themes: library, options: { $0.themeName = name }).ready()
            #expect(app.state.notice?.level == .error)
            #expect(app.state.notice?.text.contains(words) == true)
            #expect(app.state.log.lines.contains { $0.text.contains(words) })
            #expect(app.state.themeName == "default-dark")
        }
    }

    @Test("Who cannot keep a session is told so; leaving asks when a picture would be lost")
    func nothingLost() {
        let second = ApplicationHarness().ready()
        second.application.send(.session(.readOnly("Another workbench is open.")))
        #expect(second.text().contains("! Another workbench is open."))

        let app = ApplicationHarness().ready()
        app.application.send(.session(.opened(recovered: nil, queue: [])))
        app.press(.enter)
        app.settle()
        app.application.send(.session(.lostGallery("The gallery was not saved: disk full.")))
        #expect(app.text().contains("✗ The gallery was not saved: disk full."))
        app.press("q")
        #expect(!app.state.isFinished)
        #expect(app.text().contains("A picture is not saved."))
        app.press(.escape)
        // Written after all: nothing would be lost any more.
        app.application.send(.session(.keptGallery))
        app.press("q")
        #expect(app.state.isFinished)
    }

    @Test("A model that cannot be loaded: the reason in the middle, its name once")
    func failedModel() {
        let app = ApplicationHarness()
        app.wait { $0.models.isListed }
        app.settle()
        app.application.send(.models(.unloaded))
        app.application.send(
            .models(.failed("fake-digits", reason: "fake-digits: /w/x.safetensors is cut off.")))
        let text = app.text()
        #expect(text.contains("fake-digits could not be loaded"))
        #expect(text.contains("✗ fake-digits was not loaded: /w/x.safetensors is cut off."))
    }

    @Test("Ctrl-F goes on to the next size that differs")
    func zoom() {
        let wide = ApplicationHarness(size: CellSize(columns: 200, rows: 60)).ready()
        wide.press("3")
        let before = wide.text()
        wide.press(KeyPress("f", .control))
        #expect(wide.text() != before)
        #expect(wide.state.layout.zoom == .full)
        wide.press(KeyPress("f", .control))
        #expect(wide.text() == before)
        let usual = ApplicationHarness(size: CellSize(columns: 120, rows: 40)).ready()
        usual.press("3")
        usual.press(KeyPress("f", .control))
        #expect(usual.state.layout.zoom == .half)
    }
}
