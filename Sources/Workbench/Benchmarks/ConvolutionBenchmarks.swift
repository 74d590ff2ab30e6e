// The decoder's convolutions, shape by shape. SPDX-License-Identifier: Apache-2.0
import Core
import Models

/// Every distinct convolution of a decode, in turn with one fixed matrix product by raw BLAS: the
/// ratio of rates says how near the convolution comes to what the machine can do at that moment.
struct ConvolutionBenchmarks {
    let work: DecoderWork

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        let side = 1024
        let yardstick = RawProduct(m: side, n: side, k: side)
        let weights = GeneratedWeights(seed: 1)
        let a = weights.tensor([side, side], .uniform(bound: 1), key: 1)
        let b = weights.tensor([side, side], .uniform(bound: 1), key: 2)
        var result: [BenchRow] = []
        var seconds = 0.0
        for c in work.convolutions {
            let x = weights.tensor([1, c.inputs, c.side, c.side], .uniform(bound: 1), key: 3)
            let weight = weights.tensor(
                [c.outputs, c.inputs, c.kernel, c.kernel], .uniform(bound: 0.1), key: 4)
            let bias = Tensor.zeros([c.outputs])
            let name =
                "\(c.kernel)×\(c.kernel) \(c.inputs) → \(c.outputs) at \(c.side)×\(c.side), "
                + "\(c.count) in a decode"
            let measured = try bench.compare(
                name, flop: c.flop, to: "cblas_sgemm 1024³", referenceFlop: 0x1p31,
                {
                    _ = convolution2D(
                        x, weight: weight, bias: bias, padding: .same(c.kernel / 2))
                }, against: { yardstick.run(a, b) })
            seconds += (measured.medianMS ?? 0) * 1e-3 * Double(c.count)
            result.append(measured)
        }
        let flop = work.flop - work.attention
        return result
            + [BenchRow("all convolutions of a decode", seconds: seconds, gflop: flop / 1e9)]
    }
}
