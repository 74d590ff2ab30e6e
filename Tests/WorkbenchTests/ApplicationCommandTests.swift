// What belongs to the application, from the command line: configuration, manual, themes, --plain.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@Suite struct ApplicationCommandTests {
    private let program: Program

    init() throws { program = try Program() }

    @Test func theDefaultConfigurationIsGood() throws {
        let file = program.folder.file("default.toml")
        let text = try program.succeed("--print-default-config").output
        #expect(text == (try program.succeed("config", "default").output))
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try program.succeed("config", "check", file).output.contains("good"))
        #expect(try program.succeed("config", "check").output.contains("the defaults hold"))
        #expect(
            try program.succeed("config", "path").output.contains("/config/workbench/config.toml"))
    }

    @Test func mistakesOfAConfigurationAreAllTold() throws {
        let file = program.folder.file("bad.toml")
        try "theme = 3\n[keys]\nquti = \"x\"\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let outcome = try program.run("config", "check", file)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("bad.toml:1:9:"))
        #expect(outcome.errors.contains("bad.toml:3:1:") && outcome.errors.contains("quit"))
        try program.refuse(["keys", "--config", file], "bad.toml:1:9")
        let theme = program.folder.file("theme.toml")
        try Data("theme = \"glacer\"\n".utf8).write(to: URL(fileURLWithPath: theme))
        try program.refuse(["config", "check", theme], "glacer")
        try program.refuse(["config", "check", "absent.toml"], "absent.toml")
        try program.refuse(["--config", file, "--no-config"], "--no-config")
        try program.refuse(["--debug-crash", "nonsense"], "segv")
    }

    @Test func theManualNamesEveryCommandKeyAndSetting() throws {
        let page = try program.succeed("man").output
        #expect(page.contains(".Dt WORKBENCH 1"))
        for word in ["workbench sample", "workbench themes check", "Run the edit", "escape"] {
            #expect(page.replacing("\\-", with: "-").contains(word), "\(word)")
        }
        // Every line that begins with a dot is a macro of mdoc.
        let macros: Set<Substring> = [
            ".Dd", ".Dt", ".Os", ".Sh", ".Ss", ".Nm", ".Nd", ".Op", ".Bl", ".It", ".El", ".Bd",
            ".Ed",
            ".Xr",
        ]
        for line in page.split(separator: "\n") where line.hasPrefix(".") {
            #expect(macros.contains(line.prefix { $0 != " " }), "\(line)")
        }
    }

    @Test func themesAreCheckedWithFigures() throws {
        let all = try program.succeed("themes", "check").output
        #expect(all.split(separator: "\n").count >= 12)
        #expect(!all.contains("see below"))
        #expect(try program.succeed("themes", "check", "dusk").output.contains(":1  ui.text"))
        let folder = program.folder.path + "/config/workbench/themes"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try "inherits = \"b\"".write(toFile: folder + "/a.toml", atomically: true, encoding: .utf8)
        try "inherits = \"a\"".write(toFile: folder + "/b.toml", atomically: true, encoding: .utf8)
        let outcome = try program.run("themes", "check")
        #expect(outcome.status == 2 && outcome.errors.contains("inherits from itself"))
    }

    @Test func plainWorksInAPipeOnADumbTerminal() throws {
        let lines = "class 3\\nseed 5\\ngenerate\\nsave three.png\\nquit\\n"
        let outcome = try program.shell(
            "printf '\(lines)' | TERM=dumb \"$WORKBENCH\" --plain --device cpu --model hmar-digits")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("28 by 28 pixels"))
        #expect(outcome.output.contains("Saved three.png"))
        #expect(!outcome.output.contains("\u{1B}"))
        // The same seed gives the same picture as the command does.
        try program.succeed("replay", program.folder.file("three.png"), "--device", "cpu")
    }
}
