// The spatial self-attention block of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One attention head over all positions of a feature map, added to its input.
///
///     y = GN(x);  q, k, v = qkv(y);  S = softmax(q·k / √C);  out = x + proj_out(S·v)
///
/// Source: the VQGAN attention block as used by VAR. Checkpoint keys: `norm`, `qkv`, `proj_out`.
struct AttnBlock: Sendable {
    private let norm: GroupNorm
    private let qkv: Convolution2D
    private let projection: Convolution2D
    private let channels: Int

    init(_ scope: ParameterScope, channels: Int, groups: Int) {
        self.channels = channels
        norm = GroupNorm(scope["norm"], channels: channels, groups: groups)
        qkv = Convolution2D(
            scope["qkv"], inputs: channels, outputs: 3 * channels, kernel: 1)
        projection = Convolution2D(
            scope["proj_out"], inputs: channels, outputs: channels, kernel: 1)
    }

    /// - Parameter x: [B, C, h, w].
    /// - Returns: [B, C, h, w].
    func callAsFunction(_ x: Tensor) -> Tensor {
        let (batch, height, width) = (x.shape[0], x.shape[2], x.shape[3])
        // [B, 3, C, hw] → three [B, 1, hw, C] views.
        let parts = qkv(norm(x)).reshaped([batch, 3, channels, height * width])
            .transposed(2, 3)
        func part(_ index: Int) -> Tensor { parts.narrowed(axis: 1, start: index, length: 1) }
        let mixed = attention(
            part(0), part(1), part(2), scale: 1 / Float(channels).squareRoot())
        let map = mixed.reshaped([batch, height * width, channels]).transposed(1, 2)
            .reshaped([batch, channels, height, width])
        return x + projection(map)
    }
}
