// How evenly a batch uses the codebook, as a loss.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The entropy penalty of vector quantization.
///
/// Every row is assigned softly, p(v | row) = softmax_v(−‖row − e_v‖² / τ). The penalty is the mean
/// entropy of the rows' own assignments less the entropy of the mean assignment, in units of log V: it
/// is lowest, −1, where every row is sure and all codes are used equally often.
///
/// Source: Yu et al., "Language Model Beats Diffusion" (MAGVIT-v2), arXiv 2310.05737, section 3.1;
/// τ is ours: a tenth of the batch's mean squared distance to the nearest code, so that a scale of
/// small residuals is judged like one of large ones.
public enum CodeEntropy {
    /// What learns from the penalty.
    ///
    /// Through the encoder it can blow features up: the temperature follows their scale, so nothing
    /// in the penalty holds them back (at weight 0.2 a tokenizer's loss rose twentyfold).
    public enum Reach: String, CaseIterable, Sendable, Codable {
        case codebook
        case codebookAndEncoder = "codebook_and_encoder"
    }

    /// τ in mean squared distances to the nearest code.
    private static let relativeTemperature: Float = 0.1

    /// - Parameters:
    ///   - rows: [N, Z], with history.
    ///   - codebook: [V, Z], with history.
    ///   - codes: the nearest code of every row, int32, N in all.
    ///   - parallel: processes that have as many further rows each; the penalty and its gradient are
    ///     those of all rows, once the processes' gradients are averaged.
    /// - Returns: a scalar from −1 to 1.
    static func penalty(
        rows: Tensor, codebook: Tensor, codes: Tensor, parallel: DataParallel = .single
    ) -> Tensor {
        let temperature = withoutGradients {
            let chosen = embedding(codebook.detached(), indices: codes.reshaped([rows.shape[0]]))
            let distance = (rows.detached() - chosen).square().sum(axes: [-1]).mean()
            parallel.group.average([distance])
            return distance * relativeTemperature + 1e-12
        }
        // ‖row‖² is the same for all codes, so the softmax does not see it.
        let scores =
            (matmul(rows, codebook.transposed(0, 1)) * 2 - codebook.square().sum(axes: [-1]))
            / temperature
        let logarithms = logSoftmax(scores)
        let assignment = logarithms.exp()
        let own = (assignment * logarithms).sum(axes: [-1]).mean()
        var mean = assignment.mean(axes: [0])
        if !parallel.isAlone {
            // The value of all rows, the gradient of this process's.
            mean =
                mean
                + withoutGradients {
                    let all = mean.detached().copied()
                    parallel.group.average([all])
                    return all - mean.detached()
                }
        }
        let shared = (mean * (mean + 1e-9).log()).sum()
        return (shared - own) * (1 / Foundation.log(Float(codebook.shape[0])))
    }
}
