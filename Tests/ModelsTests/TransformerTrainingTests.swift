// Training of VAR and of HMAR's two phases on a handful of pictures.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct TransformerTrainingTests {
    let tokenizer: VQVAE
    let cache: TokenCache

    init() throws {
        let model = tinyTokenizerRecipe().model
        tokenizer = try VQVAE(configuration: model, store: ParameterStore(seed: 3))
        tokenizer.parameters.first { $0.name == "quantize.embedding.weight" }?.value =
            randomTensor([16, 8], seed: 5, scale: 0.5)
        cache = try TokenCache(
            encoding: barPictures(count: 16), tokenizer: tokenizer, cancellation: Cancellation())
    }

    func recipe(_ attention: ScaleAttention, steps: Int = 16) -> NextScaleTrainingConfiguration {
        NextScaleTrainingConfiguration(
            model: TransformerConfiguration(
                depth: 2, width: 32, heads: 2, classCount: 4, vocabulary: 16, latentChannels: 8,
                patchNums: [1, 2, 3, 4], maskDepth: 0), attention: attention,
            weighting: attention == .blockCausal ? .uniform : .lognorm,
            optimizer: OptimizerConfiguration(
                learningRate: 5e-3, steps: steps, warmUpSteps: 2, averageDecay: 0.9), batch: 8,
            seed: 11)
    }

    @Test(arguments: [ScaleAttention.blockCausal, .blockDiagonal])
    func nextScaleLossFallsAndResumesBitForBit(attention: ScaleAttention) throws {
        let first = try NextScaleTraining(
            recipe(attention), tokenizer: tokenizer, tokens: cache, heldOut: cache)
        var losses: [Double] = []
        for _ in 0..<8 { losses.append(try first.advance()[0].value) }
        let state = TrainingState(
            tensors: first.state().tensors.mapValues { $0.copied() },
            values: first.state().values)
        for _ in 8..<16 { losses.append(try first.advance()[0].value) }
        #expect((losses.last ?? 99) < 0.7 * losses[0])
        let second = try NextScaleTraining(
            recipe(attention), tokenizer: tokenizer, tokens: cache)
        try second.restore(state)
        #expect(try (8..<16).map { _ in try second.advance()[0].value } == Array(losses[8...]))
        let figures = try first.evaluate(cancellation: Cancellation())
        #expect(figures.map(\.name).prefix(2) == ["loss", "ce.0"])
        // Names and shapes of the export are those that the loader asks for.
        let folder = try TemporaryFolder()
        let path = folder.path + "/weights.safetensors"
        let (tensors, metadata) = first.export()
        try Safetensors.write(
            tensors.map { .init(name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: path)
        let loaded = try NextScaleTransformer(archive: TensorArchive.open(path: path))
        #expect(loaded.attention == attention)
    }

    @Test func phaseTwoTrainsOnlyItsOwnTensorsAndExportsAnAssembledModel() throws {
        let phaseOne = try NextScaleTraining(
            recipe(.blockDiagonal, steps: 4), tokenizer: tokenizer, tokens: cache)
        for _ in 0..<4 { _ = try phaseOne.advance() }
        let run = try MaskedTraining(
            MaskedTrainingConfiguration(
                maskDepth: 1,
                optimizer: OptimizerConfiguration(
                    learningRate: 5e-3, steps: 12, warmUpSteps: 1, averageDecay: 0.5), batch: 8,
                seed: 2), firstPhase: phaseOne.network, tokenizer: tokenizer, tokens: cache,
            heldOut: cache)
        let before = Dictionary(
            uniqueKeysWithValues: run.network.parameters.map { ($0.name, $0.value.copied()) })
        var losses: [Double] = []
        for _ in 0..<12 { losses.append(try run.advance().first?.value ?? 0) }
        for parameter in run.network.parameters {
            let trained =
                parameter.name.hasPrefix("blocks.1.") || parameter.name.hasPrefix("head")
                || parameter.name == "mask_embed.weight"
            let changed = parameter.value.floats() != before[parameter.name]?.floats()
            #expect(changed == trained, "\(parameter.name)")
        }
        #expect(try run.evaluate(cancellation: Cancellation()).count == 3)

        let folder = try TemporaryFolder()
        let path = folder.path + "/hmar.safetensors"
        let (tensors, metadata) = run.export()
        try Safetensors.write(
            tensors.map { .init(name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: path)
        let model = try HMAR(archive: TensorArchive.open(path: path))
        #expect(model.configuration.depth == 2 && model.configuration.maskDepth == 1)
        // The assembled next-scale tower is phase 1's network.
        let maps = tokenizer.quantizer.split(cache.tokens([0, 5]))
        let input = tokenizer.quantizer.nextScaleInput(maps)
        expectClose(
            model.nextScaleLogits(labels: [0, 1], nextScaleInput: input),
            phaseOne.network.logits(labels: [0, 1], nextScaleInput: input).floats(),
            absolute: 1e-6)
        // And the mask tower is phase 2's with averaged weights: close to, not equal to, the last.
        let flags = [Bool](repeating: true, count: 29)
        let own = tokenizer.quantizer.maskInput(maps)
        let difference = zip(
            model.maskedLogits(
                labels: [0, 1], nextScaleInput: input, maskInput: own, masked: flags
            ).floats(),
            run.network.maskedLogits(
                labels: [0, 1], nextScaleInput: input, maskInput: own, masked: flags
            ).floats()
        ).map { abs($0 - $1) }.max()
        #expect((difference ?? 9) < 1 && (difference ?? 0) > 0)
    }

    @Test func maskPatternsHoldTheirShareOfEveryMap() {
        var generator = RandomGenerator(seed: 4)
        for (ratio, expected) in [(0.0, [0, 0, 0]), (0.3, [2, 3, 5]), (0.999, [4, 9, 16])] {
            let flags = MaskPattern(
                patchNums: [1, 2, 3, 4], ratio: ratio, generator: &generator
            ).flags
            let counts = [flags[0..<4], flags[4..<13], flags[13..<29]].map { part in
                part.filter { $0 }.count
            }
            #expect(counts == expected)
        }
    }

    @Test func gradientsOfThePhaseOneLossAreDifferences() throws {
        let network = try NextScaleTransformer(
            configuration: recipe(.blockDiagonal).model, attention: .blockDiagonal,
            store: ParameterStore(seed: 1), gammaInitialScale: 1)
        let tokens = cache.tokens([1, 2])
        let input = tokenizer.quantizer.nextScaleInput(tokenizer.quantizer.split(tokens))
        let weights = LossWeighting.lognorm.tokenWeights(patchNums: [1, 2, 3, 4])
        func loss() -> Tensor {
            NextScaleLoss(
                logits: network.logits(labels: [1, 4], nextScaleInput: input), tokens: tokens,
                weights: weights
            ).loss
        }
        for parameter in network.parameters {
            parameter.isTrainable = true
            // The published start makes most gradients too small for differences in float32.
            if parameter.name == "head.weight" { parameter.value = parameter.value * 50 }
        }
        let gradients = loss().backward()
        for name in ["class_emb.weight", "blocks.0.attn.v_bias", "blocks.1.ffn.fc2.bias"] {
            let parameter = try #require(network.parameters.first { $0.name == name })
            let found = try #require(gradients[parameter])
            let value = parameter.value
            let numeric = numericalGradient(
                of: { moved in
                    parameter.value = moved
                    return loss()
                }, at: value, step: 1e-2)
            parameter.value = value
            let scale = numeric.floats().map { abs($0) }.max() ?? 0
            expectClose(
                found.floats(), numeric.floats(), absolute: 0.03 * scale, relative: 0, name)
        }
    }
}
