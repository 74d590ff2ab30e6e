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

    /// - Parameters:
    ///   - x: [B, inputs, h, w].
    ///   - result: `.operand` where only fused convolutions read it.
    /// - Returns: [B, outputs, h, w].
    func callAsFunction(_ x: Tensor, as result: ResultType = .float32) -> Tensor {
        let h = conv1(x, behind: norm1, as: .operand)
        let residual = shortcut?(x, residual: nil, as: result) ?? x
        return conv2(h, behind: norm2, residual: residual, as: result)
    }

    /// The same in bands, written over x: beside x only a few bands are held, where the plain form
    /// holds three maps. The first convolution runs twice, once for the statistics of what the second
    /// norm sees.
    ///
    /// - Parameters:
    ///   - x: [B, C, h, w]; overwritten, so it must be the caller's alone.
    ///   - byteCount: about what a band takes.
    /// - Returns: x with its new content; the plain form's where the block changes the channels.
    func inBands(over x: Tensor, byteCount: Int) -> Tensor {
        guard shortcut == nil else { return self(x) }
        return withoutGradients {
            let bands = PictureBands(of: x.shape, byteCount: byteCount)
            var before = GroupMoments(groups: norm1.groups)
            for band in bands.ranges { before.add(Self.rows(band, of: x)) }
            let first = before.map(norm1)
            var between = GroupMoments(groups: norm2.groups)
            for band in bands.ranges {
                let reach = bands.reaching(band, below: 1)
                let input = Self.rows(max(0, band.lowerBound - 1)..<reach.upperBound, of: x)
                between.add(
                    conv1(
                        input, scale: first.scale, shift: first.shift, padding: bands.padding(band))
                )
            }
            let second = between.map(norm2)
            // The two rows above a band as they were before they were overwritten.
            var above: Tensor?
            for band in bands.ranges {
                let own = Self.rows(bands.reaching(band, below: 2), of: x)
                let input = above.map { Tensor.concatenated([$0, own], axis: 2) } ?? own
                above = own.narrowed(axis: 2, start: band.count - 2, length: 2).contiguous()
                let padding = bands.padding(band)
                let h = conv1(input, scale: first.scale, shift: first.shift, padding: padding)
                let y = conv2(
                    h, scale: second.scale, shift: second.shift, padding: padding,
                    residual: own.narrowed(axis: 2, start: 0, length: band.count))
                x.device.copy(
                    y, into: x.narrowed(axis: 2, start: band.lowerBound, length: band.count))
            }
            return x
        }
    }

    private static func rows(_ rows: Range<Int>, of x: Tensor) -> Tensor {
        x.narrowed(axis: 2, start: rows.lowerBound, length: rows.count).contiguous()
    }
}
