// Pinned host memory for transfers. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// A ring of page-locked buffers, so that uploads need not wait for the GPU; used under the lock.
final class CUDAStaging {
    struct Slot {
        var memory: UnsafeMutableRawPointer
        var event: UnsafeMutableRawPointer
        var isBusy = false
    }

    static let slotSize = 4 << 20
    private static let slotCount = 8
    private var slots: [Slot] = []
    private var next = 0
    /// For copies that are begun and read later.
    private var idle: [Slot] = []

    /// Copies host bytes into the stream's order; returns when they have been read.
    func upload(
        _ bytes: UnsafeRawBufferPointer, to address: UInt64, stream: UnsafeMutableRawPointer
    ) throws(CUDAError) {
        guard let base = bytes.baseAddress else { return }
        for start in stride(from: 0, to: bytes.count, by: Self.slotSize) {
            let count = min(Self.slotSize, bytes.count - start)
            let index = try freeSlot()
            slots[index].memory.copyMemory(from: base + start, byteCount: count)
            try CUDAError.check(
                ccuda_upload(address + UInt64(start), slots[index].memory, count, stream),
                "copy \(bytes.count) bytes to its memory")
            try CUDAError.check(
                ccuda_event_record(slots[index].event, stream), "record an event")
            slots[index].isBusy = true
        }
    }

    /// Waits for the stream and copies device bytes to the host.
    func download(
        from address: UInt64, into bytes: UnsafeMutableRawBufferPointer,
        stream: UnsafeMutableRawPointer
    ) throws(CUDAError) {
        guard let base = bytes.baseAddress else { return }
        for start in stride(from: 0, to: bytes.count, by: Self.slotSize) {
            let count = min(Self.slotSize, bytes.count - start)
            let index = try freeSlot()
            try CUDAError.check(
                ccuda_download(slots[index].memory, address + UInt64(start), count, stream),
                "copy \(bytes.count) bytes from its memory")
            try CUDAError.check(ccuda_stream_wait(stream), "finish its work")
            (base + start).copyMemory(from: slots[index].memory, byteCount: count)
        }
    }

    /// Begins a copy of device bytes, at most ``slotSize``, to memory that is kept until it is read.
    func beginDownload(
        from address: UInt64, count: Int, stream: UnsafeMutableRawPointer
    ) throws(CUDAError) -> Slot {
        let slot = if let idle = idle.popLast() { idle } else { try makeSlot() }
        try CUDAError.check(
            ccuda_download(slot.memory, address, count, stream),
            "copy \(count) bytes from its memory")
        try CUDAError.check(ccuda_event_record(slot.event, stream), "record an event")
        return slot
    }

    /// Waits for the bytes of a copy that was begun.
    func finish(_ slot: Slot, into bytes: UnsafeMutableRawBufferPointer) throws(CUDAError) {
        defer { idle.append(slot) }
        try CUDAError.check(ccuda_event_wait(slot.event), "finish a transfer")
        bytes.baseAddress?.copyMemory(from: slot.memory, byteCount: bytes.count)
    }

    private func makeSlot() throws(CUDAError) -> Slot {
        var memory: UnsafeMutableRawPointer?
        var event: UnsafeMutableRawPointer?
        try CUDAError.check(
            ccuda_host_allocate(&memory, Self.slotSize), "lock host memory for transfers")
        try CUDAError.check(ccuda_event_create(&event), "make an event")
        guard let memory, let event else {
            throw .failed(operation: "lock host memory", reason: "the driver gave none")
        }
        return Slot(memory: memory, event: event)
    }

    private func freeSlot() throws(CUDAError) -> Int {
        if slots.count < Self.slotCount {
            slots.append(try makeSlot())
            return slots.count - 1
        }
        next = (next + 1) % slots.count
        if slots[next].isBusy {
            try CUDAError.check(ccuda_event_wait(slots[next].event), "finish a transfer")
            slots[next].isBusy = false
        }
        return next
    }
}
