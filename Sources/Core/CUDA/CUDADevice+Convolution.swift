// Convolution on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func convolution2D(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        let shape = geometry.outputShape(input: x.shape, weight: weight.shape)
        let result = Tensor.empty(shape, device: self)
        guard usesTensorCores(geometry) else {
            let plain = PlainConvolution(x.shape, weight.shape, geometry)
            launchPlain(
                "convolution_plain", plain, rows: weight.shape[0] / geometry.groups,
                columns: shape[0] * shape[2] * shape[3], weight, x, bias, result)
            return result
        }
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        let channels = x.shape[1]
        if isMapped(geometry, channels: channels), result.count > 0 {
            convolve(
                MappedConvolution(
                    pixels: packPixels(x, keeps: Recording.isOn), images: shape[0],
                    input: (x.shape[2], x.shape[3]), channels: (channels + 7) / 8 * 8,
                    outputs: shape[1], grid: (shape[2], shape[3]), taps: (kh, kw),
                    origin: (-geometry.padding.top, -geometry.padding.left)),
                weight: packMappedWeight(weight), bias: bias, into: result)
            return result
        }
        let packed = packWeight(
            weight, rows: shape[1], inner: channels, rowStride: channels * kh * kw,
            innerStride: kh * kw, taps: (kh, kw), first: (0, 0), step: (1, 1))
        convolve(
            packed, packPixels(x, keeps: Recording.isOn), bias, into: result,
            CUDAPlanes(
                outputs: shape[1], images: shape[0], grid: (shape[2], shape[3]),
                input: (x.shape[2], x.shape[3]), channelBlocks: (channels + 7) / 8, taps: (kh, kw),
                step: geometry.stride, origin: (-geometry.padding.top, -geometry.padding.left),
                outputWidth: shape[3], outputPlane: shape[2] * shape[3]))
        return result
    }

    /// The gradient is itself a convolution of dy, one for every phase of the stride: pixels
    /// a, a + stride, … of the input see the same subset of the kernel's taps.
    public func convolution2DInputGradient(
        _ dy: Tensor, _ weight: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        guard usesTensorCores(geometry) else {
            launchPlain(
                "convolution_plain_input", PlainConvolution(shape, weight.shape, geometry),
                rows: shape[1] / geometry.groups, columns: shape[0] * shape[2] * shape[3], weight,
                dy, nil, result)
            return result
        }
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        let stride = geometry.stride
        let outputs = weight.shape[0]
        // The gradient to the weight reads it too.
        let packed = packPixels(dy, keeps: true)
        if isMapped(geometry, channels: outputs), result.count > 0 {
            let padding = geometry.padding
            let turned = packWeight(
                weight, rows: shape[1], inner: outputs, rowStride: kh * kw,
                innerStride: shape[1] * kh * kw, taps: (kh, kw), first: (kh - 1, kw - 1),
                step: (-1, -1), multiple: CUDAMapTile.depth)
            convolve(
                MappedConvolution(
                    pixels: packed, images: shape[0], input: (dy.shape[2], dy.shape[3]),
                    channels: (outputs + 7) / 8 * 8, outputs: shape[1],
                    grid: (shape[2], shape[3]), taps: (kh, kw),
                    origin: (padding.top - kh + 1, padding.left - kw + 1)),
                weight: turned, bias: nil, into: result)
            return result
        }
        for a in 0..<min(stride, shape[2]) {
            let rows = CUDAConvolutionPhase(
                a, stride: stride, padding: geometry.padding.top, kernel: kh)
            for b in 0..<min(stride, shape[3]) {
                let columns = CUDAConvolutionPhase(
                    b, stride: stride, padding: geometry.padding.left, kernel: kw)
                let turned = packWeight(
                    weight, rows: shape[1], inner: outputs, rowStride: kh * kw,
                    innerStride: shape[1] * kh * kw, taps: (rows.taps, columns.taps),
                    first: (rows.lastTap, columns.lastTap), step: (-stride, -stride))
                convolve(
                    turned, packed, nil, into: result,
                    CUDAPlanes(
                        outputs: shape[1], images: shape[0],
                        grid: (
                            (shape[2] - a + stride - 1) / stride,
                            (shape[3] - b + stride - 1) / stride
                        ),
                        input: (dy.shape[2], dy.shape[3]), channelBlocks: (outputs + 7) / 8,
                        taps: (rows.taps, columns.taps), step: 1,
                        origin: (rows.origin, columns.origin), outputWidth: shape[3],
                        outputPlane: shape[2] * shape[3], outputStep: stride, outputFirst: (a, b)))
            }
        }
        return result
    }

    public func convolution2DWeightGradient(
        _ dy: Tensor, _ x: Tensor, shape: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        guard usesTensorCores(geometry) else {
            let depth = dy.shape[0] * dy.shape[2] * dy.shape[3]
            let tiles = (result.count + 4095) / 4096
            let parts = max(1, min(multiprocessors * 2 / tiles, depth / 256, 64))
            let sums = Tensor.empty([parts, result.count], device: self)
            launchPlain(
                "convolution_plain_weight", PlainConvolution(x.shape, shape, geometry),
                parts: parts, rows: shape[0] / geometry.groups,
                columns: shape[1] * shape[2] * shape[3], dy, x, nil, sums)
            addParts(sums, into: result)
            return result
        }
        let (outputs, channels, kh, kw) = (shape[0], shape[1], shape[2], shape[3])
        let blocks = (channels + 7) / 8
        let depth = kh * kw * blocks * 8
        let plan = CUDAConvolutionPlan.best(
            among: CUDAConvolutionTile.correlation, rows: outputs, columns: depth,
            depth: dy.shape[0] * dy.shape[2] * dy.shape[3], multiprocessors: multiprocessors,
            alwaysStored: true)
        let tile = plan.tile
        let sums = Tensor.empty([plan.parts, outputs, depth], device: self)
        launch(
            kernel("correlation_\(tile.name)", in: .convolution),
            grid: (
                (depth + tile.columns - 1) / tile.columns, (outputs + tile.rows - 1) / tile.rows,
                plan.parts
            ),
            block: (tile.threads, 1, 1), shared: tile.correlationSharedBytes,
            .tensor(packPixels(dy, keeps: false)), .tensor(packPixels(x, keeps: false)),
            .tensor(sums), .int(outputs),
            .int((outputs + 7) / 8), .int(dy.shape[0]), .int(dy.shape[2]), .int(dy.shape[3]),
            .int(x.shape[2]), .int(x.shape[3]), .int(blocks), .int(kh), .int(kw),
            .int(geometry.stride), .int(geometry.padding.top), .int(geometry.padding.left))
        // The last that read it in a backward pass.
        unpack(x, pixelLayout(x))
        launch(
            kernel("add_correlation_parts", in: .convolution),
            grid: ((outputs * depth + 255) / 256, 1, 1), block: (256, 1, 1), .tensor(sums),
            .tensor(result), .int(plan.parts), .int(outputs), .int(channels), .int(kh * kw),
            .int(blocks * 8))
        return result
    }

    public func channelSums(_ dy: Tensor) -> Tensor {
        let dy = vectorAligned(dy)
        let outputs = dy.shape[1]
        let parts = max(1, min(dy.shape[0], multiprocessors * 8 / max(1, outputs)))
        let sums = Tensor.empty([parts, outputs], device: self)
        let result = Tensor.empty([outputs], device: self)
        launch(
            kernel("channel_sums", in: .convolution), grid: (outputs, parts, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(sums), .tensor(result),
            .tensor(arrivals(outputs)), .int(dy.shape[0]), .int(outputs),
            .int(dy.shape[2] * dy.shape[3]))
        return result
    }

    // MARK: Tensor cores

    private func usesTensorCores(_ geometry: ConvolutionGeometry) -> Bool {
        precision == .bfloat16 && geometry.groups == 1
    }

    /// Whether a convolution of so many channels runs by warpgroup products.
    private func isMapped(_ geometry: ConvolutionGeometry, channels: Int) -> Bool {
        usesHopperConvolution && geometry.stride == 1 && isMappable(channels: channels)
    }

    private func pixelLayout(_ x: Tensor) -> PackedLayout {
        PackedLayout(numbers: [x.offset, x.shape[0], x.shape[1], x.shape[2] * x.shape[3]])
    }

    /// [B, C, h, w] as bf16 [B, h·w, C], channels filled up to a multiple of 8 with zeros.
    func packPixels(_ x: Tensor, keeps: Bool) -> Tensor {
        let (batch, channels, pixels) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let blocks = (channels + 7) / 8
        let shape = [batch, pixels, blocks * 8]
        return packed(x, pixelLayout(x), shape: shape, keeps: keeps) {
            let result = Tensor.empty(shape, dtype: .bfloat16, device: self)
            launch(
                kernel("pack_pixels", in: .convolution),
                grid: ((pixels + 31) / 32, (channels + 63) / 64, batch), block: (256, 1, 1),
                .tensor(x), .tensor(result), .int(channels), .int(pixels), .int(blocks))
            return result
        }
    }

    /// A weight as bf16 [rows, taps, inner], the inner dimension filled up with zeros; kept
    /// until the weight changes, which in a frozen network is never.
    func packWeight(
        _ weight: Tensor, rows: Int, inner: Int, rowStride: Int, innerStride: Int,
        taps: (rows: Int, columns: Int), first: (Int, Int), step: (Int, Int), multiple: Int = 8
    ) -> Tensor {
        let blocks = (inner + multiple - 1) / multiple * (multiple / 8)
        let shape = [rows, taps.rows * taps.columns, blocks * 8]
        let numbers = [
            rows, inner, blocks, taps.rows, taps.columns, rowStride, innerStride, weight.shape[3],
            first.0, step.0, first.1, step.1,
        ]
        let layout = PackedLayout(numbers: [weight.offset] + numbers)
        return packed(weight, layout, shape: shape, keeps: true) {
            let result = Tensor.empty(shape, dtype: .bfloat16, device: self)
            launch(
                kernel("pack_weights", in: .convolution),
                grid: ((result.count + 255) / 256, 1, 1), block: (256, 1, 1),
                [.tensor(weight), .tensor(result)] + numbers.map { .int($0) })
            return result
        }
    }

    private func convolve(
        _ weight: Tensor, _ pixels: Tensor, _ bias: Tensor?, into result: Tensor,
        _ planes: CUDAPlanes
    ) {
        let columns = planes.images * planes.grid.rows * planes.grid.columns
        let plan = CUDAConvolutionPlan.best(
            among: CUDAConvolutionTile.forward, rows: planes.outputs, columns: columns,
            depth: planes.taps.rows * planes.taps.columns * planes.channelBlocks * 8,
            multiprocessors: multiprocessors, alwaysStored: false)
        let tile = plan.tile
        let isSplit = plan.parts > 1
        let sums =
            isSplit
            ? Tensor.empty([plan.parts, planes.outputs, columns], device: self) : result
        launch(
            kernel("convolution_\(tile.name)", in: .convolution),
            grid: (
                (columns + tile.columns - 1) / tile.columns,
                (planes.outputs + tile.rows - 1) / tile.rows, plan.parts
            ),
            block: (tile.threads, 1, 1), shared: tile.forwardSharedBytes, .tensor(weight),
            .tensor(pixels), .optional(isSplit ? nil : bias), .tensor(sums), .int(planes.outputs),
            .int(planes.images), .int(planes.grid.rows), .int(planes.grid.columns),
            .int(planes.input.rows), .int(planes.input.columns), .int(planes.channelBlocks),
            .int(planes.taps.rows), .int(planes.taps.columns), .int(planes.step),
            .int(planes.origin.rows), .int(planes.origin.columns), .int(planes.outputPlane),
            .int(planes.outputWidth), .int(planes.outputStep), .int(planes.outputFirst.rows),
            .int(planes.outputFirst.columns))
        guard isSplit else { return }
        launch(
            kernel("add_convolution_parts", in: .convolution),
            grid: ((planes.outputs * columns + 255) / 256, 1, 1), block: (256, 1, 1),
            .tensor(sums), .optional(bias), .tensor(result), .int(plan.parts),
            .int(planes.outputs), .int(planes.images), .int(planes.grid.rows),
            .int(planes.grid.columns), .int(planes.outputPlane), .int(planes.outputWidth),
            .int(planes.outputStep), .int(planes.outputFirst.rows),
            .int(planes.outputFirst.columns))
    }

    // MARK: float32

    private func launchPlain(
        _ name: String, _ shape: PlainConvolution, parts: Int = 1, rows: Int, columns: Int,
        _ a: Tensor, _ b: Tensor, _ bias: Tensor?, _ result: Tensor
    ) {
        let s = shape
        launch(
            kernel(name, in: .convolutionF32),
            grid: ((columns + 63) / 64, (rows + 63) / 64, s.geometry.groups * parts),
            block: (256, 1, 1), .tensor(a), .tensor(b), .optional(bias), .tensor(result),
            .int(s.input[0]), .int(s.input[1]), .int(s.input[2]), .int(s.input[3]),
            .int(s.weight[0]), .int(s.weight[2]), .int(s.weight[3]), .int(s.output[2]),
            .int(s.output[3]), .int(s.geometry.stride), .int(s.geometry.padding.top),
            .int(s.geometry.padding.left), .int(s.geometry.groups), .int(parts))
    }

    /// Sums [parts, …] over the parts, in order.
    private func addParts(_ sums: Tensor, into result: Tensor) {
        launch(
            kernel("add_parts", in: .convolutionF32), grid: ((result.count + 255) / 256, 1, 1),
            block: (256, 1, 1), .tensor(sums), .tensor(result), .long(result.count),
            .int(sums.shape[0]))
    }
}

