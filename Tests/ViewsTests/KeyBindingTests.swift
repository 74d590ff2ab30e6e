// The key table: no conflicts, everything reachable, the sheet written from it.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Views

@MainActor
@Suite("Keys")
struct KeyBindingTests {
    @Test("The shipped table has no conflicts")
    func noConflicts() {
        #expect(KeyBindings.default.conflicts.map(\.description) == [])
    }

    @Test("Two commands on one key, and a global key reused by a pane, are reported")
    func conflicts() {
        let table = KeyBindings([
            .init(.global, .quit, [KeyPress("q")]),
            .init(.pane(.mask), .toolBrush, [KeyPress("b")]),
            .init(.pane(.mask), .toolBox, [KeyPress("b")]),
            .init(.pane(.jobs), .cancelJob, [KeyPress("q")]),
            .init(.pane(.log), .search, [KeyPress("b")]),
        ])
        #expect(
            table.conflicts.map(\.description) == [
                "The key b means “Brush” and “Box” in Mask.",
                "The key q means “Close, or quit” and “Cancel the job” in Jobs.",
            ])
    }

    @Test("Every hint has a key and every key a line in the sheet")
    func hints() {
        let bindings = KeyBindings.default
        for pane in PaneID.allCases {
            for command in KeyBindings.hints(for: pane) {
                #expect(bindings.firstKey(for: command, in: pane) != nil, "\(command) in \(pane)")
            }
        }
        let sheet = KeySheet.markdown()
        for binding in bindings.bindings {
            #expect(sheet.contains(bindings.title(of: binding.command, in: binding.context)))
        }
        #expect(sheet.contains("| `Enter` | Run the edit |"))
    }

    @Test("The palette finds commands by a few letters and remembers them")
    func palette() {
        let app = ApplicationHarness().ready()
        app.press(":")
        app.type("grid")
        #expect(app.text().contains("View: grid"))
        app.press(.enter)
        #expect(app.state.preview.view == .grid)
        #expect(app.state.overlays.isEmpty)
        #expect(app.state.recentCommands == [.viewGrid])
        app.press(":")
        #expect(app.state.paletteCommands(app.state.overlays[0]).first == .viewGrid)
        app.press(.escape)
        #expect(app.state.overlays.isEmpty)
    }

    @Test("The help lists the pane's keys, can be searched, and runs what is chosen")
    func help() {
        let app = ApplicationHarness().ready()
        app.press("4")
        app.press("?")
        #expect(app.text().contains("Help: Mask"))
        app.type("eraser")
        app.press(.enter)
        #expect(app.state.mask.tool == .eraser || app.state.mask.tool == .brush)
        #expect(app.state.overlays.isEmpty)
    }

    @Test("A click on a hint acts as its key")
    func hintClick() {
        let app = ApplicationHarness().ready()
        app.click("generate  R")
        app.settle()
        #expect(app.state.runs.runs.count == 1)
        app.click("4 Mask")
        #expect(app.state.layout.focus == .mask)
        app.click("7 Log", button: .right)
        #expect(app.state.overlays.count == 1)
        app.press(.escape)
        #expect(app.state.overlays.isEmpty)
    }

    @Test("Fuzzy matching wants the letters in order and prefers beginnings of words")
    func fuzzy() {
        #expect(FuzzyMatch.score("xyz", in: "Mask") == nil)
        #expect(FuzzyMatch.filter(["amask", "mask", "a mask"], by: "mask") { $0 }.first == "mask")
        #expect(FuzzyMatch.filter(["b", "a"], by: "") { $0 } == ["b", "a"])
    }

    @Test("Text is edited with the usual keys")
    func textEntry() {
        var entry = TextEntry("héllo wörld")
        _ = entry.handle(KeyPress("w", .control))
        #expect(entry.text == "héllo ")
        _ = entry.handle(KeyPress(.home))
        _ = entry.handle(KeyPress(.delete))
        #expect(entry.text == "éllo ")
        entry.insert("a\nb\u{301}")
        #expect(entry.text == "ab\u{301}éllo ")
        _ = entry.handle(KeyPress(.backspace))
        #expect(entry.text == "aéllo ")
        let isTaken = entry.handle(KeyPress(.function(3)))
        #expect(!isTaken)
    }

    @Test("docs/keys.md and the README's short table are those of the program")
    func documents() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let keys = try String(contentsOf: root.appending(path: "docs/keys.md"), encoding: .utf8)
        #expect(
            keys.trimmingCharacters(in: .newlines)
                == KeySheet.markdown().trimmingCharacters(in: .newlines),
            "`workbench keys > docs/keys.md` writes it")
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains(KeySheet.short()), "`workbench keys --short` prints it")
        #expect(!KeySheet.short().contains("|  |"))
    }
}
