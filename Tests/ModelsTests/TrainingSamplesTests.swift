// Sample pictures of every system, and that making them changes nothing.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite("Training samples")
struct TrainingSamplesTests {
    /// Pictures of a run, after a check that the steps after them are those of a run without.
    private func pictures(
        _ makeRun: () throws -> any TrainingRun
    ) throws -> TrainingPictures? {
        let (sampled, plain) = (try makeRun(), try makeRun())
        for run in [sampled, plain] { for _ in 0..<3 { _ = try run.advance() } }
        let pictures = try withoutGradients {
            try sampled.samplePictures(cancellation: Cancellation())
        }
        for _ in 0..<2 { #expect(try sampled.advance() == plain.advance()) }
        return pictures
    }

    private let tokenizer: VQVAE
    private let cache: TokenCache

    init() throws {
        tokenizer = try VQVAE(
            configuration: tinyTokenizerRecipe().model, store: ParameterStore(seed: 3))
        cache = try TokenCache(
            encoding: barPictures(count: 16), tokenizer: tokenizer, cancellation: Cancellation())
    }

    @Test("A tokenizer shows pictures above their reconstructions")
    func tokenizerPictures() throws {
        let images = barPictures(count: 10)
        let shown = try pictures {
            try TokenizerTraining(tinyTokenizerRecipe(), images: images, heldOut: images)
        }
        #expect(shown?.images.count == 16 && shown?.columns == 8)
        #expect(shown?.images.first?.width == 8)
        let source = try images.batch([0]).images.pictures()
        #expect(shown?.images[0] == source[0])
    }

    @Test("Next-scale networks sample", arguments: [ScaleAttention.blockCausal, .blockDiagonal])
    func nextScalePictures(attention: ScaleAttention) throws {
        let recipe = try TransformerTrainingTests().recipe(attention)
        let shown = try pictures {
            try NextScaleTraining(recipe, tokenizer: tokenizer, tokens: cache)
        }
        #expect(shown?.images.count == 16)
        #expect(shown?.title == "samples of classes 0 to 3")
    }

    @Test("A mask tower samples with the assembled model")
    func maskedPictures() throws {
        let first = try NextScaleTraining(
            TransformerTrainingTests().recipe(.blockDiagonal), tokenizer: tokenizer, tokens: cache)
        let shown = try pictures {
            try MaskedTraining(
                MaskedTrainingConfiguration(
                    maskDepth: 1, optimizer: OptimizerConfiguration(steps: 9, warmUpSteps: 1),
                    batch: 4, seed: 2), firstPhase: first.network, tokenizer: tokenizer,
                tokens: cache)
        }
        #expect(shown?.images.count == 16)
    }

    @Test("A classifier shows what it is least sure of")
    func classifierPictures() throws {
        let images = barPictures(count: 20)
        let recipe = ImageClassifierTrainingConfiguration(
            model: ImageClassifierConfiguration(imageSize: 8, classCount: 4, width: 8, features: 6),
            optimizer: OptimizerConfiguration(steps: 9, warmUpSteps: 1), batch: 4, seed: 3)
        let shown = try pictures {
            try ImageClassifierTraining(recipe, images: images, heldOut: images)
        }
        #expect(shown?.images.count == 16)
    }
}
