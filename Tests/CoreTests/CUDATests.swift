// What of the CUDA device needs no GPU: allocation classes, cache names, walks, ranks, sentences.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Core

@Suite struct CUDATests {
    @Test func sizeClassesWasteAtMostAnEighth() {
        for count in [1, 511, 513, 5_000, 1 << 20, (1 << 20) + 1, 123_456_789] {
            let size = CUDAMemory.sizeClass(count)
            #expect(size >= count && size % 512 == 0)
            #expect(size <= max(512, count + count / 8 + 512))
            #expect(CUDAMemory.sizeClass(size) == size)
        }
    }

    @Test func theNameOfACompiledSourceDependsOnAllThatDecidesIt() {
        func name(_ text: String, _ architecture: String, _ compiler: String) -> String {
            CUDAKernelCache.fileName(
                source: "rows", text: text, architecture: architecture, compiler: compiler)
        }
        let base = name("a", "sm_90a", "13.0")
        #expect(base.hasPrefix("rows-sm_90a-") && base.hasSuffix(".cubin"))
        #expect(base == name("a", "sm_90a", "13.0"))
        #expect(
            Set([
                base, name("b", "sm_90a", "13.0"), name("a", "sm_80", "13.0"),
                name("a", "sm_90a", "12.9"),
            ]).count == 4)
        #expect(CUDAKernelCache.architecture(major: 8, minor: 6) == "sm_86")
        #expect(
            CUDAKernelCache.defaultFolder(["XDG_CACHE_HOME": "relative", "HOME": "/h"])
                == "/h/.cache/workbench/cuda")
    }

    @Test func kernelsOfOtherArchitecturesDoNotCountAsCompiled() throws {
        let folder = NSTemporaryDirectory() + "kernels-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func compiles() -> Bool {
            CUDAKernelCache(major: 9, minor: 0, folder: folder).compilesAtFirstUse
        }
        #expect(compiles())
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: "\(folder)/rows-sm_80-0.cubin"))
        #expect(compiles())
        try Data().write(to: URL(filePath: "\(folder)/rows-sm_90a-0.cubin"))
        #expect(!compiles())
    }

    @Test func everySourceIsEmbeddedAfterTheCommonPart() {
        for source in CUDASource.allCases {
            #expect(source.text.contains("warp_sum"))
            #expect(source.text.contains("#line 1 \"\(source.rawValue).cu\""))
        }
    }

    @Test func walksMergeAndWiden() throws {
        let walk = try #require(CUDAWalk([4, 6, 8], [[96, 8, 1], [48, 8, 1]]))
        #expect(walk.shape == [4, 48] && walk.count == 192 && walk.fits)
        let aligned = try #require(UnsafeMutableRawPointer(bitPattern: 4096))
        let wide = walk.widened(elementSize: 4, to: [16, 8], addresses: [aligned, aligned])
        #expect(wide.elementSize == 16 && wide.shape == [4, 12])
        #expect(wide.operandStrides == [[24, 1], [12, 1]])
        let odd = walk.widened(elementSize: 4, to: [16, 8], addresses: [aligned + 8, aligned])
        #expect(odd.elementSize == 8)
    }

    @Test func argumentsLieInTheLowBytesOfTheirSlots() {
        #expect(CUDAArgument.int(-1).slot == 0xFFFF_FFFF)
        #expect(CUDAArgument.float(1).slot == 0x3F80_0000)
        #expect(CUDAArgument.long(-1).slot == UInt64.max)
        #expect(CUDAArgument.optional(nil).slot == 0)
    }

    @Test func piecesCoverEveryElementOnce() {
        let pieces = CUDAPieces(counts: [1, CUDAPieces.size, CUDAPieces.size + 1, 0])
        #expect(pieces.entries == [0, 0, 1, 0, 2, 0, 2, Int64(CUDAPieces.size)])
    }

    @Test(arguments: [[1, 4, 9, 16, 25, 36, 64, 100], [300], [64, 64, 1]])
    func attentionTilesHoldWhatTheirQueriesSee(_ lengths: [Int]) throws {
        let count = lengths.reduce(0, +)
        for mask in [AttentionMask.blockDiagonal(lengths), .blockCausal(lengths), .causal] {
            let intervals = try #require(mask.intervals(queries: count, keys: count))
            let layout = CUDAAttentionTiles(queries: count, keys: count)
            let values = layout.values(intervals).map(Int.init)
            #expect(values.count == layout.spans + 2 * CUDAAttentionTiles.count(count, 64))
            for query in 0..<count {
                let (start, end) = (values[query], values[count + query])
                for (first, tile) in [(layout.tiles, 64), (layout.wideTiles, 128)] {
                    let at = first + 2 * (query / tile)
                    #expect(values[at] <= start && values[at + 1] >= end)
                }
                for key in stride(from: start, to: end, by: 13) {
                    let at = layout.spans + 2 * (key / 64)
                    #expect(values[at] <= query / 64 && values[at + 1] > query / 64)
                }
            }
        }
    }

    /// Items hold every row once, and whoever sees whom is among what its item names.
    @Test(arguments: [[1, 4, 9, 64, 300, 700], [128, 128], [700], [300, 4, 376, 1]])
    func attentionItemsHoldEveryRowAndWhatItSees(_ lengths: [Int]) throws {
        let count = lengths.reduce(0, +)
        for mask in [AttentionMask.blockDiagonal(lengths), .blockCausal(lengths), .causal] {
            let intervals = try #require(mask.intervals(queries: count, keys: count))
            let items = CUDAAttentionItems(intervals, keys: count)
            let (queries, keys) = (items.queryItems.map(Int.init), items.keyItems.map(Int.init))
            var next = 0
            for at in stride(from: 0, to: queries.count, by: 8) {
                #expect(queries[at] == next && queries[at + 1] > next)
                next = queries[at + 1]
                #expect(next - queries[at] <= 192)
                for query in queries[at]..<next {
                    let own = at + 2 + 2 * ((query - queries[at]) / 64)
                    #expect(queries[own] <= Int(intervals.start[query]))
                    #expect(queries[own + 1] >= Int(intervals.end[query]))
                }
            }
            #expect(next == count && items.queryCount == queries.count / 8)
            next = 0
            for at in stride(from: 0, to: keys.count, by: 4) {
                #expect(keys[at] == next && keys[at + 1] > next && keys[at + 1] <= next + 128)
                next = keys[at + 1]
                #expect(keys[at + 2] % 64 == 0 && keys[at + 3] <= count)
                for query in 0..<count {
                    let sees =
                        Int(intervals.start[query]) < next
                        && Int(intervals.end[query]) > keys[at]
                    if sees { #expect(keys[at + 2] <= query && keys[at + 3] > query) }
                }
            }
            #expect(next == count && items.keyCount == keys.count / 4)
        }
    }

    @Test func ranksAreReadOffEveryLauncher() throws {
        #expect(try ProcessRank.current([:]) == ProcessRank())
        #expect(
            try ProcessRank.current(["RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"])
                == ProcessRank(rank: 3, size: 8, local: 1))
        #expect(
            try ProcessRank.current([
                "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
                "OMPI_COMM_WORLD_LOCAL_RANK": "1",
            ]) == ProcessRank(rank: 1, size: 2, local: 1))
        #expect(
            try ProcessRank.current(["SLURM_PROCID": "0", "SLURM_NTASKS": "4"])
                == ProcessRank(rank: 0, size: 4, local: 0))
        #expect(throws: CUDAError.badRank(variable: "RANK", value: "8")) {
            try ProcessRank.current(["RANK": "8", "WORLD_SIZE": "8"])
        }
    }

    @Test func aMissingDriverIsASentence() {
        let error = CUDAError.missingLibrary(.driver, reason: "no such file")
        #expect("\(error)".contains("libcuda.so.1") && "\(error)".contains("WORKBENCH_CUDA_LIBS"))
        let memory = CUDAError.outOfMemory(
            wanted: 3 << 30, held: 70 << 30, free: 1 << 20, total: 80 << 30)
        #expect("\(memory)".contains("3072 MiB"))
    }

    @Test func convolutionPlansFitTheShape() {
        func plan(_ rows: Int, _ columns: Int, _ depth: Int) -> CUDAConvolutionPlan {
            .best(
                among: CUDAConvolutionTile.forward, rows: rows, columns: columns, depth: depth,
                multiprocessors: 132, alwaysStored: false)
        }
        // Many pixels: a tile as high as the channels, nothing split.
        let large = plan(160, 32 * 128 * 128, 9 * 160)
        #expect(large.tile.rows == 160 && large.parts == 1)
        #expect(plan(3, 65536, 9 * 160).tile.rows == 32)
        // Few pixels and a deep sum: split over the multiprocessors.
        #expect(plan(640, 256, 9 * 640).parts > 1)
        for tile in CUDAConvolutionTile.forward {
            #expect(tile.forwardSharedBytes * tile.residents <= 226 << 10)
        }
    }

    @Test func mappedTilesCoverTheResult() {
        func best(_ images: Int, _ side: Int, _ outputs: Int, _ taps: Int) -> CUDAMapTile {
            .best(
                images: images, grid: (side, side), phases: 1, outputs: outputs,
                chunks: taps * taps * 5, multiprocessors: 132)
        }
        // Many pixels: the largest tile. Few: enough tiles for the multiprocessors.
        #expect(best(25, 256, 160, 3).pixels == 256 && best(25, 256, 160, 3).outputs == 160)
        let small = best(1, 16, 640, 3)
        #expect(small.count(images: 1, grid: (16, 16), phases: 1, outputs: 640) >= 40)
        #expect(best(25, 256, 3, 3).outputs == 8)
        for tile in CUDAMapTile.all {
            #expect(tile.sharedBytes <= 227 << 10)
            for grid in [(16, 16), (8, 8), (7, 30), (1, 1), (512, 512)] {
                let box = tile.box(grid, images: 25)
                #expect(box.width * box.height * box.images == tile.pixels)
                #expect(max(box.width, box.height, box.images) <= 256)
            }
        }
        #expect(CUDAMapTile(pixels: 128, outputs: 160).box((9, 11), images: 1).images == 1)
        // Several small pictures share a tile.
        let shared = CUDAMapTile(pixels: 256, outputs: 160).box((8, 8), images: 25)
        #expect(shared.width == 8 && shared.height == 8 && shared.images == 4)
    }

    @Test func phasesOfAnInputGradientHoldEveryTapOnce() {
        for (stride, padding, kernel) in [(1, 1, 3), (2, 0, 3), (2, 1, 4), (3, 2, 5), (2, 0, 1)] {
            var seen: [Int] = []
            for phase in 0..<stride {
                let part = CUDAConvolutionPhase(
                    phase, stride: stride, padding: padding, kernel: kernel)
                for m in 0..<part.taps {
                    let tap = part.lastTap - stride * m
                    seen.append(tap)
                    // Input pixel i·stride + phase meets dy pixel i + origin + m through this tap.
                    #expect((part.origin + m) * stride + tap == phase + padding)
                }
            }
            #expect(seen.sorted() == Array(0..<kernel))
        }
    }
}
