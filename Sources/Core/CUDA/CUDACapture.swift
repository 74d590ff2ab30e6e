// What a graph being captured has to keep alive. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// The state of a capture: the graph's own memory, and what it reads from outside.
///
/// Used under the device's lock.
final class CUDACapture {
    /// The memory of one graph, or of several that run one after the other.
    final class Memory: @unchecked Sendable {
        let pool = CUDAMemory.Pool()
        private let device: CUDADevice

        init(_ device: CUDADevice) { self.device = device }

        deinit {
            device.lock.withLock {
                // A replay may still be running in it.
                _ = ccuda_stream_wait(device.stream)
                device.memory.release(pool)
            }
        }
    }

    let memory: Memory
    var pool: CUDAMemory.Pool { memory.pool }
    /// Tensors from outside that replays find changed; nil when all may be.
    private let state: Set<ObjectIdentifier>?
    private(set) var touched: [ObjectIdentifier: Storage] = [:]
    private(set) var hostMemory: [UnsafeMutableRawPointer] = []

    init(_ memory: Memory, changing state: [Tensor]?) {
        self.memory = memory
        self.state = state.map { Set($0.map { ObjectIdentifier($0.storage) }) }
    }

    /// Whether a storage from outside holds the same at every replay.
    func isConstant(_ storage: Storage) -> Bool {
        state.map { !$0.contains(ObjectIdentifier(storage)) } ?? false
    }

    /// Keeps a storage for as long as the graph lives, unless it lies in the graph's own memory.
    func touch(_ storage: Storage, _ memory: CUDAMemory) {
        let address = UInt64(UInt(bitPattern: storage.address))
        if !memory.isOwned(address, by: pool) { touched[ObjectIdentifier(storage)] = storage }
    }

    /// Page-locked memory that every replay reads anew: an upload inside a graph is a constant.
    func hostCopy(of bytes: UnsafeRawBufferPointer) throws(CUDAError) -> UnsafeMutableRawPointer? {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        var memory: UnsafeMutableRawPointer?
        try CUDAError.check(
            ccuda_host_allocate(&memory, bytes.count), "lock host memory for a graph")
        memory?.copyMemory(from: base, byteCount: bytes.count)
        if let memory { hostMemory.append(memory) }
        return memory
    }

    /// Gives the page-locked memory back.
    func freeHostMemory() {
        for memory in hostMemory { _ = ccuda_host_free(memory) }
        hostMemory = []
    }
}
