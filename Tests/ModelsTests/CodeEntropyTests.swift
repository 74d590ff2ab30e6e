// The entropy penalty against closed forms, double precision and finite differences.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct CodeEntropyTests {
    /// The definition in double precision, with τ given.
    private func reference(
        _ rows: [Double], _ codebook: [Double], width: Int, temperature: Double
    ) -> Double {
        let (count, vocabulary) = (rows.count / width, codebook.count / width)
        var mean = [Double](repeating: 0, count: vocabulary)
        var own = 0.0
        for row in 0..<count {
            let scores = (0..<vocabulary).map { code in
                -(0..<width).reduce(0.0) { sum, j in
                    let d = rows[row * width + j] - codebook[code * width + j]
                    return sum + d * d
                } / temperature
            }
            let top = scores.max() ?? 0
            let total = scores.reduce(0) { $0 + exp($1 - top) }
            for code in 0..<vocabulary {
                let p = exp(scores[code] - top) / total
                mean[code] += p / Double(count)
                if p > 0 { own -= p * log(p) }
            }
        }
        let shared = mean.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
        return (own / Double(count) - shared) / log(Double(vocabulary))
    }

    /// τ as the loss chooses it, in double precision.
    private func temperature(
        _ rows: [Double], _ codebook: [Double], width: Int, codes: [Int32]
    ) -> Double {
        let count = rows.count / width
        return 0.1
            * (0..<count).reduce(0.0) { sum, row in
                sum
                    + (0..<width).reduce(0.0) { sum, j in
                        let d = rows[row * width + j] - codebook[Int(codes[row]) * width + j]
                        return sum + d * d
                    }
            } / Double(count)
    }

    @Test func sureAndEvenAssignmentsGiveMinusOneAndOneCodeGivesZero() {
        let codebook = Tensor([0, 0, 10, 0, 0, 10, 10, 10], shape: [4, 2])
        let even = Tensor([0.1, 0, 10, 0.1, 0.1, 10, 10, 9.9], shape: [4, 2])
        let penalty = CodeEntropy.penalty(
            rows: even, codebook: codebook, codes: Tensor(int32: [0, 1, 2, 3], shape: [4]))
        #expect(abs(penalty.item() + 1) < 1e-4)
        let same = Tensor([0.1, 0, 0, 0.1, 0.1, 0, 0, -0.1], shape: [4, 2])
        let collapsed = CodeEntropy.penalty(
            rows: same, codebook: codebook, codes: Tensor(int32: [0, 0, 0, 0], shape: [4]))
        #expect(abs(collapsed.item()) < 1e-4)
    }

    @Test func valueAndGradientsFollowTheDefinition() throws {
        let rows = randomTensor([7, 3], seed: 1).leaf()
        let codebook = randomTensor([5, 3], seed: 2).leaf()
        let codes = nearestCodes(rows.detached(), codebook: codebook.detached())
        let penalty = CodeEntropy.penalty(rows: rows, codebook: codebook, codes: codes)
        let (x, e) = (rows.floats().map(Double.init), codebook.floats().map(Double.init))
        let tau = temperature(x, e, width: 3, codes: codes.int32s())
        let expected = reference(x, e, width: 3, temperature: tau)
        #expect(abs(Double(penalty.item()) - expected) < 1e-5)
        let gradients = penalty.backward()
        func differences(_ values: [Double], _ value: ([Double]) -> Double) -> [Float] {
            values.indices.map { i in
                let h = 1e-5
                var (up, down) = (values, values)
                up[i] += h
                down[i] -= h
                return Float((value(up) - value(down)) / (2 * h))
            }
        }
        expectClose(
            try #require(gradients[rows]).floats(),
            differences(x) { reference($0, e, width: 3, temperature: tau) }, absolute: 2e-4)
        expectClose(
            try #require(gradients[codebook]).floats(),
            differences(e) { reference(x, $0, width: 3, temperature: tau) }, absolute: 2e-4)
    }
}
