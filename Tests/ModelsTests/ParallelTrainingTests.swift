// Training by several processes against training by one. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct ParallelTrainingTests {
    /// Losses of some steps, and the first step's gradients as the first moments keep them.
    struct Course: Sendable {
        var gradients: [String: [Float]] = [:]
        var weights: [String: [Float]] = [:]
        var losses: [Double] = []
    }

    static func course(_ run: any TrainingRun, steps: Int, parallel: DataParallel) throws -> Course
    {
        var course = Course()
        for step in 0..<steps {
            let metrics = try parallel.averaged(run.advance())
            course.losses.append(metrics.first { $0.name == "loss" }?.value ?? .nan)
            let state = try run.state()
            if step == 0 {
                course.gradients = state.tensors.filter { $0.key.contains("exp_avg.") }
                    .mapValues { $0.floats() }
            }
            course.weights = state.tensors.filter { $0.key.hasPrefix("weight.") }
                .mapValues { $0.floats() }
        }
        return course
    }

    /// Every process's weights are equal; gradients and losses are those of one process.
    static func expectEqual(
        _ courses: [Course], to single: Course, tolerance: Float = 2e-5,
        lossTolerance: Double = 2e-3
    ) {
        #expect(!single.gradients.isEmpty)
        for course in courses {
            #expect(course.weights == courses[0].weights)
            #expect(course.gradients.keys.sorted() == single.gradients.keys.sorted())
            for (name, wanted) in single.gradients {
                let found = course.gradients[name] ?? []
                let largest = wanted.reduce(0) { max($0, abs($1)) }
                let error = zip(found, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
                #expect(error <= tolerance * largest + 1e-9, "\(name): \(error) of \(largest)")
            }
            for (found, wanted) in zip(course.losses, single.losses) {
                #expect(abs(found - wanted) <= lossTolerance * abs(wanted), "\(course.losses)")
            }
        }
    }

    @Test(arguments: [2, 4]) func nextScaleTrainingIsThatOfOneProcess(size: Int) throws {
        @Sendable func run(_ parallel: DataParallel) throws -> Course {
            let tokenizer = try VQVAE(
                configuration: tinyTokenizerRecipe().model, store: ParameterStore(seed: 3))
            let cache = try TokenCache(
                encoding: barPictures(count: 18), tokenizer: tokenizer, copies: 2, batch: 4,
                parallel: parallel, cancellation: Cancellation())
            let recipe = NextScaleTrainingConfiguration(
                model: TransformerConfiguration(
                    depth: 2, width: 32, heads: 2, classCount: 4, vocabulary: 16,
                    latentChannels: 8, patchNums: [1, 2, 3, 4], maskDepth: 0),
                attention: .blockDiagonal, weighting: .lognorm,
                optimizer: OptimizerConfiguration(
                    learningRate: 1e-3, steps: 9, warmUpSteps: 1), batch: 8,
                seed: 11, labelDropout: 0.5, gammaInitialScale: 0.3)
            return try Self.course(
                NextScaleTraining(
                    recipe, tokenizer: tokenizer, tokens: cache, parallel: parallel),
                steps: 3, parallel: parallel)
        }
        try Self.expectEqual(ThreadedGroup.run(size, run), to: run(.single))
    }

    @Test func tokenizerTrainingIsThatOfOneProcess() throws {
        @Sendable func run(_ parallel: DataParallel) throws -> Course {
            var recipe = tinyTokenizerRecipe()
            recipe.batch = 4
            (recipe.entropyWeight, recipe.scaleDropout, recipe.restartInterval) = (0.3, 0.5, 2)
            recipe.augmentation = PictureAugmentation(flips: true, shift: 1)
            recipe.adversarial = AdversarialConfiguration(
                weight: 0.2, start: 0, width: 8, layers: 1)
            return try Self.course(
                TokenizerTraining(recipe, images: barPictures(count: 16), parallel: parallel),
                steps: 4, parallel: parallel)
        }
        try Self.expectEqual(
            ThreadedGroup.run(2, run), to: run(.single), tolerance: 1e-4, lossTolerance: 0.02)
    }

    @Test func batchesThatCannotBeSharedAreRefused() throws {
        #expect(throws: ConfigurationError.self) {
            try ThreadedGroup.run(3) {
                _ = try TokenizerTraining(
                    tinyTokenizerRecipe(), images: barPictures(count: 8), parallel: $0)
            }
        }
    }

    @Test func allStopAfterTheStepInWhichOneWishes() throws {
        let steps = try ThreadedGroup.run(2) { parallel in
            let run = try TokenizerTraining(
                tinyTokenizerRecipe(), images: barPictures(count: 8), parallel: parallel)
            let trainer = Trainer(
                options: .init(logEvery: 1), parallel: parallel, save: { _ in }, log: { _ in })
            #expect(throws: CancellationError.self) {
                try trainer.train(run, cancellation: parallel.agreed) { step, _ in
                    if step == 2, parallel.rank.rank == 1 { parallel.wish.cancel() }
                }
            }
            return run.step
        }
        #expect(steps == [3, 3])
    }
}
