// Training of the tokenizer on a handful of pictures.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models
import TestSupport
import Testing

func tinyTokenizerRecipe(steps: Int = 12) -> TokenizerTrainingConfiguration {
    TokenizerTrainingConfiguration(
        model: VQVAEConfiguration(
            channels: 32, channelMultipliers: [1, 1], residualBlocks: 1, latentChannels: 8,
            vocabulary: 16, patchNums: [1, 2, 3, 4]),
        optimizer: OptimizerConfiguration(
            learningRate: 2e-3, steps: steps, warmUpSteps: 1, weightDecay: 0.01), batch: 4, seed: 7,
        restartInterval: 4)
}

@Suite struct TokenizerTrainingTests {
    @Test func lossFallsAndStateResumesBitForBit() throws {
        let images = barPictures(count: 16)
        let first = try TokenizerTraining(tinyTokenizerRecipe(), images: images, heldOut: images)
        var losses: [Double] = []
        for _ in 0..<6 { losses.append(try first.advance()[0].value) }
        let kept = first.state()
        let frozen = TrainingState(
            tensors: kept.tensors.mapValues { $0.copied() }, values: kept.values)
        for _ in 6..<12 { losses.append(try first.advance()[0].value) }
        #expect((losses.last ?? 9) < 0.8 * losses[0])

        let second = try TokenizerTraining(tinyTokenizerRecipe(), images: images)
        try second.restore(frozen)
        #expect(second.step == 6)
        let resumed = try (6..<12).map { _ in try second.advance()[0].value }
        #expect(resumed == Array(losses[6...]))
        for ((nameA, a), (nameB, b)) in zip(first.export().tensors, second.export().tensors) {
            #expect(nameA == nameB)
            #expect(a.floats() == b.floats(), "\(nameA)")
        }
        let metrics = try first.evaluate(cancellation: Cancellation())
        #expect((metrics.first?.value ?? 0) > 5)
    }

    @Test func exportedTensorsLoadAsACheckpoint() throws {
        let run = try TokenizerTraining(tinyTokenizerRecipe(), images: barPictures(count: 8))
        _ = try run.advance()
        let folder = try TemporaryFolder()
        let path = folder.path + "/tokenizer.safetensors"
        let (tensors, metadata) = run.export()
        try Safetensors.write(
            tensors.map { .init(name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: path)
        let loaded = try VQVAE(archive: TensorArchive.open(path: path))
        #expect(loaded.configuration == tinyTokenizerRecipe().model)
    }

    @Test func wrongSizesAreRefused() throws {
        #expect(throws: ConfigurationError.imageSizeMismatch(found: 12, expected: 8)) {
            try TokenizerTraining(
                tinyTokenizerRecipe(), images: barPictures(count: 4, side: 12))
        }
        var recipe = tinyTokenizerRecipe()
        recipe.model.channels = 20
        #expect(throws: ConfigurationError.self) { try recipe.validate() }
    }
}
