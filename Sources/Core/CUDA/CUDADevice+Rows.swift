// Rows by index, nearest rows and sorting on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func gatherRows(_ table: Tensor, _ indices: Tensor) -> Tensor {
        preconditionFailure("gatherRows is not there on CUDA")
    }

    public func scatterAddRows(_ rows: Tensor, _ indices: Tensor, count: Int) -> Tensor {
        preconditionFailure("scatterAddRows is not there on CUDA")
    }

    public func nearestRows(_ z: Tensor, _ table: Tensor) -> Tensor {
        preconditionFailure("nearestRows is not there on CUDA")
    }

    public func argsort(_ x: Tensor, descending: Bool) -> Tensor {
        preconditionFailure("argsort is not there on CUDA")
    }
}
