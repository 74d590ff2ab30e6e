// Convolutions of a residual network on maps that stay in bf16 with channels last.
// SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Σ and Σ² over tiles of a map, beside the map itself.
    private static let sumsLayout = PackedLayout(numbers: [-3])
    /// Most channels of the group kernels: 256 threads take 8 each.
    private static let mostChannels = 2048

    /// Where a result in the operands' type is asked for and the shapes allow, it is a view [B, O, H, W] of bf16
    /// memory [B, H, W, O]: the form in which the next convolution reads it.
    public func fusedConvolution2D(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        residual: Tensor?, _ geometry: ConvolutionGeometry, as dtype: DType
    ) -> Tensor {
        guard usesHopperConvolution, geometry.stride == 1, geometry.groups == 1,
            isMappable(channels: x.shape[1]),
            let plan = plan(x, prologue, weight, geometry)
        else { return composed(x, prologue, weight, bias, residual: residual, geometry) }
        let isNarrow = dtype == .bfloat16 && plan.outputs % 8 == 0
        let shape = [
            plan.images, plan.outputs, plan.step * plan.grid.rows, plan.step * plan.grid.columns,
        ]
        let result = isNarrow ? emptyMap(shape) : Tensor.empty(shape, device: self)
        if result.count == 0 { return result }
        let residual = residual.map { isNarrow ? channelsLast($0) : planar($0) }
        let packed = plan.step == 2 ? packUpsampledWeight(weight) : packMappedWeight(weight)
        let sums = convolve(
            plan, weight: packed, bias: bias, residual: isNarrow ? residual : nil, into: result)
        // A norm that follows finds them there.
        if let sums { lock.withLock { result.storage.packed[Self.sumsLayout] = sums.storage } }
        guard !isNarrow, let residual else { return result }
        return binary(.add, residual, result)
    }

    /// The convolution with its input as the kernels read it; nil where they have no form of it.
    private func plan(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor,
        _ geometry: ConvolutionGeometry
    ) -> MappedConvolution? {
        let output = geometry.outputShape(input: x.shape, weight: weight.shape)
        let channels = x.shape[1]
        var plan = MappedConvolution(
            pixels: x, images: x.shape[0], input: (x.shape[2], x.shape[3]),
            channels: (channels + 7) / 8 * 8, outputs: weight.shape[0],
            grid: (output[2], output[3]), taps: (weight.shape[2], weight.shape[3]),
            origin: (-geometry.padding.top, -geometry.padding.left))
        switch prologue {
        case .none: plan.pixels = channelsLast(x)
        case .upsampledNearest2x:
            guard plan.taps == (3, 3), geometry.padding == .same(1) else { return nil }
            plan.step = 2
            plan.taps = (2, 2)
            plan.grid = plan.input
            plan.pixels = channelsLast(x)
        case .groupNorm(let weight, let bias, let groups, let epsilon):
            guard
                normalize(&plan, x, weight, bias, groups, epsilon: epsilon, activates: false)
            else { return nil }
        case .groupNormSiLU(let weight, let bias, let groups, let epsilon):
            guard normalize(&plan, x, weight, bias, groups, epsilon: epsilon, activates: true)
            else { return nil }
        case .scaledSiLU: return nil
        }
        return plan
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

    /// Makes the norm of x a plan's input: its maps, or itself where x is in float32.
    ///
    /// - Returns: false for shapes without a kernel.
    private func normalize(
        _ plan: inout MappedConvolution, _ x: Tensor, _ weight: Tensor, _ bias: Tensor,
        _ groups: Int, epsilon: Float, activates: Bool
    ) -> Bool {
        guard x.dtype == .bfloat16 else {
            // float32 planes are normalised before they are rounded.
            let y = groupNorm(
                x.contiguous(), weight, bias, groups: groups, epsilon: epsilon, silu: activates)
            plan.pixels = packPixels(y.y, keeps: false)
            return true
        }
        guard x.shape[1] % 8 == 0, x.shape[1] <= Self.mostChannels else { return false }
        plan.pixels = channelsLast(x)
        plan.maps = maps(x, weight, bias, groups, epsilon: epsilon)
        plan.activates = activates
        return true
    }

    /// Scale and shift of every channel of every image of a bf16 map [B, C, H, W], [B, 2, C].
    private func maps(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ groups: Int, epsilon: Float
    ) -> Tensor {
        let (batch, channels, pixels) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let maps = Tensor.empty([batch, 2, channels], device: self)
        let kept = lock.withLock { x.storage.packed[Self.sumsLayout] }
        if let kept, x.offset == 0, x.storage.byteCount == 2 * x.count {
            let tiles = kept.byteCount / 8 / batch / channels
            let sums = Tensor(storage: kept, dtype: .float32, shape: [batch, tiles, channels, 2])
            launch(
                kernel("maps_from_sums", in: .channelsLast), grid: (groups, batch, 1),
                block: (128, 1, 1), .tensor(sums), .tensor(weight), .tensor(bias), .tensor(maps),
                .int(tiles), .int(channels), .int(groups), .int(pixels), .float(epsilon))
            return maps
        }
        let x = channelsLast(x)
        // Pixels that a block takes at once, and slices of about 16 times as many.
        let rows = 256 / (channels / 8)
        let slices = max(
            1, min((pixels + 16 * rows - 1) / (16 * rows), 16 * multiprocessors / batch, 512))
        let moments = Tensor.empty([batch, slices, groups, 2], device: self)
        launch(
            kernel("group_maps", in: .channelsLast), grid: (slices, batch, 1),
            block: (256, 1, 1), shared: 4 * 4096, .tensor(x), .tensor(weight), .tensor(bias),
            .tensor(moments), .tensor(maps), .tensor(arrivals(batch)), .int(channels / 8),
            .int(groups), .int(pixels), .float(epsilon))
        return maps
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
