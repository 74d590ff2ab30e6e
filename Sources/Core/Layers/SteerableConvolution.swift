// Convolution between fields that commutes with rotations of the plane.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// SO(2)-steerable convolution between maps of scalar and vector fields.
///
/// The filter is a combination of ``SteerableBasis``: blocks scalar→scalar, scalar→vector,
/// vector→scalar, vector→vector, each with weights [output fields, input fields, elements].
/// Exactly equivariant under quarter turns, approximately under all others.
///
/// Checkpoint keys: `weights`, flat. A new weight has standard deviation
/// 1/√(T · input fields · elements), T the number of input frequencies that reach the output's.
/// Source: Weiler & Cesa, arXiv 1911.08251.
public final class SteerableConvolution: @unchecked Sendable {
    public let inputs: FieldType
    public let outputs: FieldType
    /// Side of the filter.
    public let kernel: Int
    public let padding: Padding2D
    /// All blocks' weights.
    public let weights: Parameter
    /// Standard deviation that every weight starts with.
    public let deviations: [Float]
    private let blocks: [BasisBlock]
    private let basis: Tensor
    private let lock = NSLock()
    private var cached: (weights: Storage, filter: Tensor)?

    /// Makes or takes the parameters of a scope.
    public init(
        _ scope: ParameterScope, inputs: FieldType, outputs: FieldType, kernel: Int,
        padding: Int = 0
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.kernel = kernel
        self.padding = .same(padding)
        var blocks: [BasisBlock] = []
        var values: [Float] = []
        var sizes: [(output: Int, fanIn: Int)] = []
        var start = 0
        for input in 0...1 {
            for output in 0...1 {
                let found = SteerableBasis(kernel: kernel, input: input, output: output)
                let block = BasisBlock(
                    inputs: inputs.fields(frequency: input),
                    outputs: outputs.fields(frequency: output), elements: found.elements.count,
                    weightStart: start, basisStart: values.count)
                guard block.weightCount > 0 else { continue }
                blocks.append(block)
                sizes.append((output, block.inputs.count * block.elements))
                values += found.values
                start += block.weightCount
            }
        }
        deviations = zip(blocks, sizes).flatMap { block, size in
            let sources = sizes.filter { $0.output == size.output }.count
            return [Float](
                repeating: 1 / Float(sources * size.fanIn).squareRoot(), count: block.weightCount)
        }
        self.blocks = blocks
        basis = Tensor(values, shape: [values.count], device: scope.device)
        weights = scope.parameter(
            "weights", shape: [start], initializer: .normal(standardDeviation: 1))
        if !scope.isLoading {
            weights.value =
                weights.value
                * Tensor(deviations, shape: [start], device: scope.device)
        }
    }

    /// The filter [outputs.channels, inputs.channels, K, K]; kept while the weights are not trained.
    public func filter() -> Tensor {
        let shape = [outputs.channels, inputs.channels, kernel, kernel]
        if weights.isTrainable {
            return basisExpansion(weights.tensor, basis: basis, blocks: blocks, shape: shape)
        }
        let value = weights.value
        return lock.withLock {
            if let cached, cached.weights === value.storage { return cached.filter }
            let filter = basisExpansion(value, basis: basis, blocks: blocks, shape: shape)
            cached = (value.storage, filter)
            return filter
        }
    }

    /// x [B, inputs.channels, H, W] → [B, outputs.channels, H′, W′].
    public func callAsFunction(_ x: Tensor) -> Tensor {
        convolution2D(x, weight: filter(), padding: padding)
    }
}

extension FieldType {
    /// The channels of the fields of a frequency.
    fileprivate func fields(frequency: Int) -> BasisBlock.Fields {
        frequency == 0
            ? .init(start: 0, count: scalars, size: 1)
            : .init(start: scalars, count: vectors, size: 2)
    }
}
