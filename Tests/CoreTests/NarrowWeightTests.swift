// 16-bit weights that are read as they lie in a checkpoint.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@Suite struct NarrowWeightTests {
    /// Widening is exact, so a product with the 16-bit weight is the product with the widened one.
    @Test(arguments: [DType.float16, .bfloat16], [1, 5, 33, 200])
    func linearReadsThemAsTheirWidenedValues(dtype: DType, rows: Int) {
        for (inputs, outputs) in [(700, 90), (70, 300), (3, 1)] {
            let narrow = randomTensor([outputs, inputs], seed: 3).cast(to: dtype)
            let x = randomTensor([rows, inputs], seed: 4)
            let bias = randomTensor([outputs], seed: 5)
            #expect(
                linear(x, narrow, bias).floats()
                    == linear(x, narrow.cast(to: .float32), bias).floats(),
                "\(rows)×\(inputs) → \(outputs)")
        }
    }

    @Test func gradientsFlowThroughThem() {
        let weight = Parameter(name: "w", value: randomTensor([6, 5], seed: 1).cast(to: .float16))
        let x = Parameter(name: "x", value: randomTensor([4, 5], seed: 2), isTrainable: true)
        let gradients = linear(x.tensor, weight.tensor).sum().backward()
        let columns = weight.value.cast(to: .float32).sum(axes: [0]).floats()
        let found = gradients[x]?.floats() ?? []
        #expect(found.count == 20)
        for (i, value) in found.enumerated() { #expect(abs(value - columns[i % 5]) < 1e-5) }
    }

    @Test func trainingWidensThem() {
        let half = randomTensor([6, 5], seed: 1).cast(to: .float16)
        let store = ParameterStore(tensors: ["weight": half, "bias": randomTensor([6], seed: 2)])
        let layer = Linear(store.scope, inputs: 5, outputs: 6)
        #expect(
            layer.weight.value.dtype == (store.device.readsNarrowWeights ? .float16 : .float32))
        layer.weight.isTrainable = true
        #expect(layer.weight.value.dtype == .float32)
        #expect(layer.weight.value.floats() == half.cast(to: .float32).floats())
    }
}
