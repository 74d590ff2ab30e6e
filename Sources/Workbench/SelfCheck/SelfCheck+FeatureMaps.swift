// The self-test's rows for chains of feature maps that a GPU keeps in 16 bits with channels last.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models

extension SelfCheck {
    /// Fused convolutions without gradients against the CPU's, alone and one behind the other.
    static func featureMaps(_ device: any Device) -> [SelfCheck] {
        let precisions: [CUDADevice.Precision] =
            device is CUDADevice ? [.float32, .bfloat16] : [.float32]
        return precisions.flatMap { precision in
            mapChains.map { chain in
                SelfCheck(name: "\(precision.rawValue) \(chain.name)") {
                    try onDevice(device, precision) {
                        let expected = try withDevice(CPUDevice.shared) { try chain.values() }
                        let found = try withDevice(device) { try chain.values() }
                        try device.throwPendingError()
                        return try describe(
                            [found.floats()], [expected.floats()],
                            limit: isExact(device) ? 2e-4 : chain.limit)
                    }
                }
            }
        }
    }

    private struct MapChain {
        var name: String
        /// Of bf16, as a share of the largest value.
        var limit: Float = 3e-2
        var values: () throws -> Tensor
    }

    private static var mapChains: [MapChain] {
        [
            MapChain(name: "fused convolution, planes") {
                fused(random([2, 64, 9, 11]), to: 72, seed: 3, residual: random([2, 72, 9, 11]))
            },
            MapChain(name: "fused convolution, two in a row") {
                let x = fused(random([2, 160, 20, 12]), to: 160, seed: 3, as: .operand)
                return fused(fused(x, to: 160, seed: 5, residual: x, as: .operand), to: 40, seed: 7)
            },
            MapChain(name: "fused convolution, many pixels") {
                let x = fused(random([2, 32, 96, 80]), to: 160, seed: 3, as: .operand)
                return fused(x, to: 3, seed: 9)
            },
            MapChain(name: "fused convolution, few channels") {
                fused(fused(random([5, 16, 8, 8]), to: 32, seed: 3, as: .operand), to: 20, seed: 5)
            },
            MapChain(name: "fused convolution, upsampled") {
                let x = fused(random([3, 64, 9, 8]), to: 96, seed: 3, as: .operand)
                return fused(upsampled(x, to: 160, seed: 5), to: 32, seed: 7)
            },
            MapChain(name: "fused convolution of pixels, normalised") {
                let x = fused(random([2, 64, 8, 8]), to: 128, seed: 3, as: .operand)
                return fusedConvolution2D(
                    x,
                    prologue: .groupNorm(
                        weight: random([128], seed: 4), bias: random([128], seed: 5), groups: 32,
                        epsilon: 1e-6),
                    weight: random([384, 128, 1, 1], seed: 6) * 0.1, as: .operand
                ).pixelRows.cast(to: .float32)
            },
            MapChain(name: "decoder", limit: 6e-2) {
                let sizes = VQVAEConfiguration(
                    channels: 32, channelMultipliers: [1, 2, 5], latentChannels: 32,
                    vocabulary: 64, patchNums: [1, 2, 4, 8])
                let tokenizer = try VQVAE(configuration: sizes, store: ParameterStore(seed: 5))
                return tokenizer.decode(random([2, 32, 8, 8]))
            },
        ]
    }

    private static func fused(
        _ x: Tensor, to outputs: Int, seed: UInt64, residual: Tensor? = nil,
        as result: ResultType = .float32
    ) -> Tensor {
        let inputs = x.shape[1]
        let scale = 1 / Float(9 * inputs).squareRoot()
        return fusedConvolution2D(
            x,
            prologue: .groupNormSiLU(
                weight: random([inputs], seed: seed), bias: random([inputs], seed: seed + 1),
                groups: inputs % 32 == 0 ? 32 : 4, epsilon: 1e-6),
            weight: random([outputs, inputs, 3, 3], seed: seed + 2) * scale,
            bias: random([outputs], seed: seed + 3), padding: .same(1), residual: residual,
            as: result)
    }

    private static func upsampled(_ x: Tensor, to outputs: Int, seed: UInt64) -> Tensor {
        fusedConvolution2D(
            x, prologue: .upsampledNearest2x,
            weight: random([outputs, x.shape[1], 3, 3], seed: seed)
                * (1 / Float(9 * x.shape[1]).squareRoot()),
            padding: .same(1), as: .operand)
    }
}
