// Figures of the transformers on held-out tokens.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Measurements that trainings and model cards share.
public enum Evaluation {
    /// Batch size of evaluations.
    static let batch = 64

    /// Loss, cross-entropy and accuracy per scale of teacher-forced logits, without label dropout.
    ///
    /// - Parameter weights: one per token for `loss`.
    /// - Throws: `CancellationError`.
    static func nextScale(
        _ network: NextScaleTransformer, quantizer: Quantizer, tokens: TokenCache,
        weights: [Float], cancellation: Cancellation
    ) throws -> [TrainingMetric] {
        try nextScale(
            quantizer: quantizer, tokens: tokens, weights: weights, cancellation: cancellation
        ) { labels, input in network.logits(labels: labels, nextScaleInput: input) }
    }

    /// The same for any network given by its teacher-forced logits.
    static func nextScale(
        quantizer: Quantizer, tokens: TokenCache, weights: [Float], cancellation: Cancellation,
        logits: ([Int32], Tensor) -> Tensor
    ) throws -> [TrainingMetric] {
        let counts = quantizer.configuration.patchNums.map { $0 * $0 }
        var sums: [(name: String, value: Double)] = []
        try withoutGradients {
            for start in stride(from: 0, to: tokens.count, by: batch) {
                try cancellation.check()
                let indices = Array(start..<min(start + batch, tokens.count))
                let maps = tokens.tokens(indices)
                let output = logits(
                    tokens.labels(indices), quantizer.nextScaleInput(quantizer.split(maps)))
                let result = NextScaleLoss(logits: output, tokens: maps, weights: weights)
                let figures =
                    [TrainingMetric("loss", Double(result.loss.item()))]
                    + NextScaleLoss.figures(
                        logits: output, tokens: maps, crossEntropies: result.crossEntropies,
                        tokenCounts: counts)
                if sums.isEmpty { sums = figures.map { ($0.name, 0) } }
                for (i, figure) in figures.enumerated() {
                    sums[i].value += figure.value * Double(indices.count)
                }
            }
        }
        return sums.map { TrainingMetric($0.name, $0.value / Double(tokens.count)) }
    }

    /// Accuracy at masked positions of scales ≥ 1 for a share γ of masked tokens.
    ///
    /// - Returns: per scale from 1, and over all masked positions under `masked_accuracy`.
    /// - Throws: `CancellationError`.
    static func masked(
        quantizer: Quantizer, tokens: TokenCache, ratio: Double, seed: UInt64,
        cancellation: Cancellation, logits: ([Int32], Tensor, Tensor, [Bool]) -> Tensor
    ) throws -> [TrainingMetric] {
        let patchNums = quantizer.configuration.patchNums
        var right = [Int](repeating: 0, count: patchNums.count)
        var total = [Int](repeating: 0, count: patchNums.count)
        try withoutGradients {
            for start in stride(from: 0, to: tokens.count, by: batch) {
                try cancellation.check()
                let indices = Array(start..<min(start + batch, tokens.count))
                var generator = RandomGenerator(seed: seed, stream: UInt64(start))
                let mask = MaskPattern(
                    patchNums: patchNums, ratio: ratio, generator: &generator)
                let maps = tokens.tokens(indices)
                let split = quantizer.split(maps)
                let best = logits(
                    tokens.labels(indices), quantizer.nextScaleInput(split),
                    quantizer.maskInput(split), mask.flags
                ).argmax(axis: -1).int32s()
                let truth = maps.int32s()
                let length = tokens.length
                for picture in indices.indices {
                    var place = 1
                    for scale in 1..<patchNums.count {
                        for _ in 0..<(patchNums[scale] * patchNums[scale]) {
                            if mask.flags[place - 1] {
                                total[scale] += 1
                                let i = picture * length + place
                                if best[i] == truth[i] { right[scale] += 1 }
                            }
                            place += 1
                        }
                    }
                }
            }
        }
        let all = total.reduce(0, +)
        return [
            TrainingMetric("masked_accuracy", Double(right.reduce(0, +)) / Double(max(1, all)))
        ]
            + (1..<patchNums.count).map {
                TrainingMetric(
                    "masked_accuracy.\($0)", Double(right[$0]) / Double(max(1, total[$0])))
            }
    }
}
