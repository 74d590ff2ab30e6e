// `workbench forward` on the reference values. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

/// Every stored value that an entry computes, through the program: f, f̂ and logits within 1e-4,
/// images within 5e-5, tokens equal. `ops.safetensors` has no entries; the operator tests read it.
/// The values were computed by the public reference implementations (Tests/Fixtures/hmar/README.md).
@Suite struct ForwardTests {
    private let program: Program

    init() throws { program = try Program() }

    private static let tokenizer = Fixture.path("hmar/tiny_vae.f16.safetensors")

    /// Runs an entry on a file of inputs.
    private func forward(
        _ entry: String, _ weights: String, input: String, _ options: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: Tensor] {
        let output = program.folder.file("out.safetensors")
        var arguments = [
            "forward", entry, "--weights", Fixture.path("hmar/" + weights), "--input", input,
            "--output", output,
        ]
        if !entry.hasPrefix("vqvae") { arguments += ["--tokenizer", Self.tokenizer] }
        let outcome = try program.run(arguments + options, sourceLocation: sourceLocation)
        try #require(outcome.status == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
        let archive = try TensorArchive.open(path: output)
        return archive.tensors()
    }

    /// Writes a file of inputs.
    private func write(_ tensors: [String: Tensor]) throws -> String {
        let path = program.folder.file("in.safetensors")
        try Safetensors.write(
            tensors.sorted { $0.key < $1.key }.map { .init(name: $0.key, tensor: $0.value) },
            to: path)
        return path
    }

    private func expect(
        _ found: [String: Tensor], _ name: String, _ stored: [String: Tensor], _ storedName: String,
        absolute: Float = 1e-4, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let value = try #require(found[name], "no \(name)", sourceLocation: sourceLocation)
        let expected = try #require(stored[storedName], sourceLocation: sourceLocation)
        if expected.dtype == .int32 {
            #expect(value.dtype == .int32 && value.shape == expected.shape, "\(name)")
            #expect(value.int32s() == expected.int32s(), "\(name)", sourceLocation: sourceLocation)
        } else {
            expectClose(
                value, expected.floats(), shape: expected.shape, absolute: absolute, relative: 0,
                name, sourceLocation: sourceLocation)
        }
    }

