// Weights of any size from a seed, in less than the time of reading them from a disk.
// SPDX-License-Identifier: Apache-2.0
import Core
import Dispatch
import Models

/// Draws weights straight into memory, on all cores.
///
/// Uniform numbers of the deviation that the network's initializers ask for: activations stay in the
/// range of a network that is about to be trained, which is all that a measurement of speed needs.
struct GeneratedWeights {
    /// Numbers drawn by one task.
    private static let blockLength = 1 << 20
    let seed: UInt64

    /// A store for one network.
    ///
    /// - Parameter stream: tells the networks of one seed apart.
    func store(stream: UInt64) -> ParameterStore {
        var count: UInt64 = 0
        return ParameterStore(
            making: .init(
                parameter: { _, shape, initializer in
                    count += 1
                    return tensor(shape, initializer, key: stream << 32 | count)
                },
                buffer: { _, shape, make in
                    // Masks of whole sequences are never used; at 1024 pixels they would be large.
                    shape.reduce(1, *) < 1 << 18
                        ? make()
                        : Tensor.zeros([Int](repeating: 1, count: shape.count)).expanded(to: shape)
                }))
    }

    /// One tensor.
    func tensor(_ shape: [Int], _ initializer: Initializer, key: UInt64) -> Tensor {
        switch initializer {
        case .zeros: .zeros(shape)
        case .ones: .full(shape, 1)
        case .constant(let value): .full(shape, value)
        case .normal(let deviation), .truncatedNormal(let deviation):
            uniform(shape, bound: deviation * Float(3).squareRoot(), key: key)
        case .uniform(let bound): uniform(shape, bound: bound, key: key)
        }
    }

    private func uniform(_ shape: [Int], bound: Float, key: UInt64) -> Tensor {
        let count = shape.reduce(1, *)
        let storage = hostDevice.allocate(byteCount: 4 * count)
        nonisolated(unsafe) let values = storage.address.assumingMemoryBound(to: Float.self)
        let start = Self.mixed(seed ^ Self.mixed(key))
        let length = Self.blockLength
        DispatchQueue.concurrentPerform(iterations: (count + length - 1) / length) { block in
            let end = min(count, (block + 1) * length)
            for pair in block * length / 2..<(end + 1) / 2 {
                let bits = Self.mixed(start &+ UInt64(truncatingIfNeeded: pair))
                let i = 2 * pair
                values[i] = Float(Int32(truncatingIfNeeded: bits)) * (bound * 0x1p-31)
                if i + 1 < end {
                    values[i + 1] =
                        Float(Int32(truncatingIfNeeded: bits >> 32)) * (bound * 0x1p-31)
                }
            }
        }
        let host = Tensor(storage: storage, dtype: .float32, shape: shape)
        let device = currentDevice
        guard !(device is CPUDevice) else { return host }
        let moved = Tensor.empty(shape, device: device)
        device.write(
            UnsafeRawBufferPointer(start: storage.address, count: 4 * count), into: moved)
        return withExtendedLifetime(host) { moved }
    }

    /// A bijection of 64 bits whose output bits all depend on all input bits.
    ///
    /// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    private static func mixed(_ x: UInt64) -> UInt64 {
        var z = (x &+ 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
