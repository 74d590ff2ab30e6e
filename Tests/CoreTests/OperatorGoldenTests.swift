// Operators against values of the public PyTorch implementation. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

/// `Fixtures/hmar/ops.safetensors`; the tolerance is hmar.md §13.1.
@Suite struct OperatorGoldenTests {
    private let values: [String: Tensor]
    private let tolerance: Float = 2e-6

    init() throws { values = try Fixture.tensors("hmar/ops.safetensors") }

    private func expect(
        _ name: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ compute: (Tensor) -> Tensor
    ) throws {
        let input = try #require(
            values[name + ".in"] ?? values[name.split(separator: ".")[0] + ".in"],
            "no input for \(name)")
        let output = try #require(values[name + ".out"])
        expectClose(
            compute(input), output.floats(), shape: output.shape, absolute: tolerance, relative: 0,
            name, sourceLocation: sourceLocation)
    }

    @Test func resizesEverySizePairAsTheReference() throws {
        let names = values.keys.filter { $0.hasSuffix(".in") && $0.contains("to") }.sorted()
        #expect(names.count == 33)
        for name in names {
            let stem = String(name.dropLast(3))
            let output = try #require(values[stem + ".out"])
            try expect(stem) {
                resized(
                    $0, to: (output.shape[2], output.shape[3]),
                    method: stem.hasPrefix("area") ? .area : .bicubic)
            }
        }
    }

    @Test func normalizesAsTheReference() throws {
        for name in ["groupnorm32", "groupnorm32_c64"] {
            let weight = try #require(values[name + ".w"])
            let bias = try #require(values[name + ".b"])
            try expect(name) { groupNorm($0, groups: 32, weight: weight, bias: bias) }
        }
        try expect("layernorm") { layerNorm($0) }
    }

    @Test func activatesAsTheReference() throws {
        try expect("gelu_tanh") { $0.geluTanh() }
        let input = try #require(values["gelu_tanh.in"])
        let silu = try #require(values["silu.out"])
        expectClose(input.silu(), silu.floats(), absolute: tolerance, relative: 0, "silu")
    }

    @Test func changesSizeAsTheTokenizer() throws {
        try expect("nearest2x") { upsampledNearest2x($0) }
        let input = try #require(values["nearest2x.in"])
        let weight = try #require(values["down.w"])
        let bias = try #require(values["down.b"])
        let output = try #require(values["down.out"])
        let y = convolution2D(
            input, weight: weight, bias: bias, stride: 2,
            padding: Padding2D(top: 0, bottom: 1, left: 0, right: 1))
        // Sums of 288 products up to 8.3: the stored values themselves lie 3.4e-6 from the exact ones,
        // so the bound is 2e-6 of that magnitude.
        expectClose(
            y, output.floats(), shape: output.shape, absolute: 8.3 * tolerance, relative: 0,
            "down")
    }
}
