// Attention on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, logSumExp: Tensor) {
        preconditionFailure("attention is not there on CUDA")
    }

    public func attentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, output: Tensor, logSumExp: Tensor,
        scale: Float, intervals: AttentionIntervals?
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        preconditionFailure("attentionGradient is not there on CUDA")
    }
}
