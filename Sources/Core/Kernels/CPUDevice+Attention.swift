// Attention on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, logSumExp: Tensor) {
        let (b, h, l, d) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
        // Heads side by side: the caller's [B, L, H·D] is then a view.
        let output = Tensor.empty([b, l, h, d], device: self).transposed(1, 2)
        let logSumExp = Tensor.empty([b, h, l], device: self)
        if output.count == 0 { return (output, logSumExp) }
        withExtendedLifetime((q.storage, k.storage, v.storage)) {
            withShape(q, k, v, output, scale, intervals) {
                ck_attention_forward(
                    pool, $0, q.floatAddress, k.floatAddress, v.floatAddress, output.floatAddress,
                    logSumExp.floatAddress)
            }
        }
        return (output, logSumExp)
    }

    public func attentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, output: Tensor, logSumExp: Tensor,
        scale: Float, intervals: AttentionIntervals?
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        func empty(like x: Tensor) -> Tensor {
            let s = x.shape
            return Tensor.empty([s[0], s[2], s[1], s[3]], device: self).transposed(1, 2)
        }
        let (dq, dk, dv) = (empty(like: q), empty(like: k), empty(like: v))
        // dy must lie as the output does.
        var aligned = dy
        if dy.strides != output.strides {
            aligned = empty(like: output)
            copy(dy, into: aligned)
        }
        withExtendedLifetime((q.storage, k.storage, v.storage, output.storage, logSumExp.storage)) {
            withShape(q, k, v, output, scale, intervals) {
                ck_attention_backward(
                    pool, $0, q.floatAddress, k.floatAddress, v.floatAddress, output.floatAddress,
                    aligned.floatAddress, logSumExp.floatAddress, dq.floatAddress, ck_rows(dq),
                    dk.floatAddress, dv.floatAddress, ck_rows(dk))
            }
        }
        return (dq, dk, dv)
    }

    private func withShape(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, _ output: Tensor, _ scale: Float,
        _ intervals: AttentionIntervals?, _ body: (UnsafePointer<ck_attention>) -> Void
    ) {
        func run(_ start: UnsafePointer<Int32>?, _ end: UnsafePointer<Int32>?) {
            var shape = ck_attention(
                batch: q.shape[0], heads: q.shape[1], queries: q.shape[2], keys: k.shape[2],
                dim: q.shape[3], scale: scale, start: start, end: end, q_rows: ck_rows(q),
                k_rows: ck_rows(k), v_rows: ck_rows(v), o_rows: ck_rows(output))
            body(&shape)
        }
        guard let intervals else { return run(nil, nil) }
        intervals.start.withUnsafeBufferPointer { start in
            intervals.end.withUnsafeBufferPointer { end in
                run(start.baseAddress, end.baseAddress)
            }
        }
    }
}

extension ck_rows {
    fileprivate init(_ x: Tensor) {
        self.init(batch: x.strides[0], head: x.strides[1], row: x.strides[2])
    }
}
