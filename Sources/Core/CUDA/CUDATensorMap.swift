// How the tensor memory accelerator of a GPU reads a tensor.
// SPDX-License-Identifier: Apache-2.0
import CCUDA

/// A bf16 tensor of up to four dimensions, innermost first, and the box of it that one copy brings into
/// shared memory; what lies outside of the tensor comes as zeros.
struct CUDATensorMap {
    let tensor: Tensor
    let sizes: [Int]
    /// Elements between neighbours of every dimension but the first; multiples of 8.
    let strides: [Int]
    /// At most 32 elements of the first dimension, 256 of the others.
    let box: [Int]

    func description(_ address: UInt64) -> ccuda_tensor_map {
        var map = ccuda_tensor_map()
        map.address = address
        map.rank = Int32(sizes.count)
        withUnsafeMutableBytes(of: &map.sizes) { fill($0, sizes.map(UInt64.init)) }
        withUnsafeMutableBytes(of: &map.strides) { fill($0, strides.map { UInt64(2 * $0) }) }
        withUnsafeMutableBytes(of: &map.box) { fill($0, box.map(UInt32.init)) }
        return map
    }

    private func fill<T>(_ field: UnsafeMutableRawBufferPointer, _ values: [T]) {
        let field = field.bindMemory(to: T.self)
        for (i, value) in values.enumerated() { field[i] = value }
    }
}
