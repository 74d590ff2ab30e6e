// The tensor value: storage, shape, strides, type, and its place in the autograd graph.
// SPDX-License-Identifier: Apache-2.0

/// An n-dimensional array on a device.
///
/// A value: operators return new tensors, and views share storage without copying. Layout is
/// row-major where not strided. Arithmetic is float32; other types are storage and indices.
public struct Tensor: Sendable {
    /// The bytes.
    public let storage: Storage
    /// The element type.
    public let dtype: DType
    /// The extent of every dimension; empty for a scalar.
    public let shape: [Int]
    /// Elements to skip for one step along each dimension; 0 where expanded.
    public let strides: [Int]
    /// Elements before the first one.
    public let offset: Int
    /// Where the value came from, while gradients are recorded.
    package let node: GradientNode?

    /// Assembles a tensor from its parts; devices and views use it.
    ///
    /// - Precondition: every element addressed lies in the storage.
    public init(
        storage: Storage, dtype: DType, shape: [Int], strides: [Int]? = nil, offset: Int = 0
    ) {
        self.init(
            storage: storage, dtype: dtype, shape: shape, strides: strides, offset: offset,
            node: nil)
    }

    package init(
        storage: Storage, dtype: DType, shape: [Int], strides: [Int]? = nil, offset: Int = 0,
        node: GradientNode?
    ) {
        let strides = strides ?? Shape.contiguousStrides(shape)
        precondition(strides.count == shape.count, "Tensor: \(shape) with strides \(strides)")
        precondition(
            Shape.span(shape, strides: strides) + offset <= storage.byteCount / dtype.byteCount,
            "Tensor: \(shape) strides \(strides) offset \(offset) leaves \(storage.byteCount) bytes"
        )
        self.storage = storage
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.node = node
    }

    /// Elements in all.
    public var count: Int { shape.reduce(1, *) }
    /// Number of dimensions.
    public var rank: Int { shape.count }
    /// The device that holds it.
    public var device: any Device { storage.device }
    /// Whether elements lie row-major without gaps.
    public var isContiguous: Bool { Shape.isContiguous(shape, strides: strides) }
    /// Whether operations on it are recorded.
    public var requiresGradient: Bool { node != nil }
    /// The first element's address; for kernels only.
    package var address: UnsafeMutableRawPointer { storage.address + offset * dtype.byteCount }

    /// The same value without its history.
    public func detached() -> Tensor {
        Tensor(storage: storage, dtype: dtype, shape: shape, strides: strides, offset: offset)
    }

    func with(node: GradientNode?) -> Tensor {
        Tensor(
            storage: storage, dtype: dtype, shape: shape, strides: strides, offset: offset,
            node: node)
    }

    /// A view of the same storage without history.
    func view(shape: [Int], strides: [Int], offset: Int) -> Tensor {
        Tensor(storage: storage, dtype: dtype, shape: shape, strides: strides, offset: offset)
    }

    /// The dimension meant by `axis`, which may count from the end.
    func resolved(_ axis: Int) -> Int {
        let resolved = axis < 0 ? axis + rank : axis
        precondition(resolved >= 0 && resolved < rank, "axis \(axis) of a tensor of shape \(shape)")
        return resolved
    }
}
