// The multi-scale residual VQ-VAE that turns pictures into token maps and back.
// SPDX-License-Identifier: Apache-2.0
import Core

/// VAR's tokenizer: encoder, multi-scale residual quantizer, decoder.
///
/// Images are [B, 3, S, S] in [−1, 1]; the latent f and its reconstruction f̂ are [B, Z, P, P];
/// tokens are one row-major p_k×p_k map per scale.
///
/// Source: VAR (arXiv 2404.02905), section 3.2 and algorithms 1–2. Checkpoint keys: `encoder.*`,
/// `decoder.*`, `quantize.*`, `quant_conv.*`, `post_quant_conv.*`.
public final class VQVAE: Sendable {
    public let configuration: VQVAEConfiguration
    /// Codebook, phi convolutions and the multi-scale loop.
    public let quantizer: Quantizer
    /// Every trainable tensor in the order of construction.
    public let parameters: [Parameter]
    /// Tensors that are stored but not trained, by checkpoint key.
    public let buffers: [String: Tensor]
    private let encoder: VQVAEEncoder
    private let decoder: VQVAEDecoder
    private let quantConv: Convolution2D
    private let postQuantConv: Convolution2D

    /// Builds the network from the tensors of a store, or from its initializers.
    ///
    /// - Throws: ``ConfigurationError``.
    /// - Precondition: the store serves this network alone.
    public init(configuration: VQVAEConfiguration, store: ParameterStore) throws {
        try configuration.validate()
        self.configuration = configuration
        let root = store.scope
        let latent = configuration.latentChannels
        encoder = VQVAEEncoder(root["encoder"], configuration: configuration)
        decoder = VQVAEDecoder(root["decoder"], configuration: configuration)
        quantizer = Quantizer(root["quantize"], configuration: configuration)
        quantConv = Convolution2D(
            root["quant_conv"], inputs: latent, outputs: latent, kernel: 3)
        postQuantConv = Convolution2D(
            root["post_quant_conv"], inputs: latent, outputs: latent, kernel: 3)
        parameters = store.parameters
        buffers = store.buffers
    }

    /// The encoder's feature before `quant_conv`, [B, Z, P, P].
    package func encoderOutput(_ image: Tensor) -> Tensor { encoder(image) }

    /// The feature f that is quantized.
    ///
    /// - Parameter image: [B, 3, S, S] in [−1, 1].
    /// - Returns: [B, Z, P, P].
    public func feature(_ image: Tensor) -> Tensor { quantConv(encoder(image)) }

    /// Tokens of an image at every scale (`img_to_idxBl`).
    ///
    /// - Parameter image: [B, 3, S, S] in [−1, 1].
    /// - Returns: per scale, int32 [B, p_k²].
    public func tokens(_ image: Tensor) -> [Tensor] {
        withoutGradients { quantizer.encode(feature(image)).tokens }
    }

    /// The image of an accumulated reconstruction, without the clamp.
    package func decodedRaw(_ fhat: Tensor) -> Tensor {
        decoder(postQuantConv(fhat), checkpoint: {})
    }

    /// The image of an accumulated reconstruction (`fhat_to_img`).
    ///
    /// - Parameters:
    ///   - fhat: [B, Z, P, P].
    ///   - checkpoint: called between blocks; may throw to end the work.
    /// - Returns: [B, 3, S, S] held within [−1, 1].
    public func decode(_ fhat: Tensor, checkpoint: () throws -> Void) rethrows -> Tensor {
        try withoutGradients {
            // Maps of another size than the tokens' come: what these leave would stay beside them.
            if finestMapBytes >= DecoderBands.standard.fromBytes {
                fhat.device.releaseUnusedMemory()
            }
            // In parts, so that a batch of large pictures does not take memory for all at once.
            let (batch, part) = (fhat.shape[0], picturesAtOnce)
            let images = try stride(from: 0, to: batch, by: part).map { start in
                let some = fhat.narrowed(axis: 0, start: start, length: min(part, batch - start))
                return try decoder(
                    postQuantConv(some), bands: fhat.device is CPUDevice ? .standard : nil,
                    checkpoint: checkpoint
                ).clamped(-1, 1)
            }
            return images.count == 1 ? images[0] : Tensor.concatenated(images, axis: 0)
        }
    }

    /// Pictures whose finest feature map takes 1 GiB together; one at least.
    private var picturesAtOnce: Int {
        max(1, (1 << 30) / finestMapBytes)
    }

    /// Bytes of the decoder's finest feature map of one picture.
    private var finestMapBytes: Int {
        let width = configuration.channels * (configuration.channelMultipliers.first ?? 1)
        return 4 * width * configuration.imageSize * configuration.imageSize
    }

    /// The image of an accumulated reconstruction.
    public func decode(_ fhat: Tensor) -> Tensor { decode(fhat) {} }

    /// The image of an accumulated reconstruction with other bands, without the clamp.
    func decodedRaw(_ fhat: Tensor, bands: DecoderBands) -> Tensor {
        withoutGradients { decoder(postQuantConv(fhat), bands: bands, checkpoint: {}) }
    }

    /// The image of token maps.
    ///
    /// - Parameters:
    ///   - tokens: per scale, int32 [B, p_k²].
    ///   - throughScale: the last scale used; all when nil.
    public func decode(tokens: [Tensor], throughScale: Int? = nil) -> Tensor {
        decode(quantizer.accumulated(tokens, throughScale: throughScale))
    }
}
