// Filters that are combinations of fixed basis filters. SPDX-License-Identifier: Apache-2.0

/// The part of a filter between fields of one kind and fields of another.
public struct BasisBlock: Sendable, Equatable {
    /// A run of equal fields among the channels.
    public struct Fields: Sendable, Equatable {
        /// First channel.
        public var start: Int
        public var count: Int
        /// Channels of one field.
        public var size: Int

        public init(start: Int, count: Int, size: Int) {
            self.start = start
            self.count = count
            self.size = size
        }
    }
    public var inputs: Fields
    public var outputs: Fields
    /// Basis filters.
    public var elements: Int
    /// Where the block's weights [outputs, inputs, elements] begin.
    public var weightStart: Int
    /// Where its basis [elements, output size, input size, taps] begins.
    public var basisStart: Int

    public init(
        inputs: Fields, outputs: Fields, elements: Int, weightStart: Int, basisStart: Int
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.elements = elements
        self.weightStart = weightStart
        self.basisStart = basisStart
    }

    /// Weights of the block.
    public var weightCount: Int { outputs.count * inputs.count * elements }
}

/// A filter as a learned combination of basis filters, block by block; zero where no block is.
///
///     filter[o, i] = Σ_e weights[o, i, e] · basis[e]     for output field o and input field i
///
/// - Parameters:
///   - weights: [all blocks' weights].
///   - basis: [all blocks' basis values], constant.
///   - blocks: they do not overlap.
///   - shape: [outputs, inputs, K, K] in channels.
/// - Returns: the filter, differentiable in the weights; float32 throughout on every device, so that
///   a symmetry of the basis is a symmetry of the filter.
public func basisExpansion(
    _ weights: Tensor, basis: Tensor, blocks: [BasisBlock], shape: [Int]
) -> Tensor {
    requireShapes(
        shape.count == 4
            && blocks.allSatisfy {
                $0.weightStart + $0.weightCount <= weights.count
                    && $0.outputs.start + $0.outputs.count * $0.outputs.size <= shape[0]
                    && $0.inputs.start + $0.inputs.count * $0.inputs.size <= shape[1]
                    && $0.basisStart + $0.elements * $0.outputs.size * $0.inputs.size * shape[2]
                        * shape[3] <= basis.count
            },
        "basisExpansion", [weights.shape, basis.shape, shape])
    let weights = weights.contiguous()
    let filter = weights.device.basisExpansion(
        weights.detached(), basis, blocks: blocks, shape: shape)
    let wanted = weights.shape
    return recorded(filter, inputs: [weights]) { dfilter in
        [
            .init(
                dfilter.device.basisExpansionGradient(
                    dfilter.contiguous(), basis, blocks: blocks, count: wanted.reduce(1, *)
                ).reshaped(wanted))
        ]
    }
}
