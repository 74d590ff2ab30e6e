// The self-test's short training on a GPU and on the CPU. SPDX-License-Identifier: Apache-2.0
import Core
import Models

extension SelfCheck {
    /// Losses of five steps of a small tokenizer and a small transformer.
    static func compareTraining(on device: any Device) throws -> String {
        let expected = try withDevice(CPUDevice.shared) { try losses() }
        let found = try withDevice(device) { try losses() }
        try device.throwPendingError()
        return try describe(
            [found], [expected], limit: isExact(device) ? 2e-3 : 5e-2)
            + ": " + found.map { "\($0)" }.joined(separator: " ")
    }

    private static func losses() throws -> [Float] {
        let patchNums = [1, 2, 3, 4]
        let sizes = VQVAEConfiguration(
            channels: 32, channelMultipliers: [1, 2], residualBlocks: 1, latentChannels: 8,
            vocabulary: 64, patchNums: patchNums)
        let optimizer = OptimizerConfiguration(learningRate: 1e-3, steps: 5, warmUpSteps: 1)
        let pictures = FormulaPictures(side: sizes.imageSize)
        let tokenizer = try TokenizerTraining(
            TokenizerTrainingConfiguration(model: sizes, optimizer: optimizer, batch: 8),
            images: pictures)
        var losses: [Float] = []
        for _ in 0..<5 { losses += try loss(tokenizer.advance()) }
        // Codes near a border may fall either way, so both devices get tokens of one rule.
        let tokens = try withDevice(CPUDevice.shared) {
            try TokenCache(
                encoding: pictures,
                tokenizer: VQVAE(configuration: sizes, store: ParameterStore(seed: 5)),
                cancellation: Cancellation())
        }
        let network = try NextScaleTraining(
            NextScaleTrainingConfiguration(
                model: TransformerConfiguration(
                    depth: 2, width: 64, heads: 2, classCount: 4, vocabulary: 64,
                    latentChannels: 8, patchNums: patchNums, maskDepth: 0),
                attention: .blockDiagonal, weighting: .uniform, optimizer: optimizer, batch: 8),
            tokenizer: try VQVAE(configuration: sizes, store: ParameterStore(seed: 5)),
            tokens: tokens)
        for _ in 0..<5 { losses += try loss(network.advance()) }
        return losses
    }

    private static func loss(_ metrics: [TrainingMetric]) -> [Float] {
        metrics.filter { $0.name == "loss" }.map { Float($0.value) }
    }
}

/// Sixteen small pictures of waves, by formula.
private struct FormulaPictures: Dataset {
    let side: Int
    let name = "waves"
    let classes = ["0", "1", "2", "3"]
    let count = 16

    func label(at index: Int) -> Int { index % 4 }

    func image(at index: Int) throws -> RGBImage {
        var image = RGBImage(width: side, height: side)
        for y in 0..<side {
            for x in 0..<side {
                image[x, y] = (
                    UInt8((x * (index + 3) * 8) & 255), UInt8((y * (index + 1) * 8) & 255),
                    UInt8((x * y * 4 + index * 16) & 255)
                )
            }
        }
        return image
    }
}
