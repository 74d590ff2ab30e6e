// The transformer's matrix products against raw BLAS at their own shapes.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models

/// Our linear layer, bias included, against one `cblas_sgemm` into memory that is reused.
///
/// Rows are those of every scale with both guidance halves. Runs go round the blocks' weights, so that
/// weights come from memory as in a pass and not from a cache.
struct ProductBenchmarks {
    private struct Layer {
        var name: String
        /// [outputs, inputs] of every block.
        var weights: [Tensor]
        var bias: Tensor
    }

    let model: HMAR
    /// S_k of every scale, which say how often a picture runs each shape.
    let rows: [[Int]]

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        var result: [BenchRow] = []
        var (ours, theirs, flop) = (0.0, 0.0, 0.0)
        for layer in layers() {
            let (n, k) = (layer.weights[0].shape[0], layer.weights[0].shape[1])
            for (count, row) in zip(model.configuration.tokenCounts, rows) {
                let m = 2 * count
                let x = GeneratedWeights(seed: 1).tensor(
                    [m, k], .uniform(bound: 1), key: UInt64(m))
                let raw = RawProduct(m: m, n: n, k: k)
                let work = 2 * Double(m) * Double(n) * Double(k)
                var turn = 0
                func next() -> Tensor {
                    turn += 1
                    return layer.weights[turn % layer.weights.count]
                }
                let measured = try bench.compare(
                    "\(layer.name) \(m)×\(k) → \(n)", flop: work, to: "cblas_sgemm",
                    { _ = linear(x, next(), layer.bias) }, against: { raw.run(x, next()) })
                let calls = Double(
                    row.count * (layer.name == "head" ? 1 : model.configuration.depth))
                let seconds = (measured.medianMS ?? 0) * 1e-3
                ours += calls * seconds
                theirs += calls * seconds * (measured.ratio ?? 1)
                flop += calls * work
                result.append(measured)
            }
        }
        var total = BenchRow("all products of a picture", seconds: ours, gflop: flop / 1e9)
        total.ratio = theirs / ours
        total.reference = "cblas_sgemm"
        return result + [total]
    }

    private func layers() -> [Layer] {
        let names = [
            ("qkv", "attn.mat_qkv.weight"), ("proj", "attn.proj.weight"),
            ("fc1", "ffn.fc1.weight"), ("fc2", "ffn.fc2.weight"), ("head", "_head.weight"),
        ]
        return names.map { name, suffix in
            let weights = model.parameters.filter { $0.name.hasSuffix(suffix) }.map(\.value)
            return Layer(
                name: name, weights: weights, bias: .zeros([weights.first?.shape[0] ?? 0]))
        }.filter { !$0.weights.isEmpty }
    }
}
