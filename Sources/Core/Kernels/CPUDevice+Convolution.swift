// Convolution on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func convolution2D(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        var shape = convolutionShape(x.shape, weight.shape, geometry)
        let result = Tensor.empty(
            geometry.outputShape(input: x.shape, weight: weight.shape), device: self)
        withExtendedLifetime((x.storage, weight.storage, bias?.storage)) {
            ck_convolution_forward(
                pool, &shape, x.floatAddress, weight.floatAddress, bias?.floatAddress,
                result.floatAddress)
        }
        return result
    }

    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        if case .groupNorm = prologue {
            return composedConvolution2D(x, prologue, weight, bias, residual: residual, geometry)
        }
        var input = x.shape
        if case .upsampledNearest2x = prologue { input[2...] = [2 * input[2], 2 * input[3]] }
        var shape = convolutionShape(input, weight.shape, geometry)
        guard ck_convolution_fuses(&shape) != 0 else {
            if residual == nil,
                let y = activatedBands(x, prologue, weight, bias, &shape, geometry)
            {
                return y
            }
            return composedConvolution2D(x, prologue, weight, bias, residual: residual, geometry)
        }
        var fusion = ck_convolution_fusion()
        var map: Tensor?
        switch prologue {
        case .none, .groupNorm: break
        case .upsampledNearest2x: fusion.upsampled = 1
        case .groupNormSiLU(let gain, let shift, let groups, let epsilon):
            let both = groupNormMap(x, gain, shift, groups: groups, epsilon: epsilon)
            fusion.scale = UnsafePointer(both.floatAddress)
            fusion.shift = UnsafePointer(both.floatAddress + both.count / 2)
            map = both
        case .scaledSiLU(let scale, let shift):
            fusion.scale = UnsafePointer(scale.floatAddress)
            fusion.shift = UnsafePointer(shift.floatAddress)
        }
        fusion.residual = residual.map { UnsafePointer($0.floatAddress) }
        let result = Tensor.empty(
            geometry.outputShape(input: input, weight: weight.shape), device: self)
        withExtendedLifetime(
            (x.storage, weight.storage, bias?.storage, residual?.storage, map?.storage, prologue)
        ) {
            ck_convolution_fused(
                pool, &shape, x.floatAddress, weight.floatAddress, bias?.floatAddress, &fusion,
                result.floatAddress)
        }
        return result
    }

    public func convolution2DInputGradient(
        _ dy: Tensor, _ weight: Tensor, shape inputShape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        var shape = convolutionShape(inputShape, weight.shape, geometry)
        let result = Tensor.empty(inputShape, device: self)
        withExtendedLifetime((dy.storage, weight.storage)) {
            ck_convolution_backward_data(
                pool, &shape, dy.floatAddress, weight.floatAddress, result.floatAddress)
        }
        return result
    }

    public func convolution2DWeightGradient(
        _ dy: Tensor, _ x: Tensor, shape weightShape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        var shape = convolutionShape(x.shape, weightShape, geometry)
        let result = Tensor.empty(weightShape, device: self)
        withExtendedLifetime((dy.storage, x.storage)) {
            ck_convolution_backward_weight(
                pool, &shape, x.floatAddress, dy.floatAddress, result.floatAddress)
        }
        return result
    }

    public func channelSums(_ dy: Tensor) -> Tensor {
        var shape = ck_convolution()
        shape.batch = dy.shape[0]
        shape.outputs = dy.shape[1]
        shape.out_height = dy.shape[2]
        shape.out_width = dy.shape[3]
        let result = Tensor.empty([dy.shape[1]], device: self)
        withExtendedLifetime(dy.storage) {
            ck_convolution_backward_bias(pool, &shape, dy.floatAddress, result.floatAddress)
        }
        return result
    }
}

extension CPUDevice {
    fileprivate func convolutionShape(
        _ input: [Int], _ weight: [Int], _ geometry: ConvolutionGeometry
    ) -> ck_convolution {
        let output = geometry.outputShape(input: input, weight: weight)
        return ck_convolution(
            batch: input[0], channels: input[1], height: input[2], width: input[3],
            outputs: weight[0], kernel_height: weight[2], kernel_width: weight[3],
            out_height: output[2], out_width: output[3], stride: geometry.stride,
            top: geometry.padding.top, left: geometry.padding.left, groups: geometry.groups,
            direct: transformsConvolutions ? 0 : 1)
    }
}
