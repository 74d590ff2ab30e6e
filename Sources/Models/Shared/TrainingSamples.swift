// Pictures that a transformer makes while it is trained.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Samples of the first classes from fixed seeds, so that pictures of different steps compare.
struct TrainingSamples {
    let tokenizer: VQVAE
    let classCount: Int
    let seed: UInt64
    /// Mask steps of every scale; 0 for networks without a mask tower.
    var maskSteps = 0

    private static let count = 16
    private static let guidance = 1.5

    /// - Parameter predictor: the network's side for labels and guidance.
    /// - Throws: `CancellationError`, ``SamplingError``.
    func pictures(
        cancellation: Cancellation,
        _ predictor: (_ labels: [Int32], _ cfg: Double) throws -> any ScalePredictor
    ) throws -> TrainingPictures {
        let patchNums = tokenizer.configuration.patchNums
        let labels = (0..<Self.count).map { Int32($0 % max(1, classCount)) }
        let schedule = SamplingSchedule.generated(
            patchNums: patchNums, maskSteps: patchNums.map { $0 == 1 ? 0 : maskSteps })
        var generation = ScaleGeneration(
            plan: .init(
                batch: Self.count, rows: schedule.rows, topK: try TopK(0), topP: try TopP(0),
                refines: maskSteps > 0),
            predictor: try predictor(labels, Self.guidance), quantizer: tokenizer.quantizer,
            sampler: RandomSampler(seed: seed, batch: Self.count),
            observer: CancellableObserver(cancellation: cancellation))
        let fhat = try generation.run().fhat
        return TrainingPictures(
            title: "samples of classes 0 to \(min(Self.count, classCount) - 1)",
            images: tokenizer.decode(fhat).pictures(), columns: 8)
    }
}

/// Ends a generation when it is cancelled and keeps nothing.
private final class CancellableObserver: GenerationObserver {
    private let cancellation: Cancellation

    init(cancellation: Cancellation) { self.cancellation = cancellation }

    func checkpoint() throws { try cancellation.check() }
}
