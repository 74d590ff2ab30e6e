// Scalar and vector fields, and rotation, on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func fieldStatistics(
        _ x: Tensor, _ type: FieldType, running: FieldMoments, momentum: Float?, epsilon: Float
    ) -> Tensor {
        let statistics = Tensor.empty([2, type.count], device: self)
        launch(
            kernel("field_statistics", in: .fields), grid: (type.count, 1, 1),
            block: (1024, 1, 1), .tensor(x), filled(running.mean), filled(running.variance),
            filled(running.vectorVariance), .tensor(statistics), .int(x.shape[0]),
            .int(type.scalars), .int(type.vectors), .int(plane(x)), .float(epsilon),
            .float(momentum ?? -1))
        return statistics
    }

    public func fieldNorm(
        _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool
    ) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        let count = x.shape[0] * type.count * plane(x)
        launchOver(
            "field_norm", count,
            [.tensor(x), .tensor(statistics)] + arguments(weights) + [
                .tensor(y), .long(count), .int(type.scalars), .int(type.vectors), .int(plane(x)),
                .int(activates ? 1 : 0),
            ])
        return y
    }

    public func fieldNormGradient(
        _ dy: Tensor, _ x: Tensor, _ type: FieldType, _ weights: FieldWeights, statistics: Tensor,
        activates: Bool, ofBatch: Bool
    ) -> (dx: Tensor, dweights: FieldWeights) {
        let dx = Tensor.empty(x.shape, device: self)
        let gradients = weights.map { Tensor.empty($0.shape, device: self) }
        let sums = Tensor.empty([2, type.count], device: self)
        let count = x.shape[0] * type.count * plane(x)
        let inputs = [.tensor(x), .tensor(dy), .tensor(statistics)] + arguments(weights)
        launch(
            kernel("field_norm_sums", in: .fields), grid: (type.count, 1, 1),
            block: (1024, 1, 1),
            inputs + [
                .tensor(sums), .int(x.shape[0]), .int(type.scalars), .int(type.vectors),
                .int(plane(x)), .int(activates ? 1 : 0),
            ])
        launchOver(
            "field_norm_parameter_gradients", type.count,
            [.tensor(sums), .tensor(statistics)] + arguments(gradients) + [
                .int(type.scalars), .int(type.vectors),
            ])
        launchOver(
            "field_norm_input_gradient", count,
            inputs + [
                .tensor(sums), .tensor(dx), .long(count), .int(type.scalars), .int(type.vectors),
                .int(plane(x)), .int(activates ? 1 : 0),
                .float(ofBatch ? Float(x.shape[0] * plane(x)) : 0),
            ])
        return (dx, gradients)
    }

    public func basisExpansion(
        _ weights: Tensor, _ basis: Tensor, blocks: [BasisBlock], shape: [Int]
    ) -> Tensor {
        let filter = Tensor.zeros(shape, device: self)
        let taps = shape[2] * shape[3]
        for block in blocks where block.weightCount > 0 {
            let count =
                block.outputs.count * block.outputs.size * block.inputs.count * block.inputs.size
                * taps
            launchOver(
                "basis_expand", count,
                part(weights, from: block.weightStart) + part(basis, from: block.basisStart)
                    + [.tensor(filter), .long(count)] + layout(block, shape))
        }
        return filter
    }

    public func basisExpansionGradient(
        _ dfilter: Tensor, _ basis: Tensor, blocks: [BasisBlock], count: Int
    ) -> Tensor {
        let dweights = Tensor.zeros([count], device: self)
        for block in blocks where block.weightCount > 0 {
            launchOver(
                "basis_project", block.weightCount,
                [.tensor(dfilter)] + part(basis, from: block.basisStart)
                    + part(dweights, from: block.weightStart) + [.long(block.weightCount)]
                    + layout(block, dfilter.shape))
        }
        return dweights
    }

    public func rotated(_ x: Tensor, _ u: Tensor) -> Tensor {
        let y = Tensor.empty(x.shape, device: self)
        launchOver(
            "rotate_planes", x.count,
            [
                .tensor(x), .tensor(u), .tensor(y), .long(x.count), .int(x.shape[1]),
                .int(x.shape[2]),
            ])
        return y
    }

    public func rotatedGradient(
        _ dy: Tensor, _ x: Tensor, _ u: Tensor, wantsInput: Bool
    ) -> (dx: Tensor?, du: Tensor) {
        let du = Tensor.empty(u.shape, device: self)
        launch(
            kernel("rotate_planes_angle_gradient", in: .fields), grid: (x.shape[0], 1, 1),
            block: (256, 1, 1), .tensor(x), .tensor(u), .tensor(dy), .tensor(du),
            .int(x.shape[1]), .int(x.shape[2]))
        guard wantsInput else { return (nil, du) }
        let dx = Tensor.empty(x.shape, device: self)
        launchOver(
            "rotate_planes_input_gradient", x.count,
            [
                .tensor(dy), .tensor(u), .tensor(dx), .long(x.count), .int(x.shape[1]),
                .int(x.shape[2]),
            ])
        return (dx, du)
    }

    // MARK: Arguments

    private func plane(_ x: Tensor) -> Int { x.shape[2...].reduce(1, *) }

    /// Kinds of field that a map does not have come without memory.
    private func filled(_ tensor: Tensor) -> CUDAArgument {
        tensor.count == 0 ? .pointer(0) : .tensor(tensor)
    }

    private func arguments(_ weights: FieldWeights) -> [CUDAArgument] {
        weights.tensors.map(filled)
    }

    private func part(_ tensor: Tensor, from start: Int) -> [CUDAArgument] {
        [
            .tensor(
                tensor.reshaped([tensor.count]).narrowed(
                    axis: 0, start: start, length: tensor.count - start))
        ]
    }

    private func layout(_ block: BasisBlock, _ shape: [Int]) -> [CUDAArgument] {
        [
            .int(block.outputs.start), .int(block.outputs.size), .int(block.inputs.start),
            .int(block.inputs.count), .int(block.inputs.size), .int(block.elements),
            .int(shape[1]), .int(shape[2] * shape[3]),
        ]
    }

    /// One thread a result.
    private func launchOver(_ name: String, _ count: Int, _ arguments: [CUDAArgument]) {
        launch(
            kernel(name, in: .fields), grid: ((count + 255) / 256, 1, 1), block: (256, 1, 1),
            arguments)
    }
}
