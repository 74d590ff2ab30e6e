// Softmax and log-softmax. SPDX-License-Identifier: Apache-2.0

/// e^x / Σ e^x along an axis.
///
/// Numerics: the largest value is subtracted first; sums in f32 lanes, blocks in f64. A row of −∞ alone
/// becomes zeros, where PyTorch gives NaN.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
    alongLastAxis(x, axis) { x in
        let x = x.contiguous()
        let y = x.device.softmax(x.detached())
        return recorded(y, inputs: [x]) { dy in
            [.init(dy.device.softmaxGradient(dy.contiguous(), y: y))]
        }
    }
}

/// x − log Σ e^x along an axis.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
    alongLastAxis(x, axis) { x in
        let x = x.contiguous()
        let y = x.device.logSoftmax(x.detached())
        return recorded(y, inputs: [x]) { dy in
            [.init(dy.device.logSoftmaxGradient(dy.contiguous(), y: y))]
        }
    }
}
