// Attention on CUDA in float32, and which path is taken. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Queries and keys of a tile, as `attention.cu` has it.
    private static let tile = 32
    /// The largest head size of the kernels.
    private static let largestHead = 256

    public func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float, intervals: AttentionIntervals?
    ) -> (output: Tensor, logSumExp: Tensor) {
        if usesTensorCores(q, k) {
            return tiledAttention(q, k, v, scale: scale, intervals: intervals)
        }
        let (b, h, l, d) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
        if isWide(q, k, intervals) {
            requireShapes(intervals == nil, "attention on CUDA, a wide head's mask", [q.shape])
            return wideAttention(q, k, v, scale: scale)
        }
        let (q, k, v) = (q.cast(to: .float32), k.cast(to: .float32), v.cast(to: .float32))
        // Heads side by side: the caller's [B, L, H·D] is then a view.
        let output = Tensor.empty([b, l, h, d], device: self).transposed(1, 2)
        let logSumExp = Tensor.empty([b, h, l], device: self)
        if output.count == 0 { return (output, logSumExp) }
        let bounds = bounds(intervals)
        launchTiles(
            "attention_forward", rows: l, pairs: b * h, matrices: 3, dim: d,
            [.tensor(q), .tensor(k), .tensor(v), .tensor(output), .tensor(logSumExp)] + bounds
                + [.int(h), .int(l), .int(k.shape[2]), .int(d), .float(scale)] + strides(q)
                + strides(k) + strides(v) + strides(output))
        return (output, logSumExp)
    }

    public func attentionGradient(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, output: Tensor, logSumExp: Tensor,
        scale: Float, intervals: AttentionIntervals?
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        let (dq, dk, dv) = (emptyRows(like: q), emptyRows(like: k), emptyRows(like: v))
        if q.count == 0 || k.count == 0 {
            for x in [dq, dk, dv] { clear(x.storage) }
            return (dq, dk, dv)
        }
        if usesTensorCores(q, k) {
            tiledAttentionGradient(
                dy, q, k, v, output: output, logSumExp: logSumExp, scale: scale,
                intervals: intervals, into: (dq, dk, dv))
            return (dq, dk, dv)
        }
        if isWide(q, k, intervals) {
            wideAttentionGradient(dy, q, k, v, scale: scale, into: (dq, dk, dv))
            return (dq, dk, dv)
        }
        // dy must lie as the output does.
        var aligned = dy
        if dy.strides != output.strides {
            aligned = emptyRows(like: output)
            copy(dy, into: aligned)
        }
        let (b, h, l, d) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
        let keys = k.shape[2]
        let delta = Tensor.empty([b, h, l], device: self)
        launch(
            kernel("attention_delta", in: .attention), grid: ((l + 7) / 8, b * h, 1),
            block: (256, 1, 1),
            [
                .tensor(output), .tensor(aligned), .tensor(delta), .int(h), .int(l), .int(d),
            ] + strides(output))
        let bounds = bounds(intervals)
        let read: [CUDAArgument] = [
            .tensor(q), .tensor(k), .tensor(v), .tensor(aligned), .tensor(logSumExp),
            .tensor(delta),
        ]
        let sizes: [CUDAArgument] = [.int(h), .int(l), .int(keys), .int(d), .float(scale)]
        let layout = strides(q) + strides(k) + strides(v) + strides(output)
        launchTiles(
            "attention_dq", rows: l, pairs: b * h, matrices: 4, dim: d,
            read + [.tensor(dq)] + bounds + sizes + layout + strides(dq))
        launchTiles(
            "attention_dkv", rows: keys, pairs: b * h, matrices: 4, dim: d,
            read + [.tensor(dk), .tensor(dv)] + bounds + sizes + layout + strides(dk))
        return (dq, dk, dv)
    }

    /// Whether attention runs as two large products: heads beyond the kernels, and in bf16 those that the tensor
    /// cores' tiles do not take either, over few positions.
    private func isWide(_ q: Tensor, _ k: Tensor, _ intervals: AttentionIntervals?) -> Bool {
        if q.shape[3] > Self.largestHead { return true }
        let weights = q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2]
        return precision == .bfloat16 && intervals == nil && q.shape[3] > 128
            && weights <= 1 << 26
    }

    /// A float32 tensor [B, H, L, D] whose heads lie side by side.
    func emptyRows(like x: Tensor) -> Tensor {
        let s = x.shape
        return Tensor.empty([s[0], s[2], s[1], s[3]], device: self).transposed(1, 2)
    }

    /// One block of 256 threads for every 32 rows of every head.
    private func launchTiles(
        _ name: String, rows: Int, pairs: Int, matrices: Int, dim: Int, _ arguments: [CUDAArgument]
    ) {
        launch(
            kernel(name, in: .attention),
            grid: ((rows + Self.tile - 1) / Self.tile, pairs, 1), block: (256, 1, 1),
            shared: 4 * matrices * Self.tile * (dim | 1), arguments)
    }

    /// Starts and ends of the intervals in the device's memory; none for all keys.
    private func bounds(_ intervals: AttentionIntervals?) -> [CUDAArgument] {
        guard let intervals else { return [.pointer(0), .pointer(0)] }
        let count = intervals.start.count
        let start = Tensor(int32: intervals.start, shape: [count], device: self)
        let end = Tensor(int32: intervals.end, shape: [count], device: self)
        keepForCapture([start, end])
        return [.tensor(start), .tensor(end)]
    }

    func strides(_ x: Tensor) -> [CUDAArgument] {
        [.long(x.strides[0]), .long(x.strides[1]), .long(x.strides[2])]
    }
}
