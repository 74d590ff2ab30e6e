// Convolution at stride 1 on Hopper's tensor cores. SPDX-License-Identifier: Apache-2.0

/// One convolution over pixels packed with channels last.
struct MappedConvolution {
    /// bf16 [images, rows · columns, channels], channels a multiple of 8.
    var pixels: Tensor
    var images: Int
    var input: (rows: Int, columns: Int)
    var channels: Int
    var outputs: Int
    /// Of the result, or of one of its phases.
    var grid: (rows: Int, columns: Int)
    var taps: (rows: Int, columns: Int)
    /// Where in the input the window of output 0 starts.
    var origin: (rows: Int, columns: Int)
    /// Scale and shift of every channel [images, 2, channels] that the pixels are taken through, as of a norm;
    /// SiLU may follow.
    var maps: Tensor?
    var activates = false
    /// 2 behind an upsampling: the result has 2 × 2 phases.
    var step = 1
}

extension CUDADevice {
    /// Whether convolutions at stride 1 take Hopper's warpgroup products and tensor maps.
    var usesHopperConvolution: Bool { precision == .bfloat16 && computeCapability.hasPrefix("9.") }

    /// Whether so many channels waste little of a stage's depth.
    func isMappable(channels: Int) -> Bool {
        let depth = CUDAMapTile.depth
        return (channels + depth - 1) / depth * depth <= 2 * channels
    }

    /// Runs one convolution.
    ///
    /// - Parameters:
    ///   - weight: bf16 [phases, outputs, taps, channels], channels filled up to a multiple of 32.
    ///   - residual: bf16, as a result with channels last; none for another.
    ///   - result: float32 [images, outputs, H, W], or bf16 [images, H, W, outputs] with an even number of
    ///     outputs.
    /// - Returns: for a bf16 result Σ and Σ² of every channel [images, tiles, outputs, 2]; nil where tiles
    ///   have several images.
    @discardableResult
    func convolve(
        _ shape: MappedConvolution, weight: Tensor, bias: Tensor?, residual: Tensor? = nil,
        into result: Tensor
    ) -> Tensor? {
        let phases = shape.step * shape.step
        let blocks = (shape.channels + CUDAMapTile.depth - 1) / CUDAMapTile.depth
        let chunks = shape.taps.rows * shape.taps.columns * blocks
        let tile = CUDAMapTile.best(
            images: shape.images, grid: shape.grid, phases: phases, outputs: shape.outputs,
            chunks: chunks, multiprocessors: multiprocessors)
        let box = tile.box(shape.grid, images: shape.images)
        let count = tile.count(
            images: shape.images, grid: shape.grid, phases: phases, outputs: shape.outputs)
        let isPlain = result.dtype == .float32
        var shape = shape
        if let maps = shape.maps {
            shape.pixels = mapped(shape.pixels, by: maps, activates: shape.activates)
        }
        var sums: Tensor?
        if !isPlain, box.images == 1 {
            let across = (shape.outputs + tile.outputs - 1) / tile.outputs
            sums = Tensor.empty(
                [shape.images, count / across / shape.images, shape.outputs, 2], device: self)
        }
        launch(
            kernel("map_convolution_\(tile.name)", in: .convolutionWGMMA),
            grid: (min(count, multiprocessors), 1, 1), block: (tile.threads, 1, 1),
            shared: tile.sharedBytes,
            maps: [
                pixelMap(shape, tile), weightMap(weight, tile, depth: chunks * CUDAMapTile.depth),
            ],
            [
                .optional(vectorAligned(bias)), .optional(residual), .tensor(result),
                .optional(sums), .int(shape.outputs), .int(shape.images),
                .int(shape.grid.rows),
                .int(shape.grid.columns), .int(blocks), .int(shape.taps.rows),
                .int(shape.taps.columns), .int(shape.origin.rows), .int(shape.origin.columns),
                .int(shape.step), .int(box.width.trailingZeroBitCount),
                .int(box.height.trailingZeroBitCount), .int(isPlain ? 1 : 0), .int(count),
            ])
        return sums
    }

    /// Pixels [images, pixels, channels] taken through their maps, as a tensor of its own.
    private func mapped(_ x: Tensor, by maps: Tensor, activates: Bool) -> Tensor {
        let (images, channels) = (maps.shape[0], maps.shape[2])
        let (pixels, blocks) = (x.count / images / channels, channels / 8)
        let rows = 256 / blocks
        let y = Tensor.empty([images, pixels, channels], dtype: .bfloat16, device: self)
        launch(
            kernel("map_channels", in: .channelsLast),
            grid: ((pixels + 16 * rows - 1) / (16 * rows), images, 1), block: (256, 1, 1),
            .tensor(x), .tensor(maps), .tensor(y), .int(blocks), .int(pixels),
            .int(activates ? 1 : 0))
        return y
    }

    /// A tile's pixels for one tap.
    private func pixelMap(_ shape: MappedConvolution, _ tile: CUDAMapTile) -> CUDATensorMap {
        let (rows, columns) = shape.input
        let box = tile.box(shape.grid, images: shape.images)
        return CUDATensorMap(
            tensor: shape.pixels, sizes: [shape.channels, columns, rows, shape.images],
            strides: [shape.channels, columns * shape.channels, rows * columns * shape.channels],
            box: [CUDAMapTile.depth, box.width, box.height, box.images])
    }

    private func weightMap(_ weight: Tensor, _ tile: CUDAMapTile, depth: Int) -> CUDATensorMap {
        CUDATensorMap(
            tensor: weight, sizes: [depth, weight.count / depth], strides: [depth],
            box: [CUDAMapTile.depth, tile.outputs])
    }
}
