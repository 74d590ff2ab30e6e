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

    /// - Parameters:
    ///   - x: [B, C, h, w].
    ///   - result: `.operand` where only fused convolutions read it.
    /// - Returns: [B, C, h, w].
    func callAsFunction(_ x: Tensor, as result: ResultType = .float32) -> Tensor {
        let (height, width) = (x.shape[2], x.shape[3])
        // [B, 3·C, h, w] → three [B, 1, hw, C] views.
        let parts = qkv(x, behind: norm, activates: false, as: .operand).pixelRows.unsqueezed(1)
        func part(_ index: Int) -> Tensor {
            parts.narrowed(axis: 3, start: index * channels, length: channels)
        }
        let mixed = attention(
            part(0), part(1), part(2), scale: 1 / Float(channels).squareRoot())
        let map = mixed.squeezed(1).featureMap(height: height, width: width)
        return projection(map, residual: x, as: result)
    }
}
