// Normalisation on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func groupNorm(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float, silu: Bool
    ) -> (y: Tensor, statistics: Tensor) {
        let (batch, channels) = (x.shape[0], x.shape[1])
        let y = Tensor.empty(x.shape, device: self)
        let statistics = Tensor.empty([2, batch, groups], device: self)
        withExtendedLifetime((x.storage, weight.storage, bias.storage)) {
            ck_group_norm_forward(
                pool, x.floatAddress, weight.floatAddress, bias.floatAddress, batch, channels,
                x.shape[2...].reduce(1, *), groups, epsilon, silu ? 1 : 0, y.floatAddress,
                statistics.floatAddress, statistics.floatAddress + batch * groups)
        }
        return (y, statistics)
    }

    /// Group normalisation as x · scale + shift for each channel of each picture: [2, B, C].
    func groupNormMap(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float
    ) -> Tensor {
        let (batch, channels) = (x.shape[0], x.shape[1])
        let map = Tensor.empty([2, batch, channels], device: self)
        withExtendedLifetime((x.storage, weight.storage, bias.storage)) {
            ck_group_norm_map(
                pool, x.floatAddress, weight.floatAddress, bias.floatAddress, batch, channels,
                x.shape[2...].reduce(1, *), groups, epsilon, map.floatAddress,
                map.floatAddress + batch * channels)
        }
        return map
    }

    public func groupNormGradient(
        _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, statistics: Tensor,
        groups: Int, silu: Bool
    ) -> (dx: Tensor, dweight: Tensor, dbias: Tensor) {
        let (batch, channels) = (x.shape[0], x.shape[1])
        let dx = Tensor.empty(x.shape, device: self)
        let dweight = Tensor.empty([channels], device: self)
        let dbias = Tensor.empty([channels], device: self)
        withExtendedLifetime(
            (x.storage, dy.storage, weight.storage, bias.storage, statistics.storage)
        ) {
            ck_group_norm_backward(
                pool, x.floatAddress, dy.floatAddress, weight.floatAddress, bias.floatAddress,
                statistics.floatAddress, statistics.floatAddress + batch * groups, batch, channels,
                x.shape[2...].reduce(1, *), groups, silu ? 1 : 0, dx.floatAddress,
                dweight.floatAddress, dbias.floatAddress)
        }
        return (dx, dweight, dbias)
    }

    public func layerNorm(
        _ x: Tensor, gain: Tensor?, offset: Float, shift: Tensor?, share: Int, epsilon: Float
    ) -> (y: Tensor, statistics: Tensor) {
        let (rows, width) = (x.shape[0], x.shape[1])
        let (gain, shift) = (gain?.contiguous(), shift?.contiguous())
        let y = Tensor.empty(x.shape, device: self)
        let statistics = Tensor.empty([2, rows], device: self)
        withExtendedLifetime((x.storage, gain?.storage, shift?.storage)) {
            ck_layer_norm_forward(
                pool, x.floatAddress, rows, width, gain?.floatAddress, offset, shift?.floatAddress,
                share, epsilon, y.floatAddress, statistics.floatAddress,
                statistics.floatAddress + rows)
        }
        return (y, statistics)
    }

    public func layerNormGradient(
        _ dy: Tensor, _ x: Tensor, gain: Tensor?, offset: Float, share: Int, statistics: Tensor
    ) -> (dx: Tensor, dgain: Tensor, dshift: Tensor) {
        let (rows, width) = (x.shape[0], x.shape[1])
        let gain = gain?.contiguous()
        let dx = Tensor.empty(x.shape, device: self)
        let dgain = Tensor.empty([rows / share, width], device: self)
        let dshift = Tensor.empty([rows / share, width], device: self)
        withExtendedLifetime((x.storage, dy.storage, gain?.storage, statistics.storage)) {
            ck_layer_norm_backward(
                pool, x.floatAddress, dy.floatAddress, rows, width, gain?.floatAddress, offset,
                share, statistics.floatAddress, statistics.floatAddress + rows, dx.floatAddress,
                dgain.floatAddress, dshift.floatAddress)
        }
        return (dx, dgain, dshift)
    }

    public func gatedResidual(
        _ x: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> Tensor {
        let gate = gate.contiguous()
        let y = Tensor.empty(x.shape, device: self)
        withExtendedLifetime((x.storage, branch.storage, gate.storage)) {
            ck_gated_residual_forward(
                pool, x.floatAddress, branch.floatAddress, gate.floatAddress, x.shape[0],
                x.shape[1], share, y.floatAddress)
        }
        return y
    }

    public func gatedResidualGradient(
        _ dy: Tensor, _ branch: Tensor, gate: Tensor, share: Int
    ) -> (dbranch: Tensor, dgate: Tensor) {
        let gate = gate.contiguous()
        let dbranch = Tensor.empty(branch.shape, device: self)
        let dgate = Tensor.empty(gate.shape, device: self)
        withExtendedLifetime((dy.storage, branch.storage, gate.storage)) {
            ck_gated_residual_backward(
                pool, dy.floatAddress, branch.floatAddress, gate.floatAddress, dy.shape[0],
                dy.shape[1], share, dbranch.floatAddress, dgate.floatAddress)
        }
        return (dbranch, dgate)
    }

    public func l2Normalized(_ x: Tensor, epsilon: Float) -> (y: Tensor, norms: Tensor) {
        let y = Tensor.empty(x.shape, device: self)
        let norms = Tensor.empty([x.shape[0]], device: self)
        withExtendedLifetime(x.storage) {
            ck_l2_norm_forward(
                pool, x.floatAddress, x.shape[0], x.shape[1], epsilon, y.floatAddress,
                norms.floatAddress)
        }
        return (y, norms)
    }

    public func l2NormalizedGradient(
        _ dy: Tensor, y: Tensor, norms: Tensor, epsilon: Float
    ) -> Tensor {
        let dx = Tensor.empty(y.shape, device: self)
        withExtendedLifetime((dy.storage, y.storage, norms.storage)) {
            ck_l2_norm_backward(
                pool, y.floatAddress, dy.floatAddress, norms.floatAddress, y.shape[0], y.shape[1],
                epsilon, dx.floatAddress)
        }
        return dx
    }
}
