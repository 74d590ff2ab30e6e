// Resizing and pooling on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func resized(_ x: Tensor, height: Int, width: Int, method: ResizeMethod) -> Tensor {
        preconditionFailure("resized is not there on CUDA")
    }

    public func resizedGradient(_ dy: Tensor, height: Int, width: Int, method: ResizeMethod)
        -> Tensor
    {
        preconditionFailure("resizedGradient is not there on CUDA")
    }

    public func upsampledNearest2x(_ x: Tensor) -> Tensor {
        preconditionFailure("upsampledNearest2x is not there on CUDA")
    }

    public func upsampledNearest2xGradient(_ dy: Tensor) -> Tensor {
        preconditionFailure("upsampledNearest2xGradient is not there on CUDA")
    }

    public func maxPool2D(_ x: Tensor, size: Int, stride: Int) -> (
        values: Tensor, positions: Tensor
    ) {
        preconditionFailure("maxPool2D is not there on CUDA")
    }

    public func maxPool2DGradient(_ dy: Tensor, positions: Tensor, shape: [Int]) -> Tensor {
        preconditionFailure("maxPool2DGradient is not there on CUDA")
    }

    public func averagePool2D(_ x: Tensor, size: Int, stride: Int) -> Tensor {
        preconditionFailure("averagePool2D is not there on CUDA")
    }

    public func averagePool2DGradient(_ dy: Tensor, shape: [Int], size: Int, stride: Int) -> Tensor
    {
        preconditionFailure("averagePool2DGradient is not there on CUDA")
    }
}
