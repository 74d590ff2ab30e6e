// Refusals of checkpoints that are not exactly the model.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models
import TestSupport
import Testing

@Suite struct CheckpointTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A fixture with changed tensors, through a file.
    func changed(
        _ name: String, _ change: (inout [String: Tensor]) -> Void
    ) throws -> TensorArchive {
        var tensors = try Fixture.tensors("hmar/" + name)
        change(&tensors)
        let path = folder.path + "/changed.safetensors"
        try Safetensors.write(
            tensors.sorted { $0.key < $1.key }.map { .init(name: $0.key, tensor: $0.value) },
            to: path)
        return try TensorArchive.open(path: path)
    }

    func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func kindsAreToldByTheirNames() throws {
        #expect(try CheckpointKind.infer(fixtureArchive("tiny_vae.f16.safetensors")) == .tokenizer)
        #expect(try CheckpointKind.infer(fixtureArchive("tiny_hmar.pth")) == .hmar)
        #expect(try CheckpointKind.infer(fixtureArchive("tiny_var.safetensors")) == .var)
        #expect(throws: CheckpointError.self) {
            try CheckpointKind.infer(fixtureArchive("ops.safetensors"))
        }
    }

    @Test func aMissingTensorIsNamed() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            $0["mask_blocks.1.ffn.fc1.bias"] = nil
        }
        #expect(
            message { _ = try HMAR(archive: archive) }.contains("mask_blocks.1.ffn.fc1.bias"))
    }

    @Test func anUnexpectedTensorIsNamed() throws {
        let archive = try changed("tiny_hmar.safetensors") { $0["extra.weight"] = .zeros([2]) }
        #expect(message { _ = try HMAR(archive: archive) }.contains("extra.weight"))
    }

    @Test func aMisshapenTensorIsNamedWithBothShapes() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            $0["ns_head.bias"] = .zeros([127])
        }
        let text = message { _ = try HMAR(archive: archive) }
        #expect(text.contains("ns_head.bias") && text.contains("128") && text.contains("127"))
    }

    @Test func weightsOfIntegersAreRefused() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            $0["class_emb.weight"] = .zeros([11, 64], dtype: .int32)
        }
        let text = message { _ = try HMAR(archive: archive) }
        #expect(text.contains("class_emb.weight") && text.contains("I32"))
    }

    @Test func aLyingSizeAllocatesNothing() throws {
        // Width 60000 would make matrices of 40 GB.
        let archive = try changed("tiny_hmar.safetensors") {
            $0["word_embed.weight"] = .zeros([60_000, 8])
        }
        #expect(message { _ = try HMAR(archive: archive) }.contains("class_emb.weight"))
    }

    @Test func aWrongMaskIsRefused() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            $0["attn_bias_for_masking"] = .zeros([1, 1, 30, 30])
        }
        let text = message { _ = try HMAR(archive: archive) }
        #expect(text.contains("attn_bias_for_masking") && text.contains("block-diagonal"))
    }

    @Test func wrongLevelsAreRefused() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            var levels = $0["lvl_1L"]?.cast(to: .float32).floats() ?? []
            levels[5] = 3
            $0["lvl_1L"] = Tensor(levels, shape: [1, 30]).cast(to: .int64)
        }
        #expect(message { _ = try HMAR(archive: archive) }.contains("lvl_1L"))
    }

    @Test func anotherKindIsNamed() throws {
        let text = message { _ = try HMAR(archive: fixtureArchive("tiny_var.safetensors")) }
        #expect(text.contains("VAR"))
        #expect(throws: CheckpointError.self) {
            try VQVAE(archive: fixtureArchive("tiny_hmar.safetensors"))
        }
    }

    @Test func theMaskTellsPhaseOneFromVAR() throws {
        var bias = [Float](repeating: -.infinity, count: 900)
        var start = 0
        for count in [1, 4, 9, 16] {
            for row in start..<(start + count) {
                for column in start..<(start + count) { bias[row * 30 + column] = 0 }
            }
            start += count
        }
        let archive = try changed("tiny_nsp.safetensors") {
            $0["attn_bias_for_masking"] = Tensor(bias, shape: [1, 1, 30, 30])
        }
        #expect(try CheckpointKind.infer(archive) == .nextScale)
        #expect(throws: CheckpointError.self) { try VAR(archive: archive) }
        #expect(try NextScaleTransformer(archive: archive).attention == .blockDiagonal)
    }

    @Test func aTokenizerAndATransformerThatDoNotFitAreRefused() throws {
        let archive = try changed("tiny_hmar.safetensors") {
            for name in ["ns_head.weight", "mask_head.weight"] { $0[name] = .zeros([64, 64]) }
            for name in ["ns_head.bias", "mask_head.bias"] { $0[name] = .zeros([64]) }
        }
        let text = message {
            _ = try HMARSession(
                card: fixtureCard(), tokenizer: fixtureArchive("tiny_vae.f16.safetensors"),
                hmar: archive, varBaseline: nil)
        }
        #expect(text.contains("codebook size 64 against 128"))
    }

    @Test func trainingCheckpointsAreUnwrapped() throws {
        let archive = try changed("tiny_hmar.safetensors") { tensors in
            tensors = Dictionary(
                uniqueKeysWithValues: tensors.map {
                    ("trainer.transformer_wo_ddp." + $0.key, $0.value)
                })
        }
        #expect(try HMAR(archive: archive).configuration.maskDepth == 2)
    }
}
