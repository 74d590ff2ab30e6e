// Attention of heads too wide for the tiled kernels. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// softmax(scale · q kᵀ) v by products, the L × M matrix of weights in memory.
    ///
    /// The one head of a convolutional decoder is as wide as its map has channels (640 at published
    /// size), over few positions: two large products are faster there than tiles would be.
    func wideAttention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float
    ) -> (output: Tensor, logSumExp: Tensor) {
        let (b, h, l, d) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
        // In a chain of products in 16 bits the output stays so, too.
        if h == 1, q.dtype == .bfloat16 {
            let output = matmul(weights(q, k, scale: scale), v, as: .bfloat16)
            return (output, Tensor.empty([b, h, 0], device: self))
        }
        let output = Tensor.empty([b, l, h, d], device: self).transposed(1, 2)
        if output.count > 0 { copy(matmul(weights(q, k, scale: scale), v), into: output) }
        // The gradient makes the weights again: it has no use for their sums.
        return (output, Tensor.empty([b, h, 0], device: self))
    }

    /// The gradients of ``wideAttention(_:_:_:scale:)``, into `gradients`.
    func wideAttentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float,
        into gradients: (dq: Tensor, dk: Tensor, dv: Tensor)
    ) {
        let weights = weights(q, k, scale: scale)
        let dWeights = matmul(dy, v.transposed(2, 3))
        let dScores = scaled(softmaxGradient(dWeights, y: weights), by: scale)
        copy(matmul(dScores, k), into: gradients.dq)
        copy(matmul(dScores.transposed(2, 3), q), into: gradients.dk)
        copy(matmul(weights.transposed(2, 3), dy), into: gradients.dv)
    }

    private func weights(_ q: Tensor, _ k: Tensor, scale: Float) -> Tensor {
        softmax(scaled(matmul(q, k.transposed(2, 3)), by: scale))
    }

    private func scaled(_ x: Tensor, by scale: Float) -> Tensor {
        scale == 1 ? x : binary(.multiply, x, full([1], scale))
    }
}
