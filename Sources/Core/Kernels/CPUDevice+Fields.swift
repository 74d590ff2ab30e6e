// Scalar and vector fields, and rotation, on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func fieldStatistics(
        _ x: Tensor, _ type: FieldType, running: FieldMoments, momentum: Float?, epsilon: Float
    ) -> Tensor {
        let statistics = Tensor.empty([2, type.count], device: self)
        var fields = layout(x, type)
        fields.epsilon = epsilon
        withExtendedLifetime((x.storage, running)) {
            ck_field_statistics(
                pool, &fields, x.floatAddress, momentum ?? -1, running.mean.floatAddress,
                running.variance.floatAddress, running.vectorVariance.floatAddress,
                statistics.floatAddress)
        }
        return statistics
    }

    public func fieldNorm(
        _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool
    ) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        var fields = layout(x, type, weights, activates: activates)
        withExtendedLifetime((x.storage, weights, statistics.storage)) {
            ck_field_norm_forward(
                pool, &fields, x.floatAddress, statistics.floatAddress, y.floatAddress)
        }
        return y
    }

    public func fieldNormGradient(
        _ dy: Tensor, _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool, ofBatch: Bool
    ) -> (dx: Tensor, dweights: FieldWeights) {
        let dx = Tensor.empty(x.shape, device: self)
        let gradients = weights.map { Tensor.empty($0.shape, device: self) }
        var fields = layout(x, type, weights, activates: activates)
        withExtendedLifetime((x.storage, dy.storage, weights, statistics.storage)) {
            ck_field_norm_backward(
                pool, &fields, x.floatAddress, dy.floatAddress, statistics.floatAddress,
                ofBatch ? 1 : 0, dx.floatAddress, gradients.weight.floatAddress,
                gradients.bias.floatAddress, gradients.vectorWeight.floatAddress,
                gradients.logBias.floatAddress)
        }
        return (dx, gradients)
    }

    private func layout(
        _ x: Tensor, _ type: FieldType, _ weights: FieldWeights? = nil, activates: Bool = false
    ) -> ck_fields {
        ck_fields(
            batch: x.shape[0], scalars: type.scalars, vectors: type.vectors,
            pixels: x.shape[2...].reduce(1, *), weight: weights?.weight.floatAddress,
            bias: weights?.bias.floatAddress, vector_weight: weights?.vectorWeight.floatAddress,
            log_bias: weights?.logBias.floatAddress, epsilon: 0, activates: activates ? 1 : 0)
    }

    public func basisExpansion(
        _ weights: Tensor, _ basis: Tensor, blocks: [BasisBlock], shape: [Int]
    ) -> Tensor {
        let filter = Tensor.zeros(shape, device: self)
        withExtendedLifetime((weights.storage, basis.storage)) {
            for block in blocks {
                var layout = ck_basis_block(block)
                ck_basis_expand(
                    &layout, weights.floatAddress, basis.floatAddress, shape[1],
                    shape[2] * shape[3], filter.floatAddress)
            }
        }
        return filter
    }

    public func basisExpansionGradient(
        _ dfilter: Tensor, _ basis: Tensor, blocks: [BasisBlock], count: Int
    ) -> Tensor {
        let dweights = Tensor.zeros([count], device: self)
        let shape = dfilter.shape
        withExtendedLifetime((dfilter.storage, basis.storage)) {
            for block in blocks {
                var layout = ck_basis_block(block)
                ck_basis_project(
                    &layout, dfilter.floatAddress, basis.floatAddress, shape[1],
                    shape[2] * shape[3], dweights.floatAddress)
            }
        }
        return dweights
    }

    public func rotated(_ x: Tensor, _ u: Tensor) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        withExtendedLifetime((x.storage, u.storage)) {
            ck_rotate_forward(
                pool, x.floatAddress, u.floatAddress, x.shape[0], x.shape[1], x.shape[2],
                y.floatAddress)
        }
        return y
    }

    public func rotatedGradient(
        _ dy: Tensor, _ x: Tensor, _ u: Tensor, wantsInput: Bool
    ) -> (dx: Tensor?, du: Tensor) {
        let dx = wantsInput ? Tensor.empty(x.shape, device: self) : nil
        let du = Tensor.empty(u.shape, device: self)
        withExtendedLifetime((x.storage, u.storage, dy.storage)) {
            ck_rotate_backward(
                pool, x.floatAddress, u.floatAddress, dy.floatAddress, x.shape[0], x.shape[1],
                x.shape[2], dx?.floatAddress, du.floatAddress)
        }
        return (dx, du)
    }
}

extension ck_basis_block {
    fileprivate init(_ block: BasisBlock) {
        self.init(
            out_start: block.outputs.start, out_fields: block.outputs.count,
            out_size: block.outputs.size, in_start: block.inputs.start,
            in_fields: block.inputs.count, in_size: block.inputs.size, elements: block.elements,
            weight_start: block.weightStart, basis_start: block.basisStart)
    }
}
