// Normalisation on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func groupNorm(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float, silu: Bool
    ) -> (y: Tensor, statistics: Tensor) {
        preconditionFailure("groupNorm is not there on CUDA")
    }

    public func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor) {
        preconditionFailure("groupNormGradient is not there on CUDA")
    }

    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float
    ) -> (y: Tensor, statistics: Tensor) {
        preconditionFailure("layerNorm is not there on CUDA")
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor) {
        preconditionFailure("layerNormGradient is not there on CUDA")
    }

    public func gatedResidual(_ x: Tensor, _ branch: Tensor, gate: Tensor, share: Int) -> Tensor {
        preconditionFailure("gatedResidual is not there on CUDA")
    }

    public func gatedResidualGradient(_ dy: Tensor, _ branch: Tensor, gate: Tensor, share: Int) -> (
        dbranch: Tensor, dgate: Tensor
    ) {
        preconditionFailure("gatedResidualGradient is not there on CUDA")
    }

    public func l2Normalized(_ x: Tensor, epsilon: Float) -> (y: Tensor, norms: Tensor) {
        preconditionFailure("l2Normalized is not there on CUDA")
    }

    public func l2NormalizedGradient(_ dy: Tensor, y: Tensor, norms: Tensor, epsilon: Float)
        -> Tensor
    {
        preconditionFailure("l2NormalizedGradient is not there on CUDA")
    }
}
