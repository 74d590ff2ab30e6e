// The self-test's transformer blocks of few rows, without gradients. SPDX-License-Identifier: Apache-2.0
import Core

extension SelfCheck {
    /// The operators of a sampler's passes in 16 bits against the CPU, and recorded against themselves.
    static func passes(_ device: any Device) -> [SelfCheck] {
        guard let gpu = device as? CUDADevice else { return [] }
        // Batch, tokens, heads, head size: each count of sixteens of rows, and more rows than the kernel for
        // few takes; widths with one and with several parts of the inner dimension.
        let blocks = [
            (2, 1, 4, 64), (2, 4, 8, 32), (2, 9, 16, 64), (2, 16, 4, 64), (2, 25, 3, 32),
            (2, 36, 16, 64), (1, 73, 6, 64), (2, 100, 4, 64), (1, 256, 4, 32),
        ].map { batch, tokens, heads, size in
            SelfCheck(name: "bfloat16 chained blocks [\(batch), \(tokens), \(heads * size)]") {
                let chain = Chain(batch: batch, tokens: tokens, heads: heads, size: size)
                let expected = withDevice(CPUDevice.shared) { chain.values(seed: 3) }
                let found = withDevice(gpu) { chain.values(seed: 3) }
                try gpu.throwPendingError()
                return try describe(found, expected, limit: 3e-2)
            }
        }
        let attention = [(1, 32), (36, 64), (64, 64), (65, 32), (169, 64), (256, 64)].map {
            tokens, size in
            SelfCheck(name: "bfloat16 attention by cosine, full [2, \(tokens), 3, 3, \(size)]") {
                func values() -> [Float] {
                    cosineAttention(
                        random([2, tokens, 3, 3, size]) + 0.2,
                        scale: Tensor([1, 8, 60], shape: [3])
                    ).cast(to: .float32).floats()
                }
                let expected = withDevice(CPUDevice.shared) { values() }
                let found = withDevice(gpu) { values() }
                try gpu.throwPendingError()
                return try describe([found], [expected], limit: 3e-2)
            }
        }
        let products = [(1, 512, 4096), (17, 384, 1600), (64, 1000, 2048), (80, 640, 4224)].map {
            rows, inner, columns in
            SelfCheck(name: "bfloat16 product of \(rows) rows, \(inner) to \(columns)") {
                func values() -> [[Float]] {
                    let x = random([rows, inner])
                    let weight = random([columns, inner], seed: 4) * 0.05
                    let bias = random([columns], seed: 5)
                    return [
                        linear(x, weight, bias).floats(), linear(x, weight).floats(),
                        linearGELU(x, weight, bias).cast(to: .float32).floats(),
                    ]
                }
                let expected = withDevice(CPUDevice.shared) { values() }
                let found = withDevice(gpu) { values() }
                try gpu.throwPendingError()
                return try describe(found, expected, limit: 3e-2)
            }
        }
        let replays = SelfCheck(name: "bfloat16 chained blocks, recorded") {
            try [(2, 9), (2, 32), (2, 100)].map { batch, tokens in
                try replay(Chain(batch: batch, tokens: tokens, heads: 8, size: 64), on: gpu)
            }.joined(separator: "; ")
        }
        return (products + attention + blocks + [replays]).map { check in
            SelfCheck(name: check.name) {
                let before = gpu.precision
                gpu.precision = .bfloat16
                defer { gpu.precision = before }
                return try check.body()
            }
        }
    }

    /// Three blocks on two inputs, replayed many times without a pause, against the same done at once.
    private static func replay(_ chain: Chain, on device: CUDADevice) throws -> String {
        try withDevice(device) {
            let weights = chain.weights
            let input = chain.input(seed: 1).copied()
            let output = chain.input(seed: 2).copied()
            func pass() {
                device.copy(chain.run(input, weights).joined, into: output)
            }
            pass()
            guard let recorder = device.makeRecorder() else { return "the device records nothing" }
            let work = try recorder.record(changing: [input, output]) { pass() }
            var remarks: [String] = []
            for seed in [UInt64(5), 6] {
                device.copy(chain.input(seed: seed), into: input)
                for _ in 0..<20 { work.replay() }
                let found = output.floats()
                pass()
                remarks.append(try describe([found], [output.floats()], limit: 1e-6))
            }
            try device.throwPendingError()
            return remarks.joined(separator: ", ")
        }
    }

    /// Transformer blocks of one size.
    private struct Chain {
        var batch: Int
        var tokens: Int
        var heads: Int
        var size: Int

        var width: Int { heads * size }

        struct Weights {
            var modulation, qkv, qkvBias, projection, fc1, fc1Bias, fc2, bias, scale: Tensor
        }

        struct Output {
            var h: Tensor
            var normed: Tensor

            var joined: Tensor { h + normed.cast(to: .float32) }
        }

        var weights: Weights {
            let deviation = 1 / Float(width).squareRoot()
            return Weights(
                modulation: random([batch, 6, width], seed: 11) * 0.5,
                qkv: random([3 * width, width], seed: 12) * deviation,
                qkvBias: random([3 * width], seed: 13) * 0.1,
                projection: random([width, width], seed: 14) * deviation,
                fc1: random([4 * width, width], seed: 15) * deviation,
                fc1Bias: random([4 * width], seed: 16) * 0.1,
                fc2: random([width, 4 * width], seed: 17) * (0.5 * deviation),
                bias: random([width], seed: 18) * 0.1,
                scale: Tensor((0..<heads).map { 2 + Float($0 % 7) }, shape: [heads]))
        }

        func input(seed: UInt64) -> Tensor { random([batch, tokens, width], seed: seed) }

        func values(seed: UInt64) -> [[Float]] {
            let output = run(input(seed: seed), weights)
            return [output.h.floats(), output.normed.cast(to: .float32).floats()]
        }

        func run(_ x: Tensor, _ w: Weights) -> Output {
            let m = w.modulation.split(axis: 1, sizes: [1, 1, 1, 1, 1, 1])
            var output = Output(
                h: x, normed: modulatedLayerNorm(x, scale: m[2], shift: m[4], as: .operand))
            for _ in 0..<3 {
                let qkv = linear(output.normed, w.qkv, w.qkvBias, as: .operand)
                let mixed = cosineAttention(
                    qkv.reshaped([batch, tokens, 3, heads, size]), scale: w.scale)
                let (h, normed) = projectedResidual(
                    output.h, mixed.reshaped(x.shape), w.projection, w.bias, gate: m[0],
                    scale: m[3], shift: m[5])
                (output.h, output.normed) = projectedResidual(
                    h, linearGELU(normed, w.fc1, w.fc1Bias), w.fc2, w.bias, gate: m[1],
                    scale: m[2], shift: m[4])
            }
            return output
        }
    }
}
