// Device memory: a caching allocator over the driver's. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// Keeps freed blocks for the next allocation of the same size class; used under the device's lock.
///
/// The driver's own allocation takes tens of microseconds and waits for the GPU when freeing, so
/// blocks go back to it only when memory runs out. Blocks may be used again at once: all work is on
/// one stream, so whoever writes a block next does so after its last reader.
final class CUDAMemory {
    /// Where blocks that are handed out while a graph is captured belong; they stay its own.
    final class Pool {
        fileprivate var free: [Int: [UInt64]] = [:]
        fileprivate var owned: [(address: UInt64, size: Int)] = []
        /// Blocks of others that were given back while the graph was captured.
        fileprivate var kept: Set<UInt64> = []
    }

    private struct Block {
        var size: Int
        var pool: Pool?
    }

    private var free: [Int: [UInt64]] = [:]
    private var blocks: [UInt64: Block] = [:]
    private var slabs: [UInt64] = []
    /// The pool in force while a graph is captured.
    var capturing: Pool?
    /// Bytes handed out now, and the most there were.
    private(set) var inUse = 0
    private(set) var peak = 0
    /// Bytes asked of the driver.
    private(set) var reserved = 0

    /// Small blocks are cut from slabs of this size.
    private static let slabSize = 4 << 20
    private static let largestInSlab = 256 << 10

    /// Stands for memory that could not be had; no kernel is ever given it.
    static let nothing: UInt64 = 256
    static func isReal(_ address: UInt64) -> Bool { address == 0 || address >= 1 << 16 }

    /// Sizes are rounded up to an eighth of their power of two, so that few classes serve all.
    package static func sizeClass(_ byteCount: Int) -> Int {
        if byteCount <= 512 { return 512 }
        let top = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = max(512, 1 << max(0, top - 3))
        return (byteCount + step - 1) / step * step
    }

    func take(_ byteCount: Int) throws(CUDAError) -> UInt64 {
        let size = Self.sizeClass(byteCount)
        let address: UInt64
        if let found = reused(size) { address = found } else { address = try fresh(size) }
        if let pool = capturing, blocks[address]?.pool !== pool {
            blocks[address]?.pool = pool
            pool.owned.append((address, size))
        }
        inUse += size
        peak = max(peak, inUse)
        return address
    }

    func give(_ address: UInt64) {
        guard let block = blocks[address] else { return }
        inUse -= block.size
        if let pool = block.pool {
            pool.free[block.size, default: []].append(address)
        } else if let pool = capturing {
            // Its last reader may be part of the graph, which will read it at every replay.
            blocks[address]?.pool = pool
            pool.owned.append((address, block.size))
            pool.kept.insert(address)
        } else {
            free[block.size, default: []].append(address)
        }
    }

    func resetPeak() { peak = inUse }

    /// Whether a block belongs to a graph.
    func isOwned(_ address: UInt64, by pool: Pool) -> Bool { blocks[address]?.pool === pool }

    /// Takes back the blocks of a graph that is gone; those still in tensors' hands follow later.
    func release(_ pool: Pool) {
        let stillUsed = Set(pool.owned.map(\.address)).subtracting(pool.free.values.joined())
            .subtracting(pool.kept)
        for (address, size) in pool.owned {
            blocks[address]?.pool = nil
            if !stillUsed.contains(address) { free[size, default: []].append(address) }
        }
        pool.owned = []
        pool.free = [:]
        pool.kept = []
    }

    private func reused(_ size: Int) -> UInt64? {
        if let pool = capturing { return pool.free[size]?.popLast() ?? free[size]?.popLast() }
        return free[size]?.popLast()
    }

    private func fresh(_ size: Int) throws(CUDAError) -> UInt64 {
        guard size <= Self.largestInSlab else {
            let address = try driver(size)
            blocks[address] = Block(size: size)
            return address
        }
        let slab = try driver(Self.slabSize)
        slabs.append(slab)
        let count = Self.slabSize / size
        for i in 0..<count {
            let address = slab + UInt64(i * size)
            blocks[address] = Block(size: size)
            if i > 0 { free[size, default: []].append(address) }
        }
        return slab
    }

    private func driver(_ size: Int) throws(CUDAError) -> UInt64 {
        var address: UInt64 = 0
        var status = ccuda_allocate(&address, size)
        if status == Self.outOfMemory, capturing == nil {
            releaseUnused()
            status = ccuda_allocate(&address, size)
        }
        if status == Self.outOfMemory {
            var (left, total) = (0, 0)
            _ = ccuda_memory_info(&left, &total)
            throw .outOfMemory(wanted: size, held: inUse, free: left, total: total)
        }
        try CUDAError.check(status, "allocate memory")
        reserved += size
        return address
    }

    /// Gives unused large blocks back to the driver, which waits for the GPU.
    private func releaseUnused() {
        for (size, addresses) in free where size > Self.largestInSlab {
            for address in addresses {
                _ = ccuda_free(address)
                blocks[address] = nil
                reserved -= size
            }
            free[size] = nil
        }
    }

    private static let outOfMemory: Int32 = 2
}
