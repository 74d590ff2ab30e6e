// Which tile a convolution on the tensor cores takes, and into how many parts its sum is cut.
// SPDX-License-Identifier: Apache-2.0

/// A kernel of `convolution.cu` by the tile of the result that a block computes.
struct CUDAConvolutionTile: Sendable, Equatable {
    let rows: Int
    let columns: Int
    /// Threads of a block.
    let threads: Int
    /// Blocks that a multiprocessor holds at once.
    let residents: Int
    /// Share of the tensor cores' rate that a full multiprocessor reaches, an estimate.
    let efficiency: Double

    /// Output channels × pixels, of the forward pass and of the gradient to the input.
    static let forward = [
        CUDAConvolutionTile(
            rows: 160, columns: 128, threads: 256, residents: 1, efficiency: 0.9),
        CUDAConvolutionTile(rows: 128, columns: 128, threads: 128, residents: 2, efficiency: 1),
        CUDAConvolutionTile(
            rows: 64, columns: 256, threads: 256, residents: 2, efficiency: 0.9),
        CUDAConvolutionTile(
            rows: 32, columns: 256, threads: 128, residents: 2, efficiency: 0.7),
        CUDAConvolutionTile(rows: 64, columns: 64, threads: 128, residents: 4, efficiency: 0.6),
    ]

    /// Output channels × (taps · input channels), of the gradient to the weight.
    static let correlation = [
        CUDAConvolutionTile(
            rows: 160, columns: 128, threads: 256, residents: 1, efficiency: 0.9),
        CUDAConvolutionTile(rows: 128, columns: 128, threads: 128, residents: 2, efficiency: 1),
        CUDAConvolutionTile(rows: 64, columns: 128, threads: 128, residents: 2, efficiency: 0.8),
        CUDAConvolutionTile(rows: 32, columns: 128, threads: 128, residents: 2, efficiency: 0.6),
    ]

    /// Stages of operands on their way to shared memory.
    private static let stages = 4

    /// Bytes of shared memory: rows and columns of 32 elements, each padded by 8.
    var forwardSharedBytes: Int { Self.stages * (rows + columns) * 40 * 2 }

    /// Bytes of shared memory: 32 rows of pixels for either operand, each padded by 8.
    var correlationSharedBytes: Int { Self.stages * 32 * (rows + columns + 16) * 2 }

    var name: String { "\(rows)x\(columns)" }
}

/// The tile for a product [rows × depth] · [depth × columns] and the parts of its depth.
struct CUDAConvolutionPlan: Sendable, Equatable {
    var tile: CUDAConvolutionTile
    /// Blocks that share one tile, each summing a part of the depth.
    var parts: Int

    /// Products of 32 that a part has at least: below it, filling the stages is most of the work.
    private static let leastSteps = 8
    /// Most memory for the parts' sums.
    private static let limit = 256 << 20

    /// The plan with the least estimated time.
    ///
    /// - Parameter alwaysStored: parts are stored and added up even when there is one.
    static func best(
        among tiles: [CUDAConvolutionTile], rows: Int, columns: Int, depth: Int,
        multiprocessors: Int, alwaysStored: Bool
    ) -> CUDAConvolutionPlan {
        let steps = max(1, (depth + 31) / 32)
        var best = CUDAConvolutionPlan(tile: tiles[0], parts: 1)
        var least = Double.infinity
        for tile in tiles {
            var parts = 1
            while parts == 1
                || (steps / parts >= leastSteps && 4 * parts * rows * columns <= limit)
            {
                let plan = CUDAConvolutionPlan(tile: tile, parts: parts)
                let time = plan.estimate(
                    rows: rows, columns: columns, steps: steps, multiprocessors: multiprocessors,
                    isStored: alwaysStored || parts > 1)
                if time < least { (best, least) = (plan, time) }
                parts = parts < 4 ? parts + 1 : parts + parts / 4
            }
        }
        return best
    }

    /// Time in products per multiprocessor, which does about 900 a cycle of such code on Hopper.
    private func estimate(
        rows: Int, columns: Int, steps: Int, multiprocessors: Int, isStored: Bool
    ) -> Double {
        let tilesDown = (rows + tile.rows - 1) / tile.rows
        let tilesAcross = (columns + tile.columns - 1) / tile.columns
        let blocks = tilesDown * tilesAcross * parts
        let perMultiprocessor = (blocks + multiprocessors - 1) / multiprocessors
        let perPart = (steps + parts - 1) / parts
        let work = Double(tile.rows * tile.columns * 32 * perPart) / tile.efficiency
        // Filling and draining the stages, about 1500 cycles.
        let start = 1.3e6
        let resident = min(perMultiprocessor, tile.residents)
        // Alone on a multiprocessor, blocks wait for memory that others would compute through.
        let idle = 0.6 + 0.4 * Double(resident) / Double(tile.residents)
        var time = Double(perMultiprocessor) * (work / idle + start / Double(resident))
        if isStored {
            // Written and read at 1.8 kB a cycle for the whole chip, and one more launch.
            let bytes = Double(8 * parts * rows * columns)
            time += 900 * (bytes / 1800 + 3000)
        }
        return time
    }
}
