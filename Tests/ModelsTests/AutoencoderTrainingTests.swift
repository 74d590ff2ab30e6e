// Training of class-pose autoencoders and level networks on a few digits.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct AutoencoderTrainingTests {
    private let images: GreyImages

    init() throws {
        // Six real digits, turned to 24 pictures.
        let values = try Fixture.tensors("symmetry/ieae_tiny_eval.safetensors")
        let x = try #require(values["x"]).floats()
        let digits = GreyImages(
            side: 28, pixels: (0..<4).flatMap { _ in x },
            labels: (0..<24).map { $0 % 6 })
        images =
            RotatedImages(
                digits, law: try #require(RotationLaw.named("RotMNIST60")), seed: 3
            ).images
    }

    private func configuration(steps: Int = 6) -> AutoencoderTrainingConfiguration {
        AutoencoderTrainingConfiguration(
            model: AutoencoderConfiguration(
                encoder: SteerableEncoderConfiguration(
                    hiddenWidth: 2, embeddingWidth: 4, pooling: .symmetric, hasDiscMask: true),
                decoderWidth: 4),
            optimizer: OptimizerConfiguration(
                learningRate: 1e-2, steps: steps, warmUpSteps: 0, weightDecay: 0, clipNorm: 1000,
                averageDecay: 0),
            batch: 8, seed: 1, groupWeight: 0.06, heldOutShare: 0.25)
    }

    @Test func lossFallsAndNoVectorDies() throws {
        let run = try AutoencoderTraining(configuration(steps: 40), images: images)
        var losses: [Double] = []
        while !run.isFinished {
            losses.append(try #require(run.advance().first { $0.name == "loss" }).value)
        }
        let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        #expect(last < 0.8 * first, "\(first) to \(last)")
        let figures = try run.evaluate(cancellation: Cancellation())
        #expect(figures.first { $0.name == "dead_vectors" }?.value == 0)
        let (tensors, metadata) = run.export()
        #expect(metadata["system"] == "ssl-sym" && metadata["pooling"] == "symmetric")
        // The file holds all that loading asks for.
        let folder = try TemporaryFolder()
        let path = folder.path + "/weights.safetensors"
        try Safetensors.write(
            tensors.map { Safetensors.Item(name: $0.name, tensor: $0.tensor) },
            metadata: metadata, to: path)
        let network = try InvariantEquivariantAutoencoder(archive: TensorArchive.open(path: path))
        #expect(network.configuration == run.configuration.model)
    }

    @Test func aResumedRunGoesOnBitForBit() throws {
        let whole = try AutoencoderTraining(configuration(), images: images)
        for _ in 0..<6 { _ = try whole.advance() }
        let first = try AutoencoderTraining(configuration(), images: images)
        for _ in 0..<3 { _ = try first.advance() }
        _ = try first.evaluate(cancellation: Cancellation())
        let state = first.state()
        let copy = TrainingState(
            tensors: state.tensors.mapValues { $0.copied() }, values: state.values)
        let second = try AutoencoderTraining(configuration(), images: images)
        try second.restore(copy)
        for _ in 0..<3 { _ = try second.advance() }
        #expect(second.step == 6)
        for (a, b) in zip(whole.network.parameters, second.network.parameters) {
            #expect(a.value.floats() == b.value.floats(), "\(a.name)")
        }
    }

    /// It is the network's build that makes it equivariant, so training cannot take it away.
    @Test func poseFollowsAQuarterTurnExactlyWhileTraining() throws {
        // Earlier, running variances of 1 leave every vector in its dead zone.
        let run = try AutoencoderTraining(configuration(steps: 40), images: images)
        while !run.isFinished { _ = try run.advance() }
        let x = images.tensor(0..<6)
        let turned = rotated(
            x, by: Tensor([0, 1], shape: [1, 2]).expanded(to: [6, 2]).contiguous())
        let before = InvariantEquivariantAutoencoder.degrees(run.network.encoder(x).vector)
        let after = InvariantEquivariantAutoencoder.degrees(run.network.encoder(turned).vector)
        for (a, b) in zip(before, after) {
            #expect(abs(SymmetryPose.wrap(b - a - 90)) < 0.05)
        }
    }

    @Test func levelNetworksLearnFromPseudoLabelsWithoutLabels() throws {
        let base = try AutoencoderTraining(configuration(), images: images)
        for _ in 0..<2 { _ = try base.advance() }
        for output in SymmetryLevelNetwork.Output.allCases {
            let settings = SymmetryLevelTraining.Configuration(
                model: configuration().model.encoder, output: output,
                labels: PseudoLabels.Settings(
                    neighbours: 5, estimator: output == .order ? .cyclic : .momentsOutliers,
                    isCentred: output == .centre),
                optimizer: configuration(steps: 3).optimizer, batch: 8, seed: 2,
                heldOutShare: 0.25, measureInterval: 1)
            let run = try SymmetryLevelTraining(
                settings, autoencoder: base.network, images: images)
            while !run.isFinished { _ = try run.advance() }
            #expect(try run.evaluate(cancellation: Cancellation()).count == 1)
            // Other labels of the same pictures change nothing.
            let shuffled = GreyImages(
                side: 28, pixels: images.pixels, labels: images.labels.reversed())
            let other = try SymmetryLevelTraining(
                settings, autoencoder: base.network, images: shuffled)
            while !other.isFinished { _ = try other.advance() }
            let x = images.tensor(0..<4)
            #expect(run.network(x).floats() == other.network(x).floats(), "\(output)")
            let (tensors, metadata) = run.export()
            let folder = try TemporaryFolder()
            let path = folder.path + "/weights.safetensors"
            try Safetensors.write(
                tensors.map { Safetensors.Item(name: $0.name, tensor: $0.tensor) },
                metadata: metadata, to: path)
            let loaded = try InvariantEquivariantAutoencoder(
                archive: TensorArchive.open(path: path))
            #expect(loaded.theta?.output == output)
        }
    }

    @Test func lawsDrawWhatTheySay() throws {
        let law = try #require(RotationLaw.named("MNISTMultiple+offset"))
        let pictures = GreyImages(
            side: 2, pixels: [Float](repeating: 0, count: 4 * 2000),
            labels: (0..<2000).map { $0 % 10 })
        let set = RotatedImages(pictures, law: law, seed: 9)
        for label in 0..<10 {
            let angles = (0..<2000).filter { $0 % 10 == label }.map { set.centredAngles[$0] }
            let half = 18 * Double(label)
            #expect(angles.allSatisfy { abs($0) <= half })
            #expect(angles.map(abs).max() ?? 0 >= 0.9 * half)
            for i in (0..<2000) where i % 10 == label {
                let moved = SymmetryPose.wrap(
                    set.angles[i] - set.centredAngles[i] - RotationLaw.standardOffsets[label])
                #expect(abs(moved) < 1e-9)
            }
        }
        // A picture's angle depends on its own number and the seed alone.
        let again = RotatedImages(
            GreyImages(side: 2, pixels: [0, 0, 0, 0], labels: [7]), law: law, seed: 9,
            identifiers: [17])
        #expect(again.angles[0] == set.angles[17])
        #expect(SymmetryLaw.cyclic(order: 4).excludes(47))
        #expect(!SymmetryLaw.cyclic(order: 4).excludes(-93))
        #expect(SymmetryLaw.uniform(halfWidth: 30).excludes(-31))
    }
}
