// Kernels against raw BLAS in one run. SPDX-License-Identifier: Apache-2.0
import Core

/// Our matrix products against the BLAS call they end in, and convolutions against the BLAS rate.
struct KernelBenchmarks {
    let device: CPUDevice

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        var rows: [BenchRow] = []
        for (m, n, k) in [(680, 3072, 1024), (680, 1024, 4096), (5632, 512, 128)] {
            rows.append(try product(bench, m, n, k))
        }
        for (batch, channels, side) in [(32, 32, 28), (32, 64, 14), (1, 160, 128), (1, 320, 64)] {
            rows.append(try convolution(bench, batch, channels, side))
        }
        rows.append(try attention(bench))
        return rows
    }

    private func product(_ bench: Benchmark, _ m: Int, _ n: Int, _ k: Int) throws -> BenchRow {
        var generator = RandomGenerator(seed: 1)
        let x = Tensor.normal([m, k], generator: &generator, device: device)
        let weight = Tensor.normal([n, k], generator: &generator, device: device)
        let raw = RawProduct(m: m, n: n, k: k)
        return try bench.compare(
            "linear \(m)×\(k) → \(n)", flop: 2 * Double(m) * Double(n) * Double(k),
            to: "cblas_sgemm", { _ = linear(x, weight) }, against: { raw.run(x, weight) })
    }

    private func convolution(
        _ bench: Benchmark, _ batch: Int, _ channels: Int, _ side: Int
    ) throws -> BenchRow {
        var generator = RandomGenerator(seed: 1)
        let x = Tensor.normal([batch, channels, side, side], generator: &generator, device: device)
        let weight = Tensor.normal(
            [channels, channels, 3, 3], generator: &generator, device: device)
        let bias = Tensor.zeros([channels], device: device)
        // The product of the same work with nothing gathered: what im2col could at best reach.
        let columns = Tensor.normal(
            [batch * side * side, channels * 9], generator: &generator, device: device)
        let flat = Tensor.normal([channels, channels * 9], generator: &generator, device: device)
        let raw = RawProduct(m: batch * side * side, n: channels, k: channels * 9)
        let flop = 18 * Double(batch * side * side) * Double(channels * channels)
        return try bench.compare(
            "convolution 3×3 \(batch)×\(channels)×\(side)×\(side)", flop: flop, to: "cblas_sgemm",
            { _ = convolution2D(x, weight: weight, bias: bias, padding: .same(1)) },
            against: { raw.run(columns, flat) })
    }

    private func attention(_ bench: Benchmark) throws -> BenchRow {
        var generator = RandomGenerator(seed: 1)
        let shape = [2, 16, 256, 64]
        let q = Tensor.normal(shape, generator: &generator, device: device)
        let k = Tensor.normal(shape, generator: &generator, device: device)
        let v = Tensor.normal(shape, generator: &generator, device: device)
        return try bench.time(
            "attention 2×16 heads, 256 tokens of 64", flop: 4 * 32 * 256 * 256 * 64
        ) { _ = Core.attention(q, k, v, scale: 1) }
    }
}
