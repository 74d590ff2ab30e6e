// The convolutional decoder of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Residual blocks and upsamplings from the latent grid to the image.
///
/// Checkpoint keys: `decoder.*`; levels are stored from fine (0) to coarse and run the other way.
struct VQVAEDecoder: Sendable {
    private struct Level: Sendable {
        var blocks: [ResBlock] = []
        var attention: [AttnBlock] = []
        var upsample: Convolution2D?
    }

    private let convIn: Convolution2D
    private let middle: MiddleBlocks
    /// Coarse to fine, as they run.
    private let levels: [Level]
    private let normOut: GroupNorm
    private let convOut: Convolution2D

    init(_ scope: ParameterScope, configuration: VQVAEConfiguration) {
        let multipliers = configuration.channelMultipliers
        let last = multipliers.count - 1
        var inputs = configuration.channels * multipliers[last]
        convIn = Convolution2D(
            scope["conv_in"], inputs: configuration.latentChannels, outputs: inputs, kernel: 3)
        middle = MiddleBlocks(scope["mid"], channels: inputs, groups: configuration.normGroups)
        levels = multipliers.indices.reversed().map { index in
            let scope = scope["up"]["\(index)"]
            let outputs = configuration.channels * multipliers[index]
            var level = Level()
            for block in 0...configuration.residualBlocks {
                level.blocks.append(
                    ResBlock(
                        scope["block"]["\(block)"], inputs: inputs, outputs: outputs,
                        groups: configuration.normGroups))
                inputs = outputs
                if index == last {
                    level.attention.append(
                        AttnBlock(
                            scope["attn"]["\(block)"], channels: outputs,
                            groups: configuration.normGroups))
                }
            }
            if index > 0 {
                level.upsample = Convolution2D(
                    scope["upsample"]["conv"], inputs: outputs, outputs: outputs, kernel: 3)
            }
            return level
        }
        normOut = GroupNorm(scope["norm_out"], channels: inputs, groups: configuration.normGroups)
        convOut = Convolution2D(scope["conv_out"], inputs: inputs, outputs: 3, kernel: 3)
    }

    /// - Parameters:
    ///   - latent: [B, Z, P, P], after `post_quant_conv`.
    ///   - bands: how large maps are decoded; nil decodes every map as a whole.
    ///   - checkpoint: called between blocks; may throw to end the work.
    /// - Returns: [B, 3, S, S], not clamped.
    func callAsFunction(
        _ latent: Tensor, bands: DecoderBands? = nil, checkpoint: () throws -> Void
    ) rethrows -> Tensor {
        // Behind the first convolution maps are read by fused convolutions alone.
        var h = middle(convIn(latent, residual: nil, as: .operand), as: .operand)
        for level in levels {
            for (index, block) in level.blocks.enumerated() {
                try checkpoint()
                if let bands, 4 * h.count >= bands.fromBytes {
                    h = block.inBands(over: h, byteCount: bands.byteCount)
                } else {
                    h = block(h, as: .operand)
                }
                if index < level.attention.count { h = level.attention[index](h, as: .operand) }
            }
            if let upsample = level.upsample {
                // The next level is four times as large: it uses none of this one's blocks again.
                if let bands, 16 * h.count >= bands.fromBytes { h.device.releaseUnusedMemory() }
                h = upsample.upsampling(h, as: .operand)
            }
        }
        return convOut(h, behind: normOut)
    }
}

/// From which size on feature maps are decoded in bands, and how large bands are.
struct DecoderBands: Sendable {
    /// Bytes of a feature map.
    var fromBytes: Int
    /// Bytes of a band, about.
    var byteCount: Int

    /// On a CPU a map of 160 channels and 1024 × 1024 pixels, 671 MB, is held once instead of three
    /// times; the finest level takes half as many products again.
    static let standard = DecoderBands(fromBytes: 400 << 20, byteCount: 16 << 20)
}
