// The rules that hold for every command, headless. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct CommandTests {
    private let program: Program

    init() throws { program = try Program() }

    // MARK: Statuses

    @Test func helpAndVersionAreDone() throws {
        #expect(try program.succeed("--version").output.contains(Version.current))
        let help = try program.succeed("--help").output
        let commands = [
            "sample", "edit", "encode", "decode", "replay", "models", "inspect", "import", "train",
            "forward", "bench", "selftest", "doctor", "paths", "themes", "completions",
        ]
        for command in commands {
            #expect(help.contains("\n  \(command) "), "\(command) is not listed")
            let own = try program.succeed(command, "--help").output
            #expect(own.contains("xample"), "\(command) has no example")
        }
    }

    @Test func unknownNamesAreRefusedWithTheNearest() throws {
        try program.refuse(["smaple"], "smaple")
        try program.refuse(["sample", "--model", "hmar-digist"], "hmar-digist")
        try program.refuse(["models", "show", "nothing"], "nothing")
        try program.refuse(["themes", "check", "defualt-dark"], "defualt-dark")
        try program.refuse(["--theme", "no-such-theme"], "no-such-theme")
        try program.refuse(["sample", "--nonsense"], "--nonsense")
        try program.refuse(["completions", "tcsh"], "tcsh")
    }

    @Test func commonOptionsAreChecked() throws {
        try program.refuse(["paths", "--models", "/no/such/folder"], "--models", "/no/such/folder")
        try program.refuse(["sample", "--threads", "0"], "--threads")
        try program.refuse(["sample", "--device", "abacus"], "abacus")
        try program.refuse(["sample", "--progress", "often"], "often")
        try program.refuse(["sample", "--seed", "-1"], "seed")
    }

    /// Without a terminal the application says so instead of drawing.
    @Test func theApplicationNeedsATerminal() throws {
        let outcome = try program.run([])
        #expect(outcome.status == 2 && outcome.errors.contains("terminal"))
        #expect(!outcome.output.contains("\u{1B}"))
    }

    /// The pictures are there, the folder for them is not, or the file is none.
    @Test func filesThatCannotBeUsed() throws {
        try program.refuse(["inspect", "absent.safetensors"], "absent.safetensors")
        try program.refuse(["inspect", program.folder.path], program.folder.path)
        try program.refuse(["replay", Fixture.path("pictures/scene.png")], "scene.png")
        try program.refuse(["replay", Fixture.path("hmar/README.md")], "README.md")
        try program.refuse(["train", "absent.toml"], "absent.toml")
    }

    @Test func recipesThatCannotBeUsed() throws {
        func refuse(_ text: String, _ words: String) throws {
            let path = try program.folder.write(Array(text.utf8), "r.toml")
            try program.refuse(["train", path], "r.toml", words)
        }
        try refuse("name = ", "r.toml:1:8")
        try refuse("steps = 3", "name")
        try refuse("name = \"x\"\nsystem = \"vqvea\"", "vqvae")
        try refuse("name = \"x\"\nsystem = \"vqvae\"\nstepz = 3", "stepz")
        try refuse(
            "name = \"x\"\nsystem = \"vqvae\"\nsteps = 3\nbatch_size = 0\n[model]\nchannels = 33",
            "channel")
    }

    // MARK: Output

    @Test func jsonIsOneDocument() throws {
        let store = Fixture.path("hmar/tiny_hmar.pth")
        let inspected = try program.succeed("inspect", store, "--json", "--tensors").fields()
        #expect(inspected["kind"] as? String == "hmar")
        #expect((inspected["tensors"] as? [Any])?.count == inspected["tensorCount"] as? Int)
        #expect(try program.succeed("models", "--json").json() is [Any])
        #expect(try program.succeed("doctor", "--json").fields()["machine"] != nil)
    }

    @Test func theSelfTestPasses() throws {
        // The hermetic home has no models, so that checks numbers alone.
        let empty = try program.folder.folder("empty")
        let report = try program.succeed("selftest", "--json", "--models", empty).fields()
        #expect(report["passed"] as? Bool == true)
        let checks = try #require(report["checks"] as? [[String: Any]])
        #expect(checks.count > 55)
        // Every differentiable operator of the catalogue has a row.
        let names = checks.compactMap { $0["name"] as? String }
        let indexing: Set = [
            "greater", "argmax", "transposed", "split", "unsqueezed", "squeezed", "contiguous",
            "nearestCodes", "argsort", "topK", "sortedDescending", "dropout", "dropPath",
        ]
        for name in OperatorCatalogue.all where !indexing.contains(name) {
            #expect(names.contains { $0.hasPrefix("gradient of \(name)") }, "no row for \(name)")
        }
    }

    /// `| head` closes the pipe: nothing to report.
    @Test func aClosedPipeIsNoError() throws {
        for arguments in [["forward", "--list"], ["--help"], ["completions", "bash"]] {
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let outcome = try program.start(arguments, output: pipe.fileHandleForWriting).end()
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        }
        let head = try program.shell("set -o pipefail; $WORKBENCH completions bash | head -1")
        #expect(head.status == 0 && head.output == "#!/bin/bash\n", "\(head)")
    }

    @Test func pathsShowWhereIsLooked() throws {
        let text = try program.succeed("paths").output
        for part in ["weights", "themes", "recipes", program.folder.path + "/data/workbench"] {
            #expect(text.contains(part), "\(text)")
        }
        let home = try program.folder.folder("elsewhere")
        let other = try program.succeed("paths", "--data-dir", home).output
        #expect(other.contains(home))
    }

    @Test func completionsAreValidScripts() throws {
        let outcome = try program.shell("$WORKBENCH completions bash > c.bash && bash -n c.bash")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try program.succeed("completions", "zsh").output.hasPrefix("#compdef workbench"))
        #expect(try program.succeed("completions", "fish").output.contains("complete -c"))
    }
}
