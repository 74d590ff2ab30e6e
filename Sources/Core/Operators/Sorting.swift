// Sorting and the largest entries. SPDX-License-Identifier: Apache-2.0

/// The stable order of the last dimension: equal values keep their order; NaN is last.
///
/// - Returns: int32 indices of the shape of x. Not differentiable.
public func argsort(_ x: Tensor, descending: Bool = false) -> Tensor {
    requireShapes(x.rank >= 1, "argsort", [x.shape])
    return x.device.argsort(x.detached().contiguous(), descending: descending)
}

/// The last dimension sorted from the largest value down, with the indices; stable.
public func sortedDescending(_ x: Tensor) -> (values: Tensor, indices: Tensor) {
    topK(x, x.shape[x.rank - 1])
}

/// The `k` largest values of the last dimension, largest first, the earlier one first on ties.
///
/// - Returns: values [..., k] (differentiable) and int32 indices.
public func topK(_ x: Tensor, _ k: Int) -> (values: Tensor, indices: Tensor) {
    let axis = x.rank - 1
    requireShapes(axis >= 0 && k >= 0 && k <= x.shape[axis], "topK", [x.shape, [k]])
    let width = x.shape[axis]
    let shape = Array(x.shape.dropLast()) + [k]
    let x = x.contiguous()
    let order = argsort(x, descending: true)
        .narrowed(axis: axis, start: 0, length: k).contiguous()
    // Entries as rows of a table of width 1: one gather serves every leading shape.
    let rows = shape.dropLast().reduce(1, *)
    let local = order.int32s()
    let flat = Tensor(
        int32: local.indices.map { Int32($0 / max(1, k) * width) + local[$0] },
        shape: [rows * k], device: x.device)
    let values = embedding(x.reshaped([x.count, 1]), indices: flat).reshaped(shape)
    return (values, order)
}
