// A training step of the small class-pose autoencoder, prepared for timing.
// SPDX-License-Identifier: Apache-2.0
import Core
import Models

/// Forward, loss, backward and Adam of ssl-sym's small configuration on pictures of noise.
final class PeerSymmetryStep: PeerWorkload {
    private let training: AutoencoderTraining

    init(batch: Int) throws {
        guard batch <= 4096 else { throw InputError("batch is \(batch); give 1 to 4096.") }
        var generator = RandomGenerator(seed: 3)
        let images = GreyImages(
            side: 28, pixels: (0..<(2 * batch * 784)).map { _ in generator.nextFloat() },
            labels: [Int](repeating: -1, count: 2 * batch))
        var optimizer = OptimizerConfiguration(
            learningRate: 2e-3, steps: 1 << 20, warmUpSteps: 1, weightDecay: 0, beta2: 0.999,
            clipNorm: 1000, averageDecay: 0)
        optimizer.hold = 1
        training = try AutoencoderTraining(
            AutoencoderTrainingConfiguration(
                model: .small, optimizer: optimizer, batch: batch, seed: 1, heldOutShare: 0),
            images: images)
    }

    func run(_ request: PeerRequest) throws -> PeerAnswer {
        let loss = try training.advance().first?.value ?? 0
        let trained = training.network.parameters.filter(\.isTrainable)
        return PeerAnswer(figures: [
            "loss": loss,
            "parameters": Double(trained.reduce(0) { $0 + $1.value.count }),
        ])
    }
}
