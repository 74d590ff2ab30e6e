// Losses. SPDX-License-Identifier: Apache-2.0

/// The cross-entropy of each row, log Σ_v e^{logits[n, v]} − logits[n, target[n]], in nats.
///
/// - Parameters:
///   - logits: [N, V].
///   - targets: int32 [N], each in 0 ..< V.
/// - Returns: [N], not averaged.
public func crossEntropy(_ logits: Tensor, targets: Tensor) -> Tensor {
    requireShapes(
        logits.rank == 2 && targets.shape == [logits.shape[0]] && targets.dtype == .int32,
        "crossEntropy", [logits.shape, targets.shape])
    let (logits, targets) = (logits.contiguous(), targets.contiguous())
    let (loss, logSumExp) = logits.device.crossEntropy(logits.detached(), targets)
    return recorded(loss, inputs: [logits]) { dy in
        [
            .init(
                dy.device.crossEntropyGradient(
                    dy.contiguous(), logits.detached(), targets, logSumExp: logSumExp))
        ]
    }
}
