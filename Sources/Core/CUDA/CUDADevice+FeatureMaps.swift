// Convolutions of a residual network on maps that stay in bf16 with channels last.
// SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Most channels of the group kernels: 256 threads take 8 each.
    private static let mostChannels = 2048

    /// Where a result in the operands' type is asked for and the shapes allow, it is a view [B, O, H, W] of bf16
    /// memory [B, H, W, O]: the form in which the next convolution reads it.
    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry, as dtype: DType
    ) -> Tensor {
        guard hasMappedConvolution, geometry.stride == 1, geometry.groups == 1,
            isMappable(channels: x.shape[1]), let input = normalized(x, prologue)
        else { return composed(x, prologue, weight, bias, residual: residual, geometry) }
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        var isUpsampled = false
        if case .upsampledNearest2x = prologue { isUpsampled = true }
        if isUpsampled, (kh, kw) != (3, 3) || geometry.padding != .same(1) {
            return composed(x, prologue, weight, bias, residual: residual, geometry)
        }
        let (batch, channels, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
        var shape = x.shape
        if isUpsampled { shape = [batch, channels, 2 * shape[2], 2 * shape[3]] }
        shape = geometry.outputShape(input: shape, weight: weight.shape)
        let isNarrow = dtype == .bfloat16 && outputs % 8 == 0
        let result = isNarrow ? emptyMap(shape) : Tensor.empty(shape, device: self)
        if result.count == 0 { return result }
        let packed: Tensor
        var plan = MappedConvolution(
            pixels: input, images: batch, input: (x.shape[2], x.shape[3]),
            channels: (channels + 7) / 8 * 8, outputs: outputs, grid: (shape[2], shape[3]),
            taps: (kh, kw), origin: (-geometry.padding.top, -geometry.padding.left))
        if isUpsampled {
            plan.step = 2
            plan.taps = (2, 2)
            plan.grid = plan.input
            packed = packUpsampledWeight(weight)
        } else {
            packed = packMappedWeight(weight)
        }
        convolve(
            plan, weight: packed, bias: bias, residual: isNarrow ? residual.map(channelsLast) : nil,
            into: result)
        guard !isNarrow, let residual else { return result }
        return binary(.add, planar(residual), result)
    }

    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        fusedConvolution2D(
            x, prologue, weight, bias, residual: residual, geometry, as: .float32)
    }

    private func composed(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        composedConvolution2D(
            planar(x), prologue, weight, bias, residual: residual.map(planar), geometry)
    }

    // MARK: Layouts

    /// [B, C, H, W] over bf16 memory [B, H, W, C].
    private func emptyMap(_ s: [Int]) -> Tensor {
        Tensor.empty([s[0], s[2], s[3], s[1]], dtype: .bfloat16, device: self)
            .permuted([0, 3, 1, 2])
    }

    /// x as bf16 with channels last, filled up to a multiple of 8.
    private func channelsLast(_ x: Tensor) -> Tensor {
        let rows = x.permuted([0, 2, 3, 1])
        guard rows.isContiguous, x.shape[1] % 8 == 0 else {
            return packPixels(planar(x), keeps: false)
        }
        return vectorAligned(rows.dtype == .bfloat16 ? rows : rows.cast(to: .bfloat16))
    }

    /// x as float32 planes.
    private func planar(_ x: Tensor) -> Tensor { x.cast(to: .float32).contiguous() }

    // MARK: Normalisation

    /// The input of the convolution itself with channels last; nil for a prologue without a kernel here.
    private func normalized(_ x: Tensor, _ prologue: ConvolutionPrologue) -> Tensor? {
        switch prologue {
        case .none, .upsampledNearest2x: return channelsLast(x)
        case .groupNorm(let weight, let bias, let groups, let epsilon):
            return normalized(
                x, weight, bias, groups: groups, epsilon: epsilon, activates: false)
        case .groupNormSiLU(let weight, let bias, let groups, let epsilon):
            return normalized(x, weight, bias, groups: groups, epsilon: epsilon, activates: true)
        case .scaledSiLU: return nil
        }
    }

    private func normalized(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, groups: Int, epsilon: Float,
        activates: Bool
    ) -> Tensor? {
        let channels = x.shape[1]
        guard x.dtype == .bfloat16 else {
            // float32 planes are normalised before they are rounded.
            let y = groupNorm(
                x.contiguous(), weight, bias, groups: groups, epsilon: epsilon, silu: activates)
            return packPixels(y.y, keeps: false)
        }
        guard channels % 8 == 0, channels <= Self.mostChannels else { return nil }
        let (batch, pixels, blocks) = (x.shape[0], x.shape[2] * x.shape[3], channels / 8)
        let x = channelsLast(x)
        // Pixels that a block takes at once, and slices of about 16 times as many.
        let rows = 256 / blocks
        let slices = (pixels + 16 * rows - 1) / (16 * rows)
        let summed = max(1, min(slices, 16 * multiprocessors / batch, 512))
        let moments = Tensor.empty([batch, summed, groups, 2], device: self)
        let maps = Tensor.empty([batch, 2, channels], device: self)
        launch(
            kernel("group_maps", in: .channelsLast), grid: (summed, batch, 1),
            block: (256, 1, 1), shared: 4 * 4096, .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(moments), .tensor(maps), .tensor(arrivals(batch)), .int(blocks),
            .int(groups), .int(pixels), .float(epsilon))
        let y = Tensor.empty(x.shape, dtype: .bfloat16, device: self)
        launch(
            kernel("map_channels", in: .channelsLast), grid: (slices, batch, 1),
            block: (256, 1, 1), .tensor(x), .tensor(maps), .tensor(y), .int(blocks),
            .int(pixels), .int(activates ? 1 : 0))
        return y
    }

    // MARK: Weights

    /// bf16 [outputs, taps, channels], channels filled up to whole stages.
    func packMappedWeight(_ weight: Tensor) -> Tensor {
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        return packWeight(
            weight, rows: weight.shape[0], inner: weight.shape[1],
            rowStride: weight.shape[1] * kh * kw, innerStride: kh * kw, taps: (kh, kw),
            first: (0, 0), step: (1, 1), multiple: CUDAMapTile.depth)
    }

    /// bf16 [4 phases, outputs, 2 · 2 taps, channels] of a 3 × 3 kernel behind an upsampling.
    private func packUpsampledWeight(_ weight: Tensor) -> Tensor {
        let (outputs, inner, depth) = (weight.shape[0], weight.shape[1], CUDAMapTile.depth)
        let padded = (inner + depth - 1) / depth * depth
        let shape = [4, outputs, 4, padded]
        let layout = PackedLayout(numbers: [weight.offset, outputs, inner, padded, -2])
        return packed(weight, layout, shape: shape, keeps: true) {
            let result = Tensor.empty(shape, dtype: .bfloat16, device: self)
            launch(
                kernel("pack_upsampled_weights", in: .channelsLast),
                grid: ((result.count + 255) / 256, 1, 1), block: (256, 1, 1), .tensor(weight),
                .tensor(result), .int(outputs), .int(inner), .int(padded))
            return result
        }
    }
}
