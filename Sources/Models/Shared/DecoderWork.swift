// How many floating-point operations a picture takes in the tokenizer's decoder.
// SPDX-License-Identifier: Apache-2.0

/// The convolutions of the decoder and their floating-point operations.
///
/// Mirrors ``VQVAEDecoder`` layer by layer, `post_quant_conv` included.
package struct DecoderWork: Sendable {
    /// One kind of convolution and how often a decode runs it.
    package struct Convolution: Sendable, Equatable {
        package var inputs: Int
        package var outputs: Int
        /// Side of input and output in pixels.
        package var side: Int
        /// Side of the kernel.
        package var kernel: Int
        package var count = 1

        /// Operations of one run, a multiply and an add counted as two.
        package var flop: Double {
            2 * Double(inputs * outputs) * Double(kernel * kernel) * Double(side * side)
        }
    }

    /// Distinct shapes in the order in which they first run.
    package private(set) var convolutions: [Convolution] = []
    /// Products of the attention blocks without their 1×1 convolutions.
    package private(set) var attention = 0.0

    package init(_ configuration: VQVAEConfiguration) {
        let c = configuration
        let last = c.channelMultipliers.count - 1
        var (side, inputs) = (c.latentSide, c.channels * c.channelMultipliers[last])
        add(c.latentChannels, c.latentChannels, side)
        add(c.latentChannels, inputs, side)
        addResidual(inputs, inputs, side)
        addAttention(inputs, side)
        addResidual(inputs, inputs, side)
        for level in c.channelMultipliers.indices.reversed() {
            let outputs = c.channels * c.channelMultipliers[level]
            for _ in 0...c.residualBlocks {
                addResidual(inputs, outputs, side)
                inputs = outputs
                if level == last { addAttention(outputs, side) }
            }
            guard level > 0 else { continue }
            side *= 2
            add(outputs, outputs, side)
        }
        add(inputs, 3, side)
    }

    /// A whole decode.
    package var flop: Double {
        convolutions.reduce(attention) { $0 + $1.flop * Double($1.count) }
    }

    private mutating func add(_ inputs: Int, _ outputs: Int, _ side: Int, kernel: Int = 3) {
        let new = Convolution(inputs: inputs, outputs: outputs, side: side, kernel: kernel)
        let known = convolutions.firstIndex {
            ($0.inputs, $0.outputs, $0.side, $0.kernel) == (inputs, outputs, side, kernel)
        }
        if let known { convolutions[known].count += 1 } else { convolutions.append(new) }
    }

    private mutating func addResidual(_ inputs: Int, _ outputs: Int, _ side: Int) {
        add(inputs, outputs, side)
        add(outputs, outputs, side)
        if inputs != outputs { add(inputs, outputs, side, kernel: 1) }
    }

    private mutating func addAttention(_ channels: Int, _ side: Int) {
        add(channels, 3 * channels, side, kernel: 1)
        add(channels, channels, side, kernel: 1)
        let positions = Double(side * side)
        attention += 4 * Double(channels) * positions * positions
    }
}
