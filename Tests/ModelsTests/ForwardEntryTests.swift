// The forward entries on files, as the command runs them.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models
import TestSupport
import Testing

@Suite struct ForwardEntryTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Runs an entry on tensors that go through a file.
    func run(
        _ name: String, weights: String, inputs: [String: Tensor],
        settings: [String: String] = [:], gradients: Bool = false, tokenizer: Bool = true
    ) throws -> [String: Tensor] {
        let path = folder.path + "/in.safetensors"
        try Safetensors.write(
            inputs.sorted { $0.key < $1.key }.map { .init(name: $0.key, tensor: $0.value) },
            to: path)
        let request = ForwardRequest(
            weights: try fixtureArchive(weights),
            tokenizer: tokenizer ? try fixtureArchive("tiny_vae.f16.safetensors") : nil,
            input: try TensorArchive.open(path: path), settings: settings,
            wantsGradients: gradients)
        return Dictionary(
            uniqueKeysWithValues: try ForwardEntries.entry(named: name).checkedRun(request)
                .map { ($0.name, $0.tensor) })
    }

    @Test func everyEntryOfTheTableIsThere() {
        #expect(
            ForwardEntries.all.map(\.name) == [
                "vqvae.encode", "vqvae.decode", "vqvae.loss", "var.logits", "var.generate",
                "nsp.logits", "nsp.loss", "mp.logits", "mp.loss", "hmar.generate", "hmar.edit",
                "ssl-sym.pseudo_labels", "recon.fit", "recon.mean", "points.encode",
                "ssl-sym.encode", "ssl-sym.decode", "ssl-sym.loss", "ssl-sym.level",
                "symmetry.rotate", "rotated-digits.logits",
            ])
    }

    @Test func tokenizerEntries() throws {
        let stored = try Fixture.tensors("hmar/tiny_vae_io.safetensors")
        let settings = ["patch_nums": "[1,2,3,4]", "image_size": "64"]
        let file = "tiny_vae.f16.safetensors"
        let image = ["img": try stored.required("img")]
        let encoded = try run("vqvae.encode", weights: file, inputs: image, settings: settings)
        expectClose(
            try encoded.required("f"), try stored.required("f").floats(), absolute: 1e-4)
        for scale in 0..<4 {
            let name = "idx.\(scale)"
            #expect(
                try encoded.required(name).int32s() == stored.required(name).int32s())
        }
        let decoded = try run(
            "vqvae.decode", weights: file, inputs: ["fhat": stored.required("fhat.3")],
            settings: settings)
        expectClose(
            try decoded.required("image"), try stored.required("recon.last").floats(),
            absolute: 5e-5)
        let loss = try run(
            "vqvae.loss", weights: file, inputs: image, settings: settings, gradients: true)
        expectClose(
            try loss.required("vq_loss").floats(),
            try stored.required("vqtrain.vq_loss").floats(), relative: 1e-4)
        expectClose(
            try loss.required("fhat_ste"), try stored.required("vqtrain.fhat_ste").floats(),
            absolute: 1e-4)
        // The stored total adds a term that reaches only f, so codebook gradients are the same.
        let gradient = try stored.required("vqtrain.grad_embedding").floats()
        expectClose(
            try loss.required("grad.quantize.embedding.weight"), gradient,
            absolute: 2e-4 * (gradient.map { abs($0) }.max() ?? 0), relative: 0)
    }

    @Test func teacherForcedEntries() throws {
        let teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
        let inputs = [
            "label": try teacher.required("label"),
            "idx": try teacher.required("gt_idx").cast(to: .int64),
        ]
        let logits = try run("nsp.logits", weights: "tiny_nsp.safetensors", inputs: inputs)
        expectClose(
            try logits.required("logits"), try teacher.required("nsp.logits").floats(),
            absolute: 1e-4)
        let loss = try run(
            "nsp.loss", weights: "tiny_nsp.safetensors", inputs: inputs, gradients: true)
        expectClose(
            try loss.required("loss").floats(),
            try teacher.required("nsp.loss_lognorm").floats(), relative: 1e-5)
        let names = loss.keys.filter { $0.hasPrefix("grad.") }
        #expect(names.contains("grad.blocks.0.attn.mat_qkv.weight"))
        #expect(!names.contains { $0.contains("zero_k_bias") || $0.contains("lvl_1L") })
        let stored = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        let causal = try run("var.logits", weights: "tiny_var.safetensors", inputs: inputs)
        expectClose(
            try causal.required("logits"), try stored.required("var.logits").floats(),
            absolute: 1e-4)
    }

    @Test func maskedEntriesOnAnAssembledModel() throws {
        let teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
        let inputs = [
            "label": try teacher.required("label"), "idx": try teacher.required("gt_idx"),
            "idx_to_mask": try teacher.required("mp.idx_to_mask"),
        ]
        let logits = try run("mp.logits", weights: "tiny_hmar.safetensors", inputs: inputs)
        #expect(try logits.required("logits").shape == [2, 30, 128])
        let loss = try run(
            "mp.loss", weights: "tiny_hmar.safetensors", inputs: inputs, gradients: true)
        let names = loss.keys.filter { $0.hasPrefix("grad.") }
        #expect(names.contains("grad.mask_embed.weight"))
        #expect(names.allSatisfy { $0.hasPrefix("grad.mask_") })
        // The mean of the cross-entropies of the masked positions, from the logits in double.
        let values = try logits.required("logits").floats()
        let tokens = try teacher.required("gt_idx").int32s()
        var sum = 0.0
        let positions = try teacher.required("mp.idx_to_mask").int32s()
        for picture in 0..<2 {
            for position in positions {
                let row = picture * 30 + Int(position) + 1
                let row128 = values[(row * 128)..<(row * 128 + 128)].map { Double($0) }
                let largest = row128.max() ?? 0
                let total = row128.reduce(0) { $0 + exp($1 - largest) }
                sum += largest + log(total) - row128[Int(tokens[row])]
            }
        }
        let expected = Float(sum / Double(2 * positions.count))
        expectClose(try loss.required("loss").floats(), [expected], relative: 1e-5)
    }

    @Test func generationEntries() throws {
        let stored = try Fixture.tensors("hmar/tiny_hmar_gen_s1.safetensors")
        let label = ["label": Tensor(int32: [3, 7], shape: [2])]
        let trace = try run(
            "hmar.generate", weights: "tiny_hmar.pth", inputs: label,
            settings: ["schedule": "[[1],[1,3],[1,1,2,5],[4,5,7]]", "cfg": "1.5"])
        #expect(trace.count == stored.count)
        for (name, expected) in stored {
            let found = try trace.required(String(name.dropFirst("greedy_raw_s1.".count)))
            if expected.dtype == .int32 {
                #expect(found.int32s() == expected.int32s(), "\(name)")
            } else {
                expectClose(
                    found, expected.floats(), shape: expected.shape, absolute: 1e-4, name)
            }
        }
        let baseline = try run("var.generate", weights: "tiny_var.safetensors", inputs: label)
        let greedy = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        #expect(
            try baseline.required("scale3.tokens").int32s()
                == greedy.required("var_greedy.call03.sampled").int32s())
    }

    @Test func uniformsDriveTheInverseCDF() throws {
        var inputs = ["label": Tensor(int32: [3, 7], shape: [2])]
        for (call, count) in [1, 4, 4, 9, 16].enumerated() {
            inputs["call0\(call).u"] = Tensor(
                [Float](repeating: 0.5, count: 2 * count), shape: [2, count])
        }
        let settings = [
            "sampler": "icdf", "top_k": "20", "top_p": "0.9",
            "schedule": "[[1],[1,3],[9],[16]]",
        ]
        let trace = try run(
            "hmar.generate", weights: "tiny_hmar.safetensors", inputs: inputs,
            settings: settings)
        #expect(trace["call04.sampled"] != nil && trace["call05.sampled"] == nil)
        inputs["call04.u"] = nil
        #expect(throws: SamplingError.tooFewUniforms(call: 4, found: 0, needed: 32)) {
            try run(
                "hmar.generate", weights: "tiny_hmar.safetensors", inputs: inputs,
                settings: settings)
        }
    }

    @Test func edits() throws {
        let teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
        var mask = [Float](repeating: 0, count: 64 * 64)
        for i in mask.indices where i % 64 >= 32 { mask[i] = 1 }
        let tokens = try teacher.required("gt_idx")
        let trace = try run(
            "hmar.edit", weights: "tiny_hmar.safetensors",
            inputs: [
                "label": Tensor(int32: [10, 10], shape: [2]), "idx": tokens,
                "pixel_mask": Tensor(mask, shape: [64, 64]),
            ], settings: ["steps": "[0,1,1,3]", "sampler": "random", "seed": "4"])
        let source = tokens.int32s()
        var start = 0
        for (scale, count) in [1, 4, 9, 16].enumerated() {
            let editable = try trace.required("scale\(scale).editable").int32s()
            let found = try trace.required("scale\(scale).tokens").int32s()
            for picture in 0..<2 {
                for cell in 0..<count where editable[cell] == 0 {
                    #expect(
                        found[picture * count + cell] == source[picture * 30 + start + cell])
                }
            }
            start += count
        }
        #expect(try trace.required("scale3.editable").int32s().reduce(0, +) == 8)
    }

    @Test func wrongRequestsAreRefused() throws {
        let label = ["label": Tensor(int32: [3], shape: [1])]
        #expect(throws: ForwardError.unknownEntry(name: "hmar.gen", nearest: "hmar.generate")) {
            try run("hmar.gen", weights: "tiny_hmar.safetensors", inputs: label)
        }
        #expect(throws: ForwardError.self) {
            try run(
                "hmar.generate", weights: "tiny_hmar.safetensors", inputs: label,
                settings: ["topk": "3"])
        }
        #expect(throws: ForwardError.noTokenizer(entry: "hmar.generate")) {
            try run(
                "hmar.generate", weights: "tiny_hmar.safetensors", inputs: label,
                tokenizer: false)
        }
        #expect(throws: ForwardError.noLoss(entry: "nsp.logits")) {
            try run(
                "nsp.logits", weights: "tiny_nsp.safetensors", inputs: label, gradients: true)
        }
        #expect(throws: ScheduleError.self) {
            try run(
                "hmar.generate", weights: "tiny_hmar.safetensors", inputs: label,
                settings: ["schedule": "[[1],[2],[9],[16]]"])
        }
        #expect(throws: ForwardError.self) {
            try run(
                "hmar.generate", weights: "tiny_hmar.safetensors",
                inputs: ["label": Tensor(int32: [12], shape: [1])])
        }
        #expect(throws: CheckpointError.self) {
            try run("hmar.generate", weights: "tiny_var.safetensors", inputs: label)
        }
    }
}
