// Which tile a convolution by warpgroup products takes, and how it lies on the pixels.
// SPDX-License-Identifier: Apache-2.0

/// A kernel of `convolution_wgmma.cu` by the tile that a block computes.
struct CUDAMapTile: Sendable, Equatable {
    let pixels: Int
    let outputs: Int
    /// Warpgroups of 128 threads that multiply.
    var warpgroups: Int { pixels == 64 ? 1 : 2 }

    static let all = [
        CUDAMapTile(pixels: 256, outputs: 160), CUDAMapTile(pixels: 128, outputs: 160),
        CUDAMapTile(pixels: 256, outputs: 128), CUDAMapTile(pixels: 256, outputs: 64),
        CUDAMapTile(pixels: 64, outputs: 64), CUDAMapTile(pixels: 256, outputs: 32),
        CUDAMapTile(pixels: 64, outputs: 32), CUDAMapTile(pixels: 256, outputs: 8),
    ]

    /// Input channels of one stage.
    static let depth = 32

    var name: String { "\(pixels)x\(outputs)" }

    /// Threads of a block: those that multiply, and a warp that brings operands, or four where the sums
    /// need registers of theirs.
    var threads: Int {
        warpgroups * 128 + (pixels / 64 / warpgroups * outputs >= 256 ? 128 : 32)
    }

    /// Bytes of shared memory: stages with two barriers each, and sums of every warp.
    var sharedBytes: Int {
        let stages = pixels == 256 && outputs == 160 ? 7 : 8
        return stages * ((pixels + outputs) * Self.depth * 2 + 16) + warpgroups * 4 * outputs * 8
    }

    /// The fastest tile for `images` grids of pixels, by an estimate.
    ///
    /// - Parameters:
    ///   - phases: grids of pixels that each image's result consists of.
    ///   - chunks: stages that a tile's sum takes.
    static func best(
        images: Int, grid: (rows: Int, columns: Int), phases: Int, outputs: Int,
        chunks: Int, multiprocessors: Int
    ) -> CUDAMapTile {
        var best = CUDAMapTile(pixels: 64, outputs: 32)
        var least = Double.infinity
        for tile in all {
            let tiles = tile.count(images: images, grid: grid, phases: phases, outputs: outputs)
            let rounds = (tiles + multiprocessors - 1) / multiprocessors
            let time = Double(rounds) * tile.cycles(chunks: chunks)
            if time < least { (best, least) = (tile, time) }
        }
        return best
    }

    /// Tiles that cover the result.
    func count(images: Int, grid: (rows: Int, columns: Int), phases: Int, outputs: Int) -> Int {
        let box = box(grid, images: images)
        return (outputs + self.outputs - 1) / self.outputs * phases
            * ((grid.columns + box.width - 1) / box.width)
            * ((grid.rows + box.height - 1) / box.height) * ((images + box.images - 1) / box.images)
    }

    /// The powers of two that cover the grids of all images with the fewest pixels outside of them, as square
    /// as can be.
    func box(
        _ grid: (rows: Int, columns: Int), images: Int
    ) -> (width: Int, height: Int, images: Int) {
        func covered(_ extent: Int, by size: Int) -> Int { (extent + size - 1) / size * size }
        var best = (width: 1, height: 1, images: pixels)
        var key = (Int.max, 0, 0)
        var width = 1
        while width <= pixels {
            var height = 1
            while width * height <= pixels {
                let depth = pixels / width / height
                let all =
                    covered(grid.columns, by: width) * covered(grid.rows, by: height)
                    * covered(images, by: depth)
                let own = (all, -width * height, abs(width - height))
                if own < key { (key, best) = (own, (width, height, depth)) }
                height *= 2
            }
            width *= 2
        }
        return best
    }

    /// Cycles of one tile as measured on an H100: products, copies at two cycles a row of 64 bytes, or the way round
    /// a stage, whichever is longest; then storing.
    private func cycles(chunks: Int) -> Double {
        let products = Double(pixels * outputs * Self.depth) / 1750
        let copies = Double(2 * (pixels + outputs))
        return Double(chunks) * max(products, copies, 320) + Double(pixels * outputs) / 5 + 1500
    }
}
