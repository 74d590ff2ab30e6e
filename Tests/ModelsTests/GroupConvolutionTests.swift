// Group convolutions against their definition, and their exact equivariance.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct GroupConvolutionTests {
    /// One counter-clockwise quarter turn of the last two dimensions.
    private func quarterTurn(_ x: Tensor) -> Tensor {
        let (height, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let values = x.floats()
        let planes = values.count / (height * width)
        var turned: [Float] = []
        for p in 0..<planes {
            for r in 0..<width {
                for c in 0..<height {
                    turned.append(values[(p * height + c) * width + width - 1 - r])
                }
            }
        }
        return Tensor(turned, shape: Array(x.shape.dropLast(2)) + [width, height])
    }

    /// Rows upside down.
    private func flip(_ x: Tensor) -> Tensor {
        let (height, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let values = x.floats()
        let flipped = values.indices.map { i -> Float in
            let (plane, row, column) = (i / (height * width), i / width % height, i % width)
            return values[(plane * height + height - 1 - row) * width + column]
        }
        return Tensor(flipped, shape: x.shape)
    }

    /// Slices along the group axis (dimension 2) in another order.
    private func slices(_ x: Tensor, _ order: [Int]) -> Tensor {
        Tensor.concatenated(
            order.map { x.narrowed(axis: 2, start: $0, length: 1) }, axis: 2)
    }

    private func scaled(_ x: Tensor) -> Float { x.floats().map(abs).max() ?? 1 }

    @Test(arguments: [GroupAttention.featureMap, .full])
    func attentiveLayersTurnWithTheInput(attention: GroupAttention) {
        let store = ParameterStore(seed: 11)
        let lift = AttentiveGroupConvolution(
            store.scope["a"], group: .p4, attention: attention, inputs: 1, outputs: 4, kernel: 3,
            isLifting: true)
        let next = AttentiveGroupConvolution(
            store.scope["b"], group: .p4, attention: attention, inputs: 4, outputs: 2, kernel: 3)
        let x = randomTensor([2, 1, 8, 8])
        let y = next(lift(x))
        #expect(y.shape == [2, 2, 4, 4, 4])
        // out(rot90 x) = roll(rot90(out x), +1 along H).
        expectClose(
            next(lift(quarterTurn(x))), slices(quarterTurn(y), [3, 0, 1, 2]).floats(),
            absolute: 1e-5 * scaled(y), relative: 0)
    }

    @Test func regularLayersOnP4mTurnAndMirrorWithTheInput() {
        let store = ParameterStore(seed: 12)
        let lift = GroupConvolution(
            store.scope["a"], group: .p4m, inputs: 2, outputs: 3, kernel: 3, isLifting: true)
        let next = GroupConvolution(
            store.scope["b"], group: .p4m, inputs: 3, outputs: 2, kernel: 3)
        let x = randomTensor([1, 2, 8, 8])
        let y = next(lift(x))
        #expect(y.shape == [1, 2, 8, 4, 4])
        let turned = slices(quarterTurn(y), [3, 0, 1, 2, 5, 6, 7, 4])
        expectClose(
            next(lift(quarterTurn(x))), turned.floats(), absolute: 1e-5 * scaled(y), relative: 0,
            "quarter turn")
        // A flip exchanges the halves: element (m, i) comes from (−m, i).
        let flipped = slices(flip(y), [4, 5, 6, 7, 0, 1, 2, 3])
        expectClose(
            next(lift(flip(x))), flipped.floats(), absolute: 1e-5 * scaled(y), relative: 0,
            "flip")
    }

    /// The definition: kernel i is the weight turned i times and rolled by i along the group.
    @Test func filtersFollowTheirDefinition() {
        let store = ParameterStore(seed: 13)
        let layer = GroupConvolution(
            store.scope, group: .p4, inputs: 2, outputs: 3, kernel: 3)
        let filters = layer.filters()
        var expected = layer.weight.value
        for element in 0..<4 {
            expectClose(
                filters.narrowed(axis: 0, start: element, length: 1).contiguous(),
                expected.floats(), absolute: 0, relative: 0, "element \(element)")
            expected = slices(quarterTurn(expected), [3, 0, 1, 2])
        }
    }

    @Test func withoutAttentionTheLayerIsThePlainConvolution() {
        let store = ParameterStore(seed: 14)
        let layer = AttentiveGroupConvolution(
            store.scope, group: .p4, attention: .full, inputs: 2, outputs: 3, kernel: 3)
        let x = randomTensor([1, 2, 4, 6, 6])
        let separate = layer.convolution.separateResponses(x).sum(axes: [3, 4])
        let plain = layer.convolution(x)
        expectClose(
            separate * layer.convolution.scale, plain.floats(), absolute: 1e-5 * scaled(plain),
            relative: 0)
    }

    @Test func gradientsReachWeightsAndAttention() {
        let store = ParameterStore(seed: 15)
        let layer = AttentiveGroupConvolution(
            store.scope, group: .p4, attention: .featureMap, inputs: 2, outputs: 1, kernel: 3)
        let x = randomTensor([1, 2, 4, 5, 5])
        for parameter in store.parameters {
            let start = parameter.value
            parameter.isTrainable = true
            let gradient = (layer(x).square().sum()).backward()[parameter]
            parameter.isTrainable = false
            let numeric = numericalGradient(
                of: { value in
                    parameter.value = value
                    return layer(x).square().sum()
                }, at: start, step: 1e-2)
            parameter.value = start
            let scale = numeric.floats().map(abs).max() ?? 1
            guard let gradient else {
                Issue.record("no gradient for \(parameter.name)")
                continue
            }
            expectClose(
                gradient, numeric.floats(), absolute: 3e-2 * scale, relative: 0, parameter.name)
        }
    }
}
