// How a codebook starts, and pictures made of coarse scales only.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct CodebookStartTests {
    private func quantizer(vocabulary: Int = 40) throws -> Quantizer {
        try VQVAE(
            configuration: VQVAEConfiguration(
                channels: 32, channelMultipliers: [1, 1], residualBlocks: 1, latentChannels: 8,
                vocabulary: vocabulary, patchNums: [1, 2, 3, 4]), store: ParameterStore(seed: 3)
        ).quantizer
    }

    @Test func sharesAddUpAndFollowTheSides() {
        let sides = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
        for vocabulary in [10, 68, 100, 2048, 4096] {
            let shares = Quantizer.codeShares(patchNums: sides, vocabulary: vocabulary)
            #expect(shares.reduce(0, +) == vocabulary)
            #expect(shares.allSatisfy { $0 >= 1 })
        }
        #expect(Quantizer.codeShares(patchNums: sides, vocabulary: 680)[0...3] == [10, 20, 30, 40])
    }

    @Test func everyScaleStartsWithCodesOfItsOwn() throws {
        let quantizer = try quantizer()
        // Pictures differ in their means, so that even one token per picture has much to say.
        let f = Tensor.concatenated(
            (0..<32).map { i in
                randomTensor([1, 8, 4, 4], seed: UInt64(i), scale: 0.5, offset: 0)
                    + randomTensor([1, 8, 1, 1], seed: UInt64(100 + i), scale: 2)
            }, axis: 0)
        var generator = RandomGenerator(seed: 1)
        quantizer.startCodebook(f, generator: &generator)
        let encoding = quantizer.encode(f)
        let used = encoding.tokens.map { Set($0.int32s()).count }
        #expect(used[0] >= 4, "\(used)")
        #expect(used[3] >= 10, "\(used)")
        // phi is the identity: f̂ of the first scale is the code itself everywhere.
        let first = encoding.accumulated[0].floats()
        let rows = quantizer.codebook.value.floats()
        let code = Int(encoding.tokens[0].int32s()[0])
        for channel in 0..<8 {
            expectClose(
                Array(first[(channel * 16)..<(channel * 16 + 16)]),
                [Float](repeating: rows[code * 8 + channel], count: 16), absolute: 1e-6)
        }
        // And what is left over shrinks from scale to scale.
        let errors = encoding.accumulated.map { ($0 - f).square().mean().item() }
        #expect(zip(errors, errors.dropFirst()).allSatisfy { $0 > $1 }, "\(errors)")
    }

    @Test func cutPicturesAreMadeOfTheirCoarseScales() throws {
        let quantizer = try quantizer()
        let f = randomTensor([3, 8, 4, 4], seed: 6)
        let whole = quantizer.trainingForward(f)
        let cut = quantizer.trainingForward(f, keptScales: [4, 1, 2])
        #expect(cut.loss.item() == whole.loss.item())
        let partial = quantizer.encode(f).accumulated
        for (picture, scale) in [(0, 3), (1, 0), (2, 1)] {
            expectClose(
                cut.straightThrough.narrowed(axis: 0, start: picture, length: 1),
                partial[scale].narrowed(axis: 0, start: picture, length: 1).floats(),
                absolute: 1e-5)
        }
    }

    @Test func aTrainingWithEverythingSwitchedOnResumesBitForBit() throws {
        var recipe = tinyTokenizerRecipe()
        recipe.adversarial = AdversarialConfiguration(weight: 0.2, start: 0.2, width: 8, layers: 1)
        recipe.codebookStart = 3
        recipe.scaleDropout = 0.5
        recipe.augmentation = PictureAugmentation(flips: true, shift: 1, hue: 10, brightness: 0.1)
        let images = barPictures(count: 16)
        let first = try TokenizerTraining(recipe, images: images)
        for _ in 0..<6 { _ = try first.advance() }
        let kept = first.state()
        let frozen = TrainingState(
            tensors: kept.tensors.mapValues { $0.copied() }, values: kept.values)
        let second = try TokenizerTraining(recipe, images: images)
        try second.restore(frozen)
        for _ in 6..<12 {
            let (a, b) = (try first.advance(), try second.advance())
            #expect(a.map(\.value) == b.map(\.value))
            #expect(a.contains { $0.name == "critic_loss" })
        }
        for ((_, a), (name, b)) in zip(first.export().tensors, second.export().tensors) {
            #expect(a.floats() == b.floats(), "\(name)")
        }
    }

    @Test func aTrainingEndsWhenItsTimeIsUp() throws {
        var recipe = tinyTokenizerRecipe(steps: 100_000)
        recipe.optimizer.maxMinutes = 1e-9
        let run = try TokenizerTraining(recipe, images: barPictures(count: 8))
        #expect(!run.isFinished)
        _ = try run.advance()
        #expect(run.isFinished && run.step == 1)
        let again = try TokenizerTraining(recipe, images: barPictures(count: 8))
        var state = run.state()
        state.values["seconds"] = "1"
        try again.restore(state)
        #expect(again.isFinished)
    }
}
