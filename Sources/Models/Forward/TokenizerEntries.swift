// Forward entries of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

extension ForwardRequest {
    /// The tokenizer given as `--weights`.
    fileprivate func loadVQVAE() throws -> VQVAE {
        let size = try settings["image_size"].map { _ in
            try integer("image_size", default: 0, in: 1...65_536)
        }
        return try VQVAE(archive: weights, patchNums: try patchNums(), imageSize: size)
    }

    fileprivate func image(_ tokenizer: VQVAE) throws -> Tensor {
        let size = tokenizer.configuration.imageSize
        return try floats(
            "img", shape: [-1, 3, size, size], "[B, 3, \(size), \(size)] in [-1, 1]")
    }
}

/// `vqvae.encode`: feature, tokens and accumulated reconstruction per scale.
struct VQVAEEncodeEntry: ForwardEntry {
    let name = "vqvae.encode"
    let summary = "image to feature, tokens and accumulated reconstruction of every scale"
    let weights = "a tokenizer"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("img", "[B, 3, S, S] in [-1, 1]")]
    let outputs = [
        ForwardTensor("f", "[B, Z, P, P]"), ForwardTensor("idx.K", "[B, p_K²]", dtype: "I32"),
        ForwardTensor("fhat.K", "[B, Z, P, P]"),
    ]
    let options = [ForwardOptions.imageSize, ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let tokenizer = try request.loadVQVAE()
        let f = tokenizer.feature(try request.image(tokenizer))
        let encoding = tokenizer.quantizer.encode(f)
        return [("f", f)] + encoding.tokens.enumerated().map { ("idx.\($0)", $1) }
            + encoding.accumulated.enumerated().map { ("fhat.\($0)", $1) }
    }
}

/// `vqvae.decode`: accumulated reconstruction to image.
struct VQVAEDecodeEntry: ForwardEntry {
    let name = "vqvae.decode"
    let summary = "accumulated reconstruction to image, held within [-1, 1]"
    let weights = "a tokenizer"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("fhat", "[B, Z, P, P]")]
    let outputs = [ForwardTensor("image", "[B, 3, S, S] in [-1, 1]")]
    let options = [ForwardOptions.imageSize, ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let tokenizer = try request.loadVQVAE()
        let (z, side) = (
            tokenizer.configuration.latentChannels, tokenizer.configuration.latentSide
        )
        let fhat = try request.floats(
            "fhat", shape: [-1, z, side, side], "[B, \(z), \(side), \(side)]")
        return [("image", try tokenizer.decode(fhat) { try request.cancellation.check() })]
    }
}

/// `vqvae.loss`: the quantizer's training forward.
struct VQVAELossEntry: ForwardEntry {
    let name = "vqvae.loss"
    let summary = "quantizer loss and straight-through reconstruction of an image"
    let weights = "a tokenizer"
    let needsTokenizer = false
    let endsInLoss = true
    let inputs = [ForwardTensor("img", "[B, 3, S, S] in [-1, 1]")]
    let outputs = [ForwardTensor("vq_loss", "[1]"), ForwardTensor("fhat_ste", "[B, Z, P, P]")]
    let options = [ForwardOptions.imageSize, ForwardOptions.patchNums]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let tokenizer = try request.loadVQVAE()
        let image = try request.image(tokenizer)
        if request.wantsGradients { tokenizer.parameters.forEach { $0.isTrainable = true } }
        let output = tokenizer.quantizer.trainingForward(tokenizer.feature(image))
        return [
            ("vq_loss", output.loss.detached().reshaped([1])),
            ("fhat_ste", output.straightThrough.detached()),
        ]
            + (request.wantsGradients
                ? gradientOutputs(of: output.loss, tokenizer.parameters) : [])
    }
}
