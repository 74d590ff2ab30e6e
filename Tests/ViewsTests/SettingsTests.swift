// The configuration file: mistakes by line and column, keys, the default file, live reloading.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Settings")
struct SettingsTests {
    @Test("Every mistake has its file, line, column and nearest name; the default holds")
    func mistakes() {
        let settings = Settings(
            parsing: """
                thme = "dusk"
                images = "sixl"
                mouse = 3
                escape-delay = 5
                borders = "ascii"
                [keys]
                quti = "x"
                help = ["F2", "Foo"]
                [keys.maks]
                tool-brush = "b"
                """, file: "config.toml")
        #expect(
            settings.problems.map { "\($0.line):\($0.column)" } == [
                "1:1", "2:10", "3:9", "4:16", "7:1", "8:15", "9:7",
            ])
        let text = settings.problems.map(\.description)
        #expect(text[0] == "config.toml:1:1: \"thme\" is not known here; did you mean \"theme\"?")
        #expect(text[1].contains("did you mean \"sixel\"?"))
        #expect(text[3].contains("between 10 and 500"))
        #expect(text[4].contains("did you mean \"quit\"?"))
        #expect(text[6].contains("did you mean \"mask\"?"))
        #expect(settings.options.images == nil && settings.options.isMouseOn)
        #expect(settings.escapeDelay == 0.025)
        #expect(settings.options.usesASCIIBorders, "a mistake elsewhere changes nothing here")
        #expect(settings.options.bindings == KeyBindings.default)
    }

    @Test("A file that is no TOML leaves all defaults and one message")
    func syntax() {
        let settings = Settings(parsing: "mouse = false\ntheme =", file: "c.toml")
        #expect(settings.problems.count == 1)
        #expect(settings.options.isMouseOn)
        #expect(Settings(file: "/nowhere/config.toml").problems.isEmpty)
        #expect(Settings(file: "/nowhere/config.toml", isRequired: true).problems.count == 1)
    }

    @Test("Keys: a command gets other ones, and whoever had them loses them")
    func keys() {
        let settings = Settings(
            parsing: """
                [keys]
                quit = ["C-q", "F10"]
                preset-cosine = "F9"
                compare = []
                [keys.mask]
                tool-box = "b"
                """)
        let bindings = settings.options.bindings
        #expect(settings.messages.isEmpty)
        #expect(bindings.command(for: KeyPress("q", .control), in: .log) == .quit)
        #expect(bindings.command(for: KeyPress(.function(10)), in: .mask) == .quit)
        #expect(bindings.command(for: KeyPress("q"), in: .log) == nil)
        #expect(bindings.command(for: KeyPress(.function(9)), in: .schedule) == .presetCosine)
        #expect(bindings.command(for: KeyPress("v"), in: .preview) == nil)
        #expect(bindings.command(for: KeyPress("b"), in: .mask) == .toolBox)
        #expect(bindings.keyText(for: .toolBrush, in: .pane(.mask)) == "")
    }

    @Test("Two commands on one key are told, and so is a pane that takes a global one")
    func conflicts() {
        let settings = Settings(
            parsing: "[keys]\nundo = \"F5\"\nredo = \"F5\"\n[keys.log]\nsearch = \"q\"")
        #expect(settings.messages.count == 2)
        #expect(settings.messages[0].contains("F5"))
    }

    @Test("The default file names every setting and key, and means the defaults when uncommented")
    func defaultFile() throws {
        let file = Settings.defaultFile
        for setting in Setting.all { #expect(file.contains("# \(setting.name) = ")) }
        let uncommented = file.split(separator: "\n", omittingEmptySubsequences: false).map {
            line -> Substring in
            let rest = line.dropFirst(2)
            let isSetting =
                line.hasPrefix("# [")
                || line.hasPrefix("# ")
                    && rest.prefix { $0 != " " }.allSatisfy { $0.isLowercase || $0 == "-" }
                    && rest.drop { $0 != " " }.hasPrefix(" = ")
            return isSetting ? rest : line
        }.joined(separator: "\n")
        let settings = Settings(parsing: uncommented, file: "default")
        #expect(settings.messages == [])
        #expect(settings.options.bindings == KeyBindings.default)
        var options = settings.options
        options.modelName = nil
        #expect(options == ApplicationOptions())
        #expect(settings.cellSize == PixelSize(width: 10, height: 20))
    }

    @Test("Names of commands are one to one")
    func names() {
        #expect(Set(Command.allCases.map(\.name)).count == Command.allCases.count)
        for command in Command.allCases { #expect(Command(name: command.name) == command) }
        #expect(Command.runNewSeed.name == "run-new-seed")
    }

    @Test("Other keys work, are in the help and in the hints")
    func rebound() {
        let settings = Settings(parsing: "[keys]\nhelp = \"F3\"\n[keys.preview]\ngenerate = \"z\"")
        let app = ApplicationHarness(options: { $0.bindings = settings.options.bindings }).ready()
        app.press("3")
        app.press("z")
        app.settle()
        #expect(app.state.runs.runs.count == 1)
        #expect(app.text().contains("z generate"))
        app.press(KeyPress(.function(3)))
        #expect(app.text().contains("Help: Preview"))
    }

    @Test("A saved theme and configuration are taken at once")
    func liveReload() throws {
        let folder = try TemporaryFolder()
        let theme = folder.file("mine.toml")
        let config = folder.file("config.toml")
        try write("\"ui.text\" = \"#102030\"", to: theme)
        let app = ApplicationHarness(
            themes: ThemeLibrary(folders: [folder.path]),
            options: {
                $0.themeName = "mine"
                $0.settingsPath = config
            }
        ).ready()
        func uses(_ wanted: Color) -> Bool {
            app.frame().surface.cells.contains { $0.style.foreground == wanted }
        }
        #expect(uses(.rgb(16, 32, 48)))
        try write("\"ui.text\" = \"#302010\"", to: theme)
        app.wait { _ in uses(.rgb(48, 32, 16)) }
        #expect(uses(.rgb(48, 32, 16)))
        // A mistake keeps the last good one and is told.
        try write("\"ui.text\" = \"#30201\"", to: theme)
        app.wait { $0.notice?.level == .error }
        #expect(app.state.notice?.text.contains("mine.toml:1:") == true)
        #expect(uses(.rgb(48, 32, 16)))
        try write("[keys]\nhelp = \"F3\"", to: config)
        app.wait { $0.bindings != KeyBindings.default }
        #expect(app.state.bindings.command(for: KeyPress(.function(3)), in: .log) == .help)
    }

    private func write(_ text: String, to path: String) throws {
        try AtomicWrite.write(Array(text.utf8), to: path)
    }
}
