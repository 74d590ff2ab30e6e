// Reuse of freed blocks. SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation

/// Keeps freed blocks for the next allocation of the same size class.
///
/// A training step frees and asks for the same sizes again; without this, every large block costs
/// its page faults anew.
final class MemoryCache: @unchecked Sendable {
    private let lock = NSLock()
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]
    private var held = 0
    private var inUse = 0
    private var mostInUse = 0
    private let limit: Int
    private let largeLimit: Int

    /// - Parameters:
    ///   - limit: bytes that may be kept while unused in any case.
    ///   - largeLimit: bytes that may be kept as long as held and used bytes together stay below the
    ///     most that was ever in use: a training step takes all of it again.
    init(limit: Int, largeLimit: Int) {
        self.limit = limit
        self.largeLimit = largeLimit
    }

    deinit {
        for blocks in free.values { for block in blocks { Foundation.free(block) } }
    }

    /// A block of at least `byteCount` bytes, 64-byte aligned.
    func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = Self.sizeClass(byteCount)
        lock.lock()
        inUse += size
        mostInUse = max(mostInUse, inUse)
        if let block = free[size]?.popLast() {
            held -= size
            lock.unlock()
            return block
        }
        let dropped = dropSurplus()
        lock.unlock()
        for block in dropped { Foundation.free(block) }
        // Fresh memory is paid for by page faults: large blocks get huge pages.
        return ck_allocate(size)
    }

    /// Blocks to give away so that held and used memory together stay near the most that was ever in
    /// use: maps that grow from scale to scale never ask for an old size again.
    private func dropSurplus() -> [UnsafeMutableRawPointer] {
        let bound = max(limit, mostInUse + mostInUse / 8)
        guard inUse + held > bound else { return [] }
        var dropped: [UnsafeMutableRawPointer] = []
        for size in free.keys.sorted(by: >) {
            while inUse + held > bound, let block = free[size]?.popLast() {
                held -= size
                dropped.append(block)
            }
        }
        return dropped
    }

    /// Takes a block back; `byteCount` as it was asked for.
    func give(_ block: UnsafeMutableRawPointer, byteCount: Int) {
        let size = Self.sizeClass(byteCount)
        lock.lock()
        inUse -= size
        let bound = max(limit, min(largeLimit, mostInUse - inUse))
        if held + size <= bound {
            free[size, default: []].append(block)
            held += size
            lock.unlock()
        } else {
            lock.unlock()
            Foundation.free(block)
        }
    }

    /// Frees every kept block, and forgets how much was in use before.
    func releaseUnused() {
        lock.lock()
        let blocks = free.values.flatMap { $0 }
        free = [:]
        held = 0
        mostInUse = inUse
        lock.unlock()
        for block in blocks { Foundation.free(block) }
        ck_trim_memory()
    }

    /// Sizes are rounded up to an eighth of their power of two, so that few classes serve all.
    private static func sizeClass(_ byteCount: Int) -> Int {
        if byteCount <= 64 { return 64 }
        let top = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = max(64, 1 << max(0, top - 3))
        return (byteCount + step - 1) / step * step
    }
}
