// Softmax and cross-entropy on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    private typealias RowKernel = (
        OpaquePointer?, UnsafePointer<Float>?, Int, Int, UnsafeMutablePointer<Float>?
    ) -> Void
    private typealias RowGradientKernel = (
        OpaquePointer?, UnsafePointer<Float>?, UnsafePointer<Float>?, Int, Int,
        UnsafeMutablePointer<Float>?
    ) -> Void

    private func rows(_ x: Tensor, _ kernel: RowKernel) -> Tensor {
        let result = Tensor.empty(x.shape, device: self)
        let width = x.shape[x.rank - 1]
        if x.count == 0 { return result }
        withExtendedLifetime(x.storage) {
            kernel(pool, x.floatAddress, x.count / width, width, result.floatAddress)
        }
        return result
    }

    private func rows(_ y: Tensor, _ dy: Tensor, _ kernel: RowGradientKernel) -> Tensor {
        let result = Tensor.empty(y.shape, device: self)
        let width = y.shape[y.rank - 1]
        if y.count == 0 { return result }
        withExtendedLifetime((y.storage, dy.storage)) {
            kernel(
                pool, y.floatAddress, dy.floatAddress, y.count / width, width, result.floatAddress)
        }
        return result
    }

    public func softmax(_ x: Tensor) -> Tensor { rows(x, ck_softmax_forward) }
    public func softmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        rows(y, dy, ck_softmax_backward)
    }
    public func logSoftmax(_ x: Tensor) -> Tensor { rows(x, ck_log_softmax_forward) }
    public func logSoftmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        rows(y, dy, ck_log_softmax_backward)
    }

    public func crossEntropy(
        _ logits: Tensor, _ targets: Tensor
    ) -> (loss: Tensor, logSumExp: Tensor) {
        let rows = logits.shape[0]
        let loss = Tensor.empty([rows], device: self)
        let logSumExp = Tensor.empty([rows], device: self)
        withExtendedLifetime((logits.storage, targets.storage)) {
            requireIndices(targets, below: logits.shape[1], "crossEntropy")
            ck_cross_entropy_forward(
                pool, logits.floatAddress, targets.int32Address, rows, logits.shape[1],
                loss.floatAddress, logSumExp.floatAddress)
        }
        return (loss, logSumExp)
    }

    public func crossEntropyGradient(
        _ dloss: Tensor, _ logits: Tensor, _ targets: Tensor, logSumExp: Tensor
    ) -> Tensor {
        let result = Tensor.empty(logits.shape, device: self)
        withExtendedLifetime((dloss.storage, logits.storage, targets.storage, logSumExp.storage)) {
            ck_cross_entropy_backward(
                pool, logits.floatAddress, targets.int32Address, logSumExp.floatAddress,
                dloss.floatAddress, logits.shape[0], logits.shape[1], result.floatAddress)
        }
        return result
    }

    /// Stops before a kernel would read outside a table.
    func requireIndices(_ indices: Tensor, below bound: Int, _ operation: StaticString) {
        let values = UnsafeBufferPointer(start: indices.int32Address, count: indices.count)
        for index in values where index < 0 || Int(index) >= bound {
            preconditionFailure("\(operation): index \(index) outside 0..<\(bound)")
        }
    }
}
