// The thread that scales, dithers and encodes pictures. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Synchronization

/// One thread, a queue in which newer versions replace older ones, and the cache of results.
nonisolated final class EncoderThread: Sendable {
    struct Job: Sendable {
        var key: EncodedKey
        var content: PictureContent
    }

    private struct State {
        var queue: [Job] = []
        var running: EncodedKey?
        var cache = EncodedCache()
        var isStopped = false
        /// Wishes that a newer version replaced before they were begun.
        var dropped = 0
    }

    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let wake: @Sendable () -> Void

    private let niceness: Int32

    init(niceness: Int32 = 0, wake: @escaping @Sendable () -> Void) {
        self.niceness = niceness
        self.wake = wake
    }

    /// Begins to work; ends with `stop`.
    func start() {
        let thread = Thread { [self] in
            ThreadPriority.lowerCurrent(to: niceness)
            run()
        }
        thread.name = "picture encoder"
        thread.stackSize = 4 << 20
        thread.start()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        work.signal()
    }

    var droppedCount: Int { state.withLock { $0.dropped } }

    /// The bytes, if they are ready.
    func bytes(_ key: EncodedKey) -> [UInt8]? {
        state.withLock { state in
            guard case .bytes(let bytes)? = state.cache.value(key) else { return nil }
            return bytes
        }
    }

    /// The indices of the whole picture, if they are ready.
    func indices(_ key: EncodedKey) -> IndexedPicture? {
        var whole = key
        whole.part = nil
        return state.withLock { state in
            guard case .indices(let picture)? = state.cache.value(whole) else { return nil }
            return picture
        }
    }

    /// Asks for a picture; one that waits for an older version of the same thing is replaced.
    func enqueue(_ job: Job) {
        let isNew = state.withLock { state -> Bool in
            guard state.running != job.key else { return false }
            let same = state.queue.firstIndex { waiting in
                waiting.key.id == job.key.id && waiting.key.pixels == job.key.pixels
                    && waiting.key.part == job.key.part
            }
            if let same {
                if state.queue[same].key != job.key { state.dropped += 1 }
                state.queue[same] = job
                return false
            }
            state.queue.append(job)
            return true
        }
        if isNew { work.signal() }
    }

    /// Forgets a picture's results and wishes.
    func remove(id: Int) {
        state.withLock { state in
            state.queue.removeAll { $0.key.id == id }
            state.cache.remove(id: id)
        }
    }

    private func run() {
        let encoder = SixelEncoder()
        while true {
            work.wait()
            let (job, isStopped) = state.withLock { state -> (Job?, Bool) in
                guard !state.isStopped, !state.queue.isEmpty else { return (nil, state.isStopped) }
                let job = state.queue.removeFirst()
                state.running = job.key
                return (job, false)
            }
            if isStopped { return }
            guard let job else { continue }
            let bytes = encode(job, with: encoder)
            state.withLock { state in
                state.cache.insert(.bytes(bytes), for: job.key)
                state.running = nil
            }
            wake()
        }
    }

    private func encode(_ job: Job, with encoder: SixelEncoder) -> [UInt8] {
        let key = job.key
        let all = PixelRect(size: key.pixels)
        let part = key.part ?? all
        if let bytes = Self.inline(key, job.content, part: part) { return bytes }
        if key.mode.isOrdered { return Self.ordered(key, job.content, part: part, with: encoder) }
        let picture = indices(key) ?? quantized(job, all: all)
        return encoder.encode(picture, part: part)
    }

    /// A part with the fixed palette.
    static func ordered(
        _ key: EncodedKey, _ content: PictureContent, part: PixelRect, with encoder: SixelEncoder
    ) -> [UInt8] {
        let indexed = OrderedDither.dither(registers: key.registers).indexed(
            content.rendered(in: key.pixels, part: part), x: part.x, y: part.y,
            half: key.mode == .orderedHalf)
        return encoder.encode(
            content.withExactGround(
                indexed, pixels: key.pixels, part: part, registers: key.registers))
    }

    /// The bytes for terminals that take PNG; nil for sixel.
    static func inline(
        _ key: EncodedKey, _ content: PictureContent, part: PixelRect
    ) -> [UInt8]? {
        switch key.mode {
        case .ordered, .orderedHalf, .ownDiffused, .libsixel: return nil
        case .kitty, .iterm2: break
        }
        let image = content.rendered(in: key.pixels, part: part)
        return key.mode == .kitty
            ? InlinePicture.kitty(image, cells: key.cells)
            : InlinePicture.iterm2(image, cells: key.cells)
    }

    private func quantized(_ job: Job, all: PixelRect) -> IndexedPicture {
        let image = job.content.rendered(in: job.key.pixels, part: all)
        // One register is left to the ground, where there is some.
        let fit = job.content.geometry(in: job.key.pixels).fit
        let hasGround = fit.width < all.width || fit.height < all.height
        let registers = max(2, min(256, job.key.registers) - (hasGround ? 1 : 0))
        var picture: IndexedPicture?
        if job.key.mode == .libsixel {
            picture = LibsixelEncoder.quantized(image, registers: registers)
        }
        let result = job.content.withExactGround(
            picture ?? ErrorDiffusion.indexed(image, colors: registers), pixels: job.key.pixels,
            part: all, registers: job.key.registers)
        var whole = job.key
        whole.part = nil
        state.withLock { $0.cache.insert(.indices(result), for: whole) }
        return result
    }
}