    @Test func tokenizerEncodesAndDecodes() throws {
        let stored = try Fixture.tensors("hmar/tiny_vae_io.safetensors")
        let file = "tiny_vae.f16.safetensors"
        let sizes = ["--set", "patch_nums=[1,2,3,4]", "image_size=64"]
        // The file of reference values serves as it is: other tensors in it are passed over.
        let encoded = try forward(
            "vqvae.encode", file, input: Fixture.path("hmar/tiny_vae_io.safetensors"), sizes[0],
            sizes[1], sizes[2])
        #expect(encoded.count == 9)
        for name in ["f"] + (0..<4).flatMap({ ["idx.\($0)", "fhat.\($0)"] }) {
            try expect(encoded, name, stored, name)
        }
        try expect(encoded, "fhat.3", stored, "embed_to_fhat.last")
        for (fhat, picture) in [("fhat.0", "recon.0"), ("fhat.3", "recon.last")] {
            let input = try write(["fhat": try #require(stored[fhat])])
            let decoded = try forward(
                "vqvae.decode", file, input: input, "--set", sizes[1], "--set", sizes[2])
            try expect(decoded, "image", stored, picture, absolute: 5e-5)
        }
    }

    @Test func tokenizerLossAndItsGradients() throws {
        let stored = try Fixture.tensors("hmar/tiny_vae_io.safetensors")
        let found = try forward(
            "vqvae.loss", "tiny_vae.f16.safetensors",
            input: Fixture.path("hmar/tiny_vae_io.safetensors"), "--gradients", "--set",
            "patch_nums=[1,2,3,4]")
        try expect(found, "fhat_ste", stored, "vqtrain.fhat_ste")
        try expect(found, "vq_loss", stored, "vqtrain.vq_loss")
        // The stored gradients are of the loss and a term that reaches only f.
        func gradient(_ name: String, _ storedName: String) throws {
            let largest = stored[storedName]?.floats().map(abs).max() ?? 0
            try expect(
                found, "grad." + name, stored, "vqtrain.grad_" + storedName.dropFirst(13),
                absolute: 1e-4 * largest)
        }
        try gradient("quantize.embedding.weight", "vqtrain.grad_embedding")
        for phi in 0..<4 {
            for part in ["weight", "bias"] {
                try gradient(
                    "quantize.quant_resi.qresi_ls.\(phi).\(part)",
                    "vqtrain.grad_phi.\(phi).\(part)")
            }
        }
        #expect(found["grad.encoder.conv_in.weight"]?.shape == [32, 3, 3, 3])
    }

    @Test func teacherForcedLogitsAndLoss() throws {
        let teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
        let input = try write([
            "label": try #require(teacher["label"]), "idx": try #require(teacher["gt_idx"]),
        ])
        let logits = try forward("nsp.logits", "tiny_nsp.safetensors", input: input)
        try expect(logits, "logits", teacher, "nsp.logits")
        let loss = try forward(
            "nsp.loss", "tiny_nsp.safetensors", input: input, "--set", "weighting=lognorm",
            "--gradients")
        try expect(loss, "ce", teacher, "nsp.ce")
        try expect(loss, "loss", teacher, "nsp.loss_lognorm", absolute: 5e-5)
        #expect(loss["grad.head.weight"]?.shape == [128, 64])
        let baseline = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        let causal = try forward("var.logits", "tiny_var.safetensors", input: input)
        try expect(causal, "logits", baseline, "var.logits")
        // The equal weighting against the stored weights and cross-entropies.
        let equal = try forward(
            "nsp.loss", "tiny_nsp.safetensors", input: input, "--set", "weighting=equal")
        let weights = try #require(teacher["loss_weight.equal"]).floats()
        let ce = try #require(teacher["nsp.ce"]).floats()
        let expected = ce.indices.reduce(0) { $0 + Double(weights[$1 % 30] * ce[$1]) } / 2
        expectClose(
            try #require(equal["loss"]), [Float(expected)], absolute: 0, relative: 1e-4)
    }

    @Test func varGeneration() throws {
        let stored = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        let found = try forward(
            "var.generate", "tiny_var.safetensors",
            input: Fixture.path("hmar/tiny_var_io_greedy.safetensors"), "--set", "cfg=1.5",
            "sampler=greedy")
        for scale in 0..<4 {
            for name in ["call0\(scale).logits", "call0\(scale).sampled", "scale\(scale).fhat"] {
                try expect(found, name, stored, "var_greedy." + name)
            }
        }
        try expect(found, "image", stored, "var_greedy.image", absolute: 5e-5)
    }

    @Test(arguments: ["tiny_hmar.safetensors", "tiny_hmar.pth"])
    func hmarGeneration(weights: String) throws {
        let stored = try Fixture.tensors("hmar/tiny_hmar_gen_s1.safetensors")
        let input = try write(["label": Tensor(int32: [3, 7], shape: [2])])
        let found = try forward(
            "hmar.generate", weights, input: input, "--set", "cfg=1.5", "top_k=0", "top_p=0",
            "sampler=greedy", "mode=exact", "schedule=[[1],[1,3],[1,1,2,5],[4,5,7]]")
        #expect(found.count == stored.count)
        for name in stored.keys.sorted() {
            let own = String(name.dropFirst("greedy_raw_s1.".count))
            try expect(
                found, own, stored, name,
                absolute: own == "image" ? 5e-5 : own.hasPrefix("conf") ? 1e-5 : 1e-4)
        }
    }

    /// Uniforms in double drive the sampler from outside; the same list gives the same file.
    @Test func uniformsFromAFile() throws {
        let counts = [1, 4, 4, 9, 16]
        var generator = RandomGenerator(seed: 3)
        var entries = [#""label":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}"#]
        var data = ByteBuilder()
        data.little(Int32(3))
        data.little(Int32(7))
        for (call, count) in counts.enumerated() {
            let start = data.bytes.count
            for _ in 0..<(2 * count) { data.little(generator.nextUniform().bitPattern) }
            entries.append(
                #""call0\#(call).u":{"dtype":"F64","shape":[2,\#(count)],"#
                    + #""data_offsets":[\#(start),\#(data.bytes.count)]}"#)
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        var file = ByteBuilder()
        file.little(UInt64(header.count))
        let input = try program.folder.write(file.bytes + header + data.bytes, "u.safetensors")
        let run = {
            try forward(
                "hmar.generate", "tiny_hmar.safetensors", input: input, "--set", "sampler=icdf",
                "top_k=20", "top_p=0.9", "schedule=[[1],[1,3],[9],[16]]")
        }
        let first = try run()
        #expect(first["call04.sampled"]?.shape == [2, 16] && first["call05.sampled"] == nil)
        let written = program.folder.file("out.safetensors")
        let bytes = FileManager.default.contents(atPath: written)
        _ = try run()
        #expect(FileManager.default.contents(atPath: written) == bytes)
        // Another draw of the last call changes its tokens alone: the list is really used.
        let last = try #require(first["call04.sampled"]).int32s()
        #expect(Set(last).count > 1)
    }

    @Test func editsKeepWhatIsNotMarked() throws {
        let teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
        let tokens = try #require(teacher["gt_idx"])
        let mask = (0..<(64 * 64)).map { Float($0 % 64 >= 32 ? 1 : 0) }
        let input = try write([
            "label": Tensor(int32: [10, 10], shape: [2]), "idx": tokens,
            "pixel_mask": Tensor(mask, shape: [64, 64]),
        ])
        let found = try forward(
            "hmar.edit", "tiny_hmar.pth", input: input, "--set", "steps=[0,1,1,3]",
            "sampler=random", "seed=5", "anchor=tokens")
        let source = tokens.int32s()
        var (start, changed) = (0, 0)
        for (scale, count) in [1, 4, 9, 16].enumerated() {
            let editable = try #require(found["scale\(scale).editable"]).int32s()
            let result = try #require(found["scale\(scale).tokens"]).int32s()
            for i in result.indices {
                let was = source[(i / count) * 30 + start + i % count]
                if editable[i % count] == 0 { #expect(result[i] == was) }
                if result[i] != was { changed += 1 }
            }
            start += count
        }
        #expect(changed > 0)
    }

    // MARK: The command itself

    @Test func theListNamesEveryEntry() throws {
        let text = try program.succeed("forward", "--list").output
        let entries = try program.succeed("forward", "--list", "--json")
        let list = try #require(try entries.json() as? [[String: Any]])
        let names = list.compactMap { $0["name"] as? String }
        #expect(
            names.sorted() == [
                "hmar.edit", "hmar.generate", "mp.logits", "mp.loss", "nsp.logits", "nsp.loss",
                "points.encode", "recon.fit", "recon.mean", "rotated-digits.logits",
                "ssl-sym.decode", "ssl-sym.encode", "ssl-sym.level", "ssl-sym.loss",
                "ssl-sym.pseudo_labels", "symmetry.rotate",
                "var.generate", "var.logits", "vqvae.decode", "vqvae.encode", "vqvae.loss",
            ])
        for name in names { #expect(text.contains("\(name): ")) }
        #expect(text.contains("idx_to_mask") && text.contains("grad.NAME"))
    }

    @Test func wrongRequestsAreRefused() throws {
        let input = try write(["label": Tensor(int32: [3], shape: [1])])
        func refuse(_ entry: String, _ options: [String], _ word: String) throws {
            let output = program.folder.file("refused.safetensors")
            try program.refuse(
                [
                    "forward", entry, "--weights", Fixture.path("hmar/tiny_hmar.safetensors"),
                    "--input", input, "--output", output,
                ] + options, word)
            #expect(!FileManager.default.fileExists(atPath: output))
        }
        let tokenizer = ["--tokenizer", Self.tokenizer]
        try refuse("hmar.generat", tokenizer, "did you mean hmar.generate?")
        try refuse("hmar.generate", [], "--tokenizer")
        try refuse("hmar.generate", tokenizer + ["--set", "topk=3"], "top_k")
        try refuse("hmar.generate", tokenizer + ["--set", "cfg"], "key=value")
        try refuse("hmar.generate", tokenizer + ["--set", "cfg=1", "cfg=2"], "twice")
        try refuse("hmar.generate", tokenizer + ["--set", "cfg=much"], "cfg=much")
        try refuse("hmar.generate", tokenizer + ["--set", "schedule=[[1],[5]]"], "scale")
        try refuse("hmar.generate", tokenizer + ["--gradients"], "loss")
        try refuse("nsp.logits", tokenizer, "idx")
        try refuse("vqvae.encode", [], "tokenizer")
        try program.refuse(["forward"], "entry")
        try program.refuse(["forward", "vqvae.encode"], "--weights, --input, --output")
    }
}
