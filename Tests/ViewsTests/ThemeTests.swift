// Themes: reading, inheritance, fallback, errors, and the legibility of the shipped ones.
// SPDX-License-Identifier: Apache-2.0

import Core
import Foundation
import Testing
import Views

@Suite("Themes")
struct ThemeTests {
    /// The repository's own themes folder.
    static let shipped = ThemeLibrary(folders: [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("themes").path
    ])
    static let shippedNames = shipped.names()

    @Test("Colours, attributes and the palette")
    func styles() throws {
        let theme = try Theme(
            parsing: """
                "ui.background" = { bg = "ink" }
                "ui.text" = "#fff"
                "ui.text.dim" = { fg = "light-gray", modifiers = ["dim", "italic"] }
                "job.failed" = { fg = "default", bg = "red" }
                [palette]
                ink = "#102030"
                """, name: "t")
        #expect(
            theme[.text] == Style(foreground: .rgb(255, 255, 255), background: .rgb(16, 32, 48)))
        #expect(
            theme[.textDim]
                == Style(
                    foreground: .ansi(7), background: .rgb(16, 32, 48), modifiers: [.dim, .italic]))
        #expect(theme[.jobFailed] == Style(foreground: .default, background: .ansi(1)))
        #expect(theme.warnings.isEmpty)
    }

    @Test("What is left open comes along the dots, then from text and background")
    func fallback() throws {
        let theme = try Theme(
            parsing: """
                "ui.background" = { bg = "black" }
                "ui.text" = "white"
                "ui.popup" = { bg = "blue" }
                "job" = { fg = "green", modifiers = ["bold"] }
                "job.bar" = { bg = "red" }
                """, name: "t")
        #expect(
            theme[.jobBarTrack]
                == Style(foreground: .ansi(2), background: .ansi(1), modifiers: []))
        #expect(
            theme[.jobDone]
                == Style(foreground: .ansi(2), background: .ansi(0), modifiers: .bold))
        #expect(theme[.textDim, on: .popup] == Style(foreground: .ansi(15), background: .ansi(4)))
        #expect(theme[.plotLine(11)] == theme[.plotLine(3)])
    }

    @Test("A theme inherits styles and may change only the palette")
    func inheritance() throws {
        try withFolder { folder in
            try write("\"ui.text\" = \"ink\"\n[palette]\nink = \"red\"", "base", folder)
            try write("inherits = \"base\"\n[palette]\nink = \"#00f\"", "child", folder)
            let theme = try ThemeLibrary(folders: [folder]).theme(named: "child")
            #expect(theme[.text].foreground == .rgb(0, 0, 255))
            #expect(theme.sourceFiles == ["\(folder)/child.toml", "\(folder)/base.toml"])
        }
    }

    @Test("Inheriting in a circle is an error, and so is a missing ancestor")
    func cycle() throws {
        try withFolder { folder in
            try write("inherits = \"b\"", "a", folder)
            try write("inherits = \"a\"", "b", folder)
            try write("inherits = \"bb\"", "c", folder)
            let library = ThemeLibrary(folders: [folder])
            #expect(throws: ThemeError.inheritanceCycle(["a", "b", "a"], file: "\(folder)/a.toml"))
            {
                try library.theme(named: "a")
            }
            #expect(throws: ThemeError.notFound(name: "bb", nearest: "b", folders: [folder])) {
                try library.theme(named: "c")
            }
            #expect(throws: ThemeError.self) { try library.theme(named: "../a") }
        }
    }

    @Test("Errors name the file, line, column and the nearest valid name")
    func errors() {
        let color = #expect(throws: ThemeError.self) {
            try Theme(parsing: "\n\"ui.text\" = \"geen\"", name: "t")
        }
        #expect(color?.description.hasPrefix("t.toml:2:13: \"geen\" in \"ui.text\"") == true)
        #expect(color?.description.contains("did you mean \"green\"") == true)
        let modifier = #expect(throws: ThemeError.self) {
            try Theme(parsing: "\"ui.key\" = { modifiers = [\"bold\", \"blod\"] }", name: "t")
        }
        #expect(modifier?.description.hasPrefix("t.toml:1:35: \"blod\"") == true)
        let field = #expect(throws: ThemeError.self) {
            try Theme(parsing: "\"ui.key\" = { foreground = \"red\" }", name: "t")
        }
        #expect(field?.description.contains("t.toml:1:14") == true)
        for bad in ["#12", "#12345g", "#", "Red"] {
            #expect(throws: ThemeError.self) {
                try Theme(parsing: "\"ui.key\" = \"\(bad)\"", name: "t")
            }
        }
    }

    @Test("Unknown style names are warnings, not errors")
    func warnings() throws {
        let theme = try Theme(parsing: "\"ui.txt\" = \"red\"", name: "t")
        #expect(theme.warnings.count == 1)
        #expect(theme.warnings.first?.description.contains("did you mean \"ui.text\"") == true)
    }

    @Test("Without colours, attributes carry the meaning")
    func noColor() throws {
        let theme = try Self.shipped.theme(named: "default-dark").adapted(to: .none)
        for name in StyleName.all {
            #expect(theme[name].foreground == .default && theme[name].background == .default)
        }
        #expect(theme[.selection].modifiers.contains(.reversed))
        #expect(theme[.logError].modifiers.contains(.bold))
        #expect(theme[.textDim].modifiers.contains(.dim))
    }

    @Test("Contrast follows its definition")
    func contrast() throws {
        #expect(Theme.contrast(.rgb(0, 0, 0), .rgb(255, 255, 255)) == 21)
        #expect(Theme.contrast(.default, .rgb(0, 0, 0)) == nil)
        // A grey of 119 on white is the textbook case just under the limit.
        let grey = try #require(Theme.contrast(.rgb(119, 119, 119), .rgb(255, 255, 255)))
        #expect(abs(grey - 4.478) < 0.001)
        let theme = try Theme(
            parsing: "\"ui.background\" = { bg = \"#fff\" }\n\"ui.text\" = \"#777\"", name: "t")
        #expect(theme.contrastProblems().contains { $0.style == .text })
    }

    @Test("At least twelve themes ship, two of them the defaults")
    func count() {
        #expect(Self.shippedNames.count >= 12)
        #expect(Set(Self.shippedNames).isSuperset(of: ["default-dark", "default-light"]))
    }

    @Test("Every shipped theme is clean and legible", arguments: shippedNames)
    func shippedTheme(name: String) throws {
        let theme = try Self.shipped.theme(named: name)
        #expect(theme.warnings.isEmpty)
        let least = name.hasPrefix("high-contrast") ? 7 : Theme.leastContrast
        let problems = theme.contrastProblems(below: least)
        #expect(problems.isEmpty, "\(name): \(problems.map(\.description).joined(separator: "\n"))")
        // What is selected must be seen as selected.
        #expect(theme[.selection] != theme[.text])
        #expect(theme[.cursor] != theme[.text])
    }

    @Test("The 16-colour theme uses nothing else")
    func ansiOnly() throws {
        let theme = try Self.shipped.theme(named: "ansi-16")
        for name in StyleName.all {
            for color in [theme[name].foreground, theme[name].background] {
                switch color {
                case .default: break
                case .ansi(let index): #expect(index < 16)
                case .rgb: Issue.record("\(name.rawValue) uses an RGB colour")
                }
            }
        }
    }

    @Test("The nearest xterm colour of every palette entry is that colour")
    func xterm() {
        for index in UInt8(16)...255 {
            let color = XtermPalette.color(index)
            let nearest = XtermPalette.nearest(red: color.red, green: color.green, blue: color.blue)
            #expect(XtermPalette.color(nearest) == color)
        }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("themes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func write(_ text: String, _ name: String, _ folder: String) throws {
        try text.write(toFile: "\(folder)/\(name).toml", atomically: true, encoding: .utf8)
    }
}
