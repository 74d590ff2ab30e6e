// The residual block of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Two 3×3 convolutions, each behind GroupNorm and SiLU, around a shortcut.
///
///     h = conv1(SiLU(GN(x)));  h = conv2(SiLU(GN(h)));  y = shortcut(x) + h
///
/// The shortcut is the identity, or a 1×1 convolution of the raw input where channels differ.
///
/// Source: the VQGAN residual block as used by VAR. Checkpoint keys: `norm1`, `conv1`, `norm2`,
/// `conv2`, `nin_shortcut`.
struct ResBlock: Sendable {
    private let norm1: GroupNorm
    private let conv1: Convolution2D
    private let norm2: GroupNorm
    private let conv2: Convolution2D
    private let shortcut: Convolution2D?

    init(_ scope: ParameterScope, inputs: Int, outputs: Int, groups: Int) {
        norm1 = GroupNorm(scope["norm1"], channels: inputs, groups: groups)
        conv1 = Convolution2D(scope["conv1"], inputs: inputs, outputs: outputs, kernel: 3)
        norm2 = GroupNorm(scope["norm2"], channels: outputs, groups: groups)
        conv2 = Convolution2D(scope["conv2"], inputs: outputs, outputs: outputs, kernel: 3)
        shortcut =
            inputs == outputs
            ? nil
            : Convolution2D(
                scope["nin_shortcut"], inputs: inputs, outputs: outputs, kernel: 1)
    }

    /// - Parameter x: [B, inputs, h, w].
    /// - Returns: [B, outputs, h, w].
    func callAsFunction(_ x: Tensor) -> Tensor {
        let h = conv1(x, behind: norm1)
        return conv2(h, behind: norm2, residual: shortcut?(x) ?? x)
    }
}
