// Optimisers against closed forms in double precision. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@Suite struct OptimizerTests {
    @Test func adamWFollowsItsDefinition() {
        let start: [Float] = [0.5, -1.25, 2, 0]
        let w = Parameter(name: "w", value: Tensor(start, shape: [4]), isTrainable: false)
        w.isTrainable = true
        var optimizer = AdamW(
            groups: [ParameterGroup([w], usesWeightDecay: true)], beta1: 0.9, beta2: 0.95,
            epsilon: 1e-8)
        var reference = start.map(Double.init)
        var m = [Double](repeating: 0, count: 4)
        var v = m
        for t in 1...5 {
            // Loss Σ w³/3 has gradient w².
            let loss = (w.tensor * w.tensor * w.tensor).sum() / 3
            let gradients = loss.backward()
            optimizer.step(gradients, learningRate: 0.1, weightDecay: 0.05)
            for i in 0..<4 {
                let g = reference[i] * reference[i]
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.95 * v[i] + 0.05 * g * g
                let mHat = m[i] / (1 - pow(0.9, Double(t)))
                let vHat = v[i] / (1 - pow(0.95, Double(t)))
                reference[i] -= 0.1 * 0.05 * reference[i] + 0.1 * mHat / (vHat.squareRoot() + 1e-8)
            }
        }
        expectClose(w.value, reference.map(Float.init), absolute: 1e-5)
    }

    @Test func aRestoredOptimizerGoesOnAlike() {
        func run(breakAt: Int?) -> [Float] {
            let w = Parameter(name: "w", value: randomTensor([8]), isTrainable: false)
            w.isTrainable = true
            let groups = [ParameterGroup([w], usesWeightDecay: false)]
            var optimizer = AdamW(groups: groups)
            for step in 0..<6 {
                if step == breakAt {
                    let state = optimizer.state
                    let count = optimizer.stepCount
                    optimizer = AdamW(groups: groups)
                    optimizer.restore(state, stepCount: count)
                }
                optimizer.step(
                    w.tensor.square().sum().backward(), learningRate: 0.01, weightDecay: 0)
            }
            return w.value.floats()
        }
        #expect(run(breakAt: nil) == run(breakAt: 3))
    }

    @Test func clippingBringsTheNormDown() {
        let w = Parameter(name: "w", value: Tensor([3, 4], shape: [2]))
        w.isTrainable = true
        let gradients = (w.tensor.square().sum() / 2).backward()
        let norm = globalNorm(gradients, of: [w])
        #expect(abs(norm - 5) < 1e-6)
        #expect(abs(clippingScale(norm: norm, maxNorm: 2) - 0.4) < 1e-5)
        #expect(clippingScale(norm: 1, maxNorm: 2) == 1)
        #expect(clippingScale(norm: .infinity, maxNorm: 2).isNaN)
    }

    @Test func theAverageFollowsItsRecurrence() {
        let w = Parameter(name: "w", value: Tensor([1], shape: [1]))
        w.isTrainable = true
        var average = ExponentialMovingAverage([w], decay: 0.9)
        var expected = 1.0
        for t in 1...30 {
            w.value = Tensor([Float(t)], shape: [1])
            average.update()
            let decay = min(0.9, Double(1 + t) / Double(10 + t))
            expected += (1 - decay) * (Double(t) - expected)
        }
        expectClose(average.values["w"]?.floats() ?? [], [Float(expected)], relative: 1e-5)
        average.withAverages { expectClose(w.value, [Float(expected)], relative: 1e-5) }
        #expect(w.value.item() == 30)
    }

    @Test func theRateWarmsUpHoldsAndFalls() {
        let rate = LearningRateSchedule(
            peak: 1, warmUpSteps: 10, totalSteps: 111, hold: 0.05, floor: 0.1, start: 0.005)
        #expect(rate.rate(step: 0) == 0.005)
        #expect(abs(rate.rate(step: 5) - 0.5025) < 1e-6)
        #expect(rate.rate(step: 10) == 1 && rate.rate(step: 14) == 1)
        #expect(abs(rate.rate(step: 110) - 0.1) < 1e-6)
        // Half-way down the line: passed = 0.525, rest = 0.5.
        #expect(abs(rate.rate(step: 10 + 52) - (0.1 + 0.9 * (0.48 / 0.95))) < 1e-3)
    }
}