/// The taps of a kernel that input pixels a, a + stride, … see in one direction.
///
/// Pixel stride·i + a of the input gradient is Σ_m w[first + stride·m] · dy[i + shift − m]; reading the taps
/// from the last one on makes that a convolution which starts at `origin` in dy.
struct CUDAConvolutionPhase: Equatable {
    /// Number of taps; 0 where the stride skips the phase.
    let taps: Int
    /// The largest tap, which meets the first pixel of dy.
    let lastTap: Int
    /// Where in dy the window of output 0 starts.
    let origin: Int

    init(_ phase: Int, stride: Int, padding: Int, kernel: Int) {
        let first = (phase + padding) % stride
        let shift = (phase + padding - first) / stride
        taps = first < kernel ? (kernel - first + stride - 1) / stride : 0
        lastTap = first + stride * (taps - 1)
        origin = shift - taps + 1
    }
}

/// Where the pixels of one convolution lie; names as in `convolution.cu`.
private struct CUDAPlanes {
    var outputs: Int
    var images: Int
    var grid: (rows: Int, columns: Int)
    var input: (rows: Int, columns: Int)
    var channelBlocks: Int
    var taps: (rows: Int, columns: Int)
    var step: Int
    var origin: (rows: Int, columns: Int)
    var outputWidth: Int
    var outputPlane: Int
    var outputStep = 1
    var outputFirst = (rows: 0, columns: 0)
}

private struct PlainConvolution {
    let input: [Int]
    let weight: [Int]
    let output: [Int]
    let geometry: ConvolutionGeometry

    init(_ input: [Int], _ weight: [Int], _ geometry: ConvolutionGeometry) {
        self.input = input
        self.weight = weight
        self.geometry = geometry
        output = geometry.outputShape(input: input, weight: weight)
    }
}
