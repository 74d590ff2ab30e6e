// The convolutional encoder of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Residual blocks and downsamplings from the image to the latent grid.
///
/// Source: hmar.md's tokenizer is VAR's: `conv_in`, levels of residual blocks (attention at the
/// last), `mid`, `norm_out`, SiLU, `conv_out`. Checkpoint keys: `encoder.*`.
struct VQVAEEncoder: Sendable {
    private struct Level: Sendable {
        var blocks: [ResBlock] = []
        var attention: [AttnBlock] = []
        var downsample: Convolution2D?
    }

    private let convIn: Convolution2D
    private let levels: [Level]
    private let middle: MiddleBlocks
    private let normOut: GroupNorm
    private let convOut: Convolution2D

    init(_ scope: ParameterScope, configuration: VQVAEConfiguration) {
        let channels = configuration.channels
        convIn = Convolution2D(scope["conv_in"], inputs: 3, outputs: channels, kernel: 3)
        var inputs = channels
        let last = configuration.channelMultipliers.count - 1
        levels = configuration.channelMultipliers.enumerated().map { index, multiplier in
            let scope = scope["down"]["\(index)"]
            let outputs = channels * multiplier
            var level = Level()
            for block in 0..<configuration.residualBlocks {
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
            if index < last {
                // Padded right and bottom only, so that the grid halves exactly.
                level.downsample = Convolution2D(
                    scope["downsample"]["conv"], inputs: outputs, outputs: outputs, kernel: 3,
                    stride: 2, padding: Padding2D(top: 0, bottom: 1, left: 0, right: 1))
            }
            return level
        }
        middle = MiddleBlocks(scope["mid"], channels: inputs, groups: configuration.normGroups)
        normOut = GroupNorm(scope["norm_out"], channels: inputs, groups: configuration.normGroups)
        convOut = Convolution2D(
            scope["conv_out"], inputs: inputs, outputs: configuration.latentChannels, kernel: 3)
    }

    /// - Parameter image: [B, 3, S, S] in [−1, 1].
    /// - Returns: [B, Z, P, P], before `quant_conv`.
    func callAsFunction(_ image: Tensor) -> Tensor {
        var h = convIn(image)
        for level in levels {
            for (index, block) in level.blocks.enumerated() {
                h = block(h)
                if index < level.attention.count { h = level.attention[index](h) }
            }
            if let downsample = level.downsample { h = downsample(h) }
        }
        return convOut(middle(h), behind: normOut)
    }
}

/// Residual block, attention, residual block: the middle of encoder and decoder.
struct MiddleBlocks: Sendable {
    private let block1: ResBlock
    private let attention1: AttnBlock
    private let block2: ResBlock

    init(_ scope: ParameterScope, channels: Int, groups: Int) {
        block1 = ResBlock(scope["block_1"], inputs: channels, outputs: channels, groups: groups)
        attention1 = AttnBlock(scope["attn_1"], channels: channels, groups: groups)
        block2 = ResBlock(scope["block_2"], inputs: channels, outputs: channels, groups: groups)
    }

    func callAsFunction(_ x: Tensor, as result: ResultType = .float32) -> Tensor {
        block2(attention1(block1(x, as: result), as: result), as: result)
    }
}
