// The classifier on a handful of pictures.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct ImageClassifierTests {
    private func recipe(steps: Int = 30) -> ImageClassifierTrainingConfiguration {
        ImageClassifierTrainingConfiguration(
            model: ImageClassifierConfiguration(imageSize: 8, classCount: 4, width: 8, features: 6),
            optimizer: OptimizerConfiguration(
                learningRate: 1e-2, steps: steps, warmUpSteps: 1, weightDecay: 0,
                averageDecay: 0.5), batch: 8, seed: 3,
            augmentation: PictureAugmentation(shift: 1))
    }

    @Test func learnsBarsAndResumesBitForBit() throws {
        let images = barPictures(count: 32)
        let first = try ImageClassifierTraining(recipe(), images: images, heldOut: images)
        for _ in 0..<12 { _ = try first.advance() }
        let kept = first.state()
        let frozen = TrainingState(
            tensors: kept.tensors.mapValues { $0.copied() }, values: kept.values)
        let losses = try (12..<30).map { _ in try first.advance()[0].value }
        let accuracy = try first.evaluate(cancellation: Cancellation())
        #expect(accuracy.first?.name == "accuracy")
        #expect((accuracy.first?.value ?? 0) > 0.9)

        let second = try ImageClassifierTraining(recipe(), images: images)
        try second.restore(frozen)
        #expect(try (12..<30).map { _ in try second.advance()[0].value } == losses)
        for ((nameA, a), (nameB, b)) in zip(first.export().tensors, second.export().tensors) {
            #expect(nameA == nameB)
            #expect(a.floats() == b.floats(), "\(nameA)")
        }
    }

    @Test func checkpointGivesTheSameAnswers() throws {
        let run = try ImageClassifierTraining(recipe(), images: barPictures(count: 8))
        let folder = try TemporaryFolder()
        let path = folder.path + "/classifier.safetensors"
        let (tensors, metadata) = run.export()
        try Safetensors.write(
            tensors.map { .init(name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: path)
        let loaded = try ImageClassifier(archive: TensorArchive.open(path: path))
        #expect(loaded.configuration == recipe().model)
        let pictures = Tensor.images(barPictures(count: 3).pictures)
        #expect(loaded.logits(pictures).floats() == run.network.logits(pictures).floats())
        #expect(throws: ConfigurationError.self) {
            try ImageClassifier(archive: TensorArchive.open(path: path), imageSize: 9)
        }
    }

    @Test func stagesFollowTheSize() {
        let sizes = [8: 1, 28: 3, 32: 3, 128: 5].sorted { $0.key < $1.key }
        for (size, stages) in sizes {
            let configuration = ImageClassifierConfiguration(imageSize: size, classCount: 2)
            #expect(configuration.stageCount == stages)
        }
        #expect(throws: ConfigurationError.self) {
            try ImageClassifierConfiguration(imageSize: 28, classCount: 1).validate()
        }
    }
}
