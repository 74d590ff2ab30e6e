// The next-scale loss and its figures per scale.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Cross-entropy of teacher-forced logits.
struct NextScaleLoss {
    /// Cross-entropy of every token in nats, [B, L].
    let crossEntropies: Tensor
    /// mean_B Σ_i w_i·CE_i.
    let loss: Tensor

    /// - Parameters:
    ///   - logits: [B, L, V].
    ///   - tokens: int32 [B, L].
    ///   - weights: one per token of the sequence, length L.
    init(logits: Tensor, tokens: Tensor, weights: [Float]) {
        let (batch, length, vocabulary) = (logits.shape[0], logits.shape[1], logits.shape[2])
        crossEntropies = crossEntropy(
            logits.reshaped([batch * length, vocabulary]),
            targets: tokens.reshaped([batch * length])
        ).reshaped([batch, length])
        loss =
            (crossEntropies * Tensor(weights, shape: [1, length])).sum() * (1 / Float(batch))
    }

    /// Mean cross-entropy per scale, and the share of tokens whose likeliest code is right.
    static func figures(
        logits: Tensor, tokens: Tensor, crossEntropies: Tensor, tokenCounts: [Int]
    ) -> [TrainingMetric] {
        let batch = logits.shape[0]
        let length = logits.shape[1]
        let best = logits.detached().cast(to: .float32).argmax(axis: -1).int32s()
        let truth = tokens.int32s()
        let values = crossEntropies.detached().floats()
        var metrics: [TrainingMetric] = []
        var accuracies: [TrainingMetric] = []
        var start = 0
        for (scale, count) in tokenCounts.enumerated() {
            var (sum, right) = (0.0, 0)
            for picture in 0..<batch {
                for i in (picture * length + start)..<(picture * length + start + count) {
                    sum += Double(values[i])
                    if best[i] == truth[i] { right += 1 }
                }
            }
            let total = Double(batch * count)
            metrics.append(TrainingMetric("ce.\(scale)", sum / total))
            accuracies.append(TrainingMetric("accuracy.\(scale)", Double(right) / total))
            start += count
        }
        return metrics + accuracies
    }
}
