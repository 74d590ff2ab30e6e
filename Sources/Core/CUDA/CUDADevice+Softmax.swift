// Softmax and cross-entropy on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Runs a kernel of one block a row; the last argument is the row's length.
    private func launchRows(
        _ name: String, rows: Int, width: Int, _ first: CUDAArgument, _ second: CUDAArgument,
        _ third: CUDAArgument? = nil, _ fourth: CUDAArgument? = nil, _ fifth: CUDAArgument? = nil
    ) {
        let threads = width <= 256 ? 32 : width <= 1024 ? 128 : 256
        let tensors = [first, second] + [third, fourth, fifth].compactMap { $0 }
        launch(
            kernel(name, in: .softmax), grid: (rows, 1, 1), block: (threads, 1, 1),
            tensors + [.int(width)])
    }

    private func rows(_ x: Tensor) -> (count: Int, width: Int) {
        let width = x.shape[x.rank - 1]
        return (x.count / max(1, width), width)
    }

    public func softmax(_ x: Tensor) -> Tensor { transformed(x, "softmax") }
    public func softmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        gradient(dy, y, "softmax_gradient")
    }
    public func logSoftmax(_ x: Tensor) -> Tensor { transformed(x, "log_softmax") }
    public func logSoftmaxGradient(_ dy: Tensor, y: Tensor) -> Tensor {
        gradient(dy, y, "log_softmax_gradient")
    }

    private func transformed(_ x: Tensor, _ name: String) -> Tensor {
        let x = vectorAligned(x)
        let result = Tensor.empty(x.shape, device: self)
        let (count, width) = rows(x)
        launchRows(name, rows: count, width: width, .tensor(x), .tensor(result))
        return result
    }

    private func gradient(_ dy: Tensor, _ y: Tensor, _ name: String) -> Tensor {
        let result = Tensor.empty(y.shape, device: self)
        let (count, width) = rows(y)
        launchRows(
            name, rows: count, width: width, .tensor(dy), .tensor(y), .tensor(result))
        return result
    }

    public func crossEntropy(
        _ logits: Tensor, _ targets: Tensor
    ) -> (loss: Tensor, logSumExp: Tensor) {
        let logits = readable(logits)
        let rows = logits.shape[0]
        let loss = Tensor.empty([rows], device: self)
        let logSumExp = Tensor.empty([rows], device: self)
        launchRows(
            logits.dtype == .bfloat16 ? "cross_entropy_bf16" : "cross_entropy", rows: rows,
            width: logits.shape[1], .tensor(logits),
            .tensor(targets), .tensor(loss), .tensor(logSumExp))
        return (loss, logSumExp)
    }

    public func crossEntropyGradient(
        _ dloss: Tensor, _ logits: Tensor, _ targets: Tensor, logSumExp: Tensor
    ) -> Tensor {
        let readable = readable(logits)
        let isNarrow = readable.dtype == .bfloat16
        let result = Tensor.empty(readable.shape, dtype: readable.dtype, device: self)
        launchRows(
            isNarrow ? "cross_entropy_gradient_bf16" : "cross_entropy_gradient",
            rows: logits.shape[0], width: logits.shape[1], .tensor(dloss), .tensor(readable),
            .tensor(targets), .tensor(logSumExp), .tensor(result))
        return logits.dtype == readable.dtype ? result : cast(result, to: logits.dtype)
    }

    /// Logits as a kernel takes them: in bfloat16 only rows of whole 16-byte words.
    private func readable(_ logits: Tensor) -> Tensor {
        let isWhole = logits.dtype == .float32 || logits.shape[1] % 8 == 0
        return vectorAligned(isWhole ? logits : cast(logits, to: .float32))
    }
}
