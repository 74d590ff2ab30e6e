// The bytes behind tensors. SPDX-License-Identifier: Apache-2.0

/// A block of device memory with an owner; identity is real, so a class.
///
/// Unsafe by nature: the device that made it guarantees `byteCount` bytes at `address` for as long
/// as the object lives. Kernels write a storage only before the tensor that holds it is published;
/// the optimiser's in-place update of a ``Parameter`` is the one exception, made between steps.
public final class Storage: @unchecked Sendable {
    /// Start of the block; a host address for the CPU device.
    public let address: UnsafeMutableRawPointer
    /// Size in bytes.
    public let byteCount: Int
    /// The device whose kernels may touch it.
    public let device: any Device
    /// The same elements in bfloat16, kept by a device that computes with them; guarded by its lock.
    var companion: Storage?
    /// Copies of parts of it in layouts that a device's kernels read, guarded and forgotten likewise.
    var packed: [PackedLayout: Storage] = [:]
    private let release: @Sendable (UnsafeMutableRawPointer, Int) -> Void

    /// Wraps a block; `release` is called once with it at the end.
    public init(
        address: UnsafeMutableRawPointer, byteCount: Int, device: any Device,
        release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
    ) {
        self.address = address
        self.byteCount = byteCount
        self.device = device
        self.release = release
    }

    deinit { release(address, byteCount) }

    /// Drops what was derived from it; for a device that is about to write it in place.
    func forgetDerived() {
        companion = nil
        if !packed.isEmpty { packed = [:] }
    }
}

/// Which part of a storage was copied, and how: numbers that only the device understands.
struct PackedLayout: Hashable, Sendable {
    var numbers: [Int]
}
