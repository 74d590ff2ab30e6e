// Convolution on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func convolution2D(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        preconditionFailure("convolution2D is not there on CUDA")
    }

    public func convolution2DInputGradient(
        _ dy: Tensor, _ weight: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        preconditionFailure("convolution2DInputGradient is not there on CUDA")
    }

    public func convolution2DWeightGradient(
        _ dy: Tensor, _ x: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        preconditionFailure("convolution2DWeightGradient is not there on CUDA")
    }

    public func channelSums(_ dy: Tensor) -> Tensor {
        preconditionFailure("channelSums is not there on CUDA")
    }
}
