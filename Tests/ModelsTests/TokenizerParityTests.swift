// The tokenizer against values of the reference implementation.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models
import TestSupport
import Testing

/// The small random-weight tokenizer of the fixtures.
func fixtureTokenizer() throws -> VQVAE {
    try VQVAE(
        archive: TensorArchive.open(path: Fixture.path("hmar/tiny_vae.f16.safetensors")),
        patchNums: [1, 2, 3, 4])
}

extension Dictionary where Key == String, Value == Tensor {
    /// A tensor that a fixture must have.
    func required(_ name: String) throws -> Tensor {
        try #require(self[name], "the fixture has no \(name)")
    }
}

@Suite struct TokenizerParityTests {
    let tokenizer: VQVAE
    let stored: [String: Tensor]

    init() throws {
        tokenizer = try fixtureTokenizer()
        stored = try Fixture.tensors("hmar/tiny_vae_io.safetensors")
    }

    @Test func sizesAreReadOffTheTensors() {
        #expect(
            tokenizer.configuration
                == VQVAEConfiguration(
                    channels: 32, channelMultipliers: [1, 1, 2, 2, 4], latentChannels: 8,
                    vocabulary: 128, patchNums: [1, 2, 3, 4]))
        #expect(tokenizer.configuration.imageSize == 64)
    }

    @Test func encoderAndTokens() throws {
        let image = try stored.required("img")
        expectClose(
            tokenizer.encoderOutput(image), try stored.required("enc_out").floats(), absolute: 1e-4)
        let f = tokenizer.feature(image)
        expectClose(f, try stored.required("f").floats(), absolute: 1e-4)
        let encoding = tokenizer.quantizer.encode(f)
        for scale in 0..<4 {
            #expect(
                try encoding.tokens[scale].int32s() == stored.required("idx.\(scale)").int32s())
            expectClose(
                encoding.accumulated[scale], try stored.required("fhat.\(scale)").floats(),
                absolute: 1e-4)
        }
    }

    @Test func decoder() throws {
        let last = try stored.required("fhat.3")
        expectClose(
            tokenizer.decodedRaw(last), try stored.required("dec_raw_last").floats(),
            absolute: 5e-5)
        expectClose(
            tokenizer.decode(last), try stored.required("recon.last").floats(), absolute: 5e-5)
        expectClose(
            tokenizer.decode(try stored.required("fhat.0")),
            try stored.required("recon.0").floats(), absolute: 5e-5)
    }

    @Test func transformerInputs() throws {
        let tokens = try (0..<4).map { try stored.required("idx.\($0)") }
        let quantizer = tokenizer.quantizer
        expectClose(
            quantizer.accumulated(tokens), try stored.required("embed_to_fhat.last").floats(),
            absolute: 1e-5)
        expectClose(
            quantizer.nextScaleInput(tokens), try stored.required("ns_input").floats(),
            shape: [2, 29, 8], absolute: 1e-5)
        expectClose(
            quantizer.maskInput(tokens), try stored.required("mask_input").floats(),
            shape: [2, 29, 8], absolute: 1e-5)
    }

    @Test func quantizerTrainingForwardAndGradients() throws {
        let f = try stored.required("f").leaf()
        let quantizer = tokenizer.quantizer
        for parameter in tokenizer.parameters where parameter.name.hasPrefix("quantize.") {
            parameter.isTrainable = true
        }
        let output = quantizer.trainingForward(f)
        let total =
            output.loss + (output.straightThrough * (try stored.required("vqtrain.R"))).mean()
        expectClose(
            output.straightThrough, try stored.required("vqtrain.fhat_ste").floats(),
            absolute: 1e-5)
        expectClose(
            [output.loss.item()], try stored.required("vqtrain.vq_loss").floats(), absolute: 0,
            relative: 1e-5)
        expectClose(
            [total.item()], try stored.required("vqtrain.total").floats(), absolute: 0,
            relative: 1e-5)
        let gradients = total.backward()
        func check(_ found: Tensor?, _ name: String) throws {
            let expected = try stored.required("vqtrain.grad_" + name).floats()
            let largest = expected.map { abs($0) }.max() ?? 0
            expectClose(
                try #require(found, "no gradient for \(name)").floats(), expected,
                absolute: 1e-4 * largest, relative: 0, name)
        }
        try check(gradients[f], "f")
        try check(gradients[quantizer.codebook], "embedding")
        for parameter in tokenizer.parameters where parameter.name.contains("qresi_ls") {
            let name = parameter.name.replacing("quantize.quant_resi.qresi_ls", with: "phi")
            try check(gradients[parameter], name)
        }
    }

    @Test(arguments: [
        (4, [0, 1, 2, 3]), (5, [0, 1, 2, 2, 3]), (6, [0, 0, 1, 2, 3, 3]),
        (7, [0, 0, 1, 2, 2, 3, 3]), (8, [0, 0, 1, 1, 2, 2, 3, 3]),
        (9, [0, 0, 1, 1, 2, 2, 2, 3, 3]), (10, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]),
        (14, [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]),
    ])
    func phiTable(scaleCount: Int, expected: [Int]) {
        #expect(PhiTable.indices(scaleCount: scaleCount, phiCount: 4) == expected)
    }
}
