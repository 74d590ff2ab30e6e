// `workbench symmetry` and the engine's forward entries, run as a person would.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct SymmetryCommandTests {
    private let program: Program
    /// The shipped models: small enough to run whole.
    private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("weights/symmetry").path

    init() throws { program = try Program() }

    private func symmetry(_ arguments: String...) throws -> Program.Outcome {
        try succeed(["symmetry"] + arguments + ["--models", Self.models, "--device", "cpu"])
    }

    private func succeed(_ arguments: [String]) throws -> Program.Outcome {
        let outcome = try program.run(arguments)
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    @Test func showPrintsAndWritesOneInputsDistribution() throws {
        let files = ["bars.png", "rose.png", "bins.csv"].map { program.folder.file($0) }
        let text = try symmetry(
            "show", "recon-tetris", "--set", "tetris-z30", "--count", "240", "--input", "5",
            "--plot", files[0], "--rose", files[1], "--csv", files[2], "--pictures",
            program.folder.file("forms")
        ).output
        #expect(text.contains("neighbours of 5") && text.contains("corrected"))
        #expect(try PNG.read(path: files[0]).width > 200)
        #expect(try PNG.read(path: files[1]).width > 100)
        #expect(try String(contentsOfFile: files[2], encoding: .utf8).hasPrefix("bin_start"))
        let form = try String(
            contentsOfFile: program.folder.file("forms/5-standardized.xyz"), encoding: .utf8)
        #expect(form.hasPrefix("4\n"))
        let json = try symmetry(
            "show", "recon-tetris", "--set", "tetris-z30", "--count", "240", "--input", "5",
            "--json"
        ).fields()
        let fit = try #require(json["fit"] as? [String: Any])
        let level = try #require(fit["level"] as? Double)
        #expect(abs(level - 30) < 10)
    }

    @Test func standardizedFoldersAreUprightWhenReadAgain() throws {
        let out = program.folder.file("upright")
        _ = try symmetry(
            "standardize", "recon-tetris", "--set", "tetris-z90", "--count", "240", "--out", out)
        let folders = try FileManager.default.contentsOfDirectory(atPath: out)
        #expect(folders.count == 8)
        let csv = program.folder.file("rows.csv")
        let text = try symmetry(
            "fit", "recon-tetris", "--folder", out, "-k", "20", "--csv", csv
        ).output
        #expect(text.contains("mean level"))
        let rows = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 241)
    }

    @Test func wrongRequestsAreRefused() throws {
        func refuse(_ arguments: [String], _ word: String) throws {
            try program.refuse(
                ["symmetry"] + arguments + ["--models", Self.models, "--device", "cpu"], word)
        }
        try refuse(["show", "recon-tetris", "--set", "tetris-z31"], "Did you mean tetris-z30?")
        try refuse(["show", "recon-tetris", "--count", "60", "-k", "60"], "k = 60")
        try refuse(["show", "recon-tetris", "--mean", "median"], "frechet")
        try refuse(["show", "recon-tetris", "--class", "lime", "--count", "60"], "line")
        try refuse(["show", "recon-tetris", "--folder", program.folder.path], "nothing to read")
        let good = "2\nm\nC 0 0 0\nC 0 0 1\n"
        try Data(good.utf8).write(to: URL(fileURLWithPath: program.folder.file("a.xyz")))
        // The sentence names the folder, and a file is no folder.
        try refuse(
            ["show", "recon-molecules", "--folder", program.folder.path],
            "\(program.folder.path): 1 input is too few")
        try refuse(
            ["show", "recon-molecules", "--folder", program.folder.file("a.xyz")], "not a folder")
    }

    @Test func aMoleculeWithACoordinateThatIsNoNumberIsLeftOut() throws {
        for i in 0..<4 {
            let text = "3\nm\nC 0 0 0\nC 0 \(i == 3 ? "nan" : "1.\(i)") 0\nO 1 1 1\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: program.folder.file("\(i).xyz")))
        }
        let text = try symmetry("show", "recon-molecules", "--folder", program.folder.path).output
        #expect(text.contains("1 of 4 files left out") && text.contains("3.xyz"))
    }

    @Test func entriesAgreeWithClosedForms() throws {
        let input = program.folder.file("in.safetensors")
        let output = program.folder.file("out.safetensors")
        // Two sets: one about 10°, one across the end of the axis.
        let poses = Tensor([0, 10, 20, 170, 180, -170], shape: [2, 3])
        try Safetensors.write([.init(name: "pose", tensor: poses)], to: input)
        _ = try succeed([
            "forward", "recon.mean", "--input", input, "--output", output, "--device", "cpu",
        ])
        let means = try Safetensors.open(path: output).tensors()
        expectClose(try #require(means["frechet"]), [10, 180], absolute: 1e-4)
        expectClose(try #require(means["tukey"]), [10, 180], absolute: 1e-4)
    }
}
