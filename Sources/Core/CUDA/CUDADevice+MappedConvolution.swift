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
    /// 2 behind an upsampling: the result has 2 × 2 phases.
    var step = 1
}

extension CUDADevice {
    /// Whether the GPU has warpgroup products and tensor maps.
    var hasMappedConvolution: Bool { precision == .bfloat16 && computeCapability.hasPrefix("9.") }

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
    func convolve(
        _ shape: MappedConvolution, weight: Tensor, bias: Tensor?, residual: Tensor? = nil,
        into result: Tensor
    ) {
        let phases = shape.step * shape.step
        let blocks = (shape.channels + CUDAMapTile.depth - 1) / CUDAMapTile.depth
        let chunks = shape.taps.rows * shape.taps.columns * blocks
        let tile = CUDAMapTile.best(
            images: shape.images, grid: shape.grid, phases: phases, outputs: shape.outputs,
            chunks: chunks, multiprocessors: multiprocessors)
        let box = tile.box(shape.grid)
        let count = tile.count(
            images: shape.images, grid: shape.grid, phases: phases, outputs: shape.outputs)
        let (rows, columns) = shape.input
        let pixels = CUDATensorMap(
            tensor: shape.pixels, sizes: [shape.channels, columns, rows, shape.images],
            strides: [shape.channels, columns * shape.channels, rows * columns * shape.channels],
            box: [CUDAMapTile.depth, box.width, box.height, box.images])
        let depth = chunks * CUDAMapTile.depth
        let weights = CUDATensorMap(
            tensor: weight, sizes: [depth, phases * shape.outputs], strides: [depth],
            box: [CUDAMapTile.depth, tile.outputs])
        launch(
            kernel("convolution_\(tile.name)", in: .convolutionWGMMA),
            grid: (min(count, multiprocessors), 1, 1), block: (tile.threads, 1, 1),
            shared: tile.sharedBytes, maps: [pixels, weights],
            [
                .optional(vectorAligned(bias)), .optional(residual), .tensor(result),
                .int(shape.outputs), .int(shape.images), .int(shape.grid.rows),
                .int(shape.grid.columns), .int(blocks), .int(shape.taps.rows),
                .int(shape.taps.columns), .int(shape.origin.rows), .int(shape.origin.columns),
                .int(shape.step), .int(box.width.trailingZeroBitCount),
                .int(box.height.trailingZeroBitCount), .int(result.dtype == .float32 ? 1 : 0),
                .int(count),
            ])
    }
}
