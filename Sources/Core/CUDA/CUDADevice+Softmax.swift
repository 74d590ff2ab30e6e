// Softmax and cross-entropy on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func softmax(_ x: Tensor) -> Tensor {
        preconditionFailure("softmax is not there on CUDA")
    }

    public func softmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        preconditionFailure("softmaxGradient is not there on CUDA")
    }

    public func logSoftmax(_ x: Tensor) -> Tensor {
        preconditionFailure("logSoftmax is not there on CUDA")
    }

    public func logSoftmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        preconditionFailure("logSoftmaxGradient is not there on CUDA")
    }

    public func crossEntropy(_ logits: Tensor, _ targets: Tensor) -> (
        loss: Tensor, logSumExp: Tensor
    ) {
        preconditionFailure("crossEntropy is not there on CUDA")
    }

    public func crossEntropyGradient(
        _ dloss: Tensor, _ logits: Tensor, _ targets: Tensor, logSumExp: Tensor
    ) -> Tensor {
        preconditionFailure("crossEntropyGradient is not there on CUDA")
    }
}
