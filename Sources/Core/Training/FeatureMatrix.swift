// Feature vectors of a set of examples.
// SPDX-License-Identifier: Apache-2.0

/// N feature vectors of one width, row by row.
public struct FeatureMatrix: Sendable, Equatable {
    /// Numbers per example, D.
    public let width: Int
    /// N·D values, row-major.
    public private(set) var values: [Float]

    /// Examples, N.
    public var count: Int { values.count / width }

    /// An empty matrix, or one of given values.
    ///
    /// - Precondition: `width ≥ 1`, and the number of values is a multiple of it.
    public init(width: Int, values: [Float] = []) {
        precondition(width >= 1, "features of width \(width)")
        precondition(
            values.count % width == 0, "\(values.count) values are no rows of \(width)")
        self.width = width
        self.values = values
    }

    /// The rows of a tensor [N, …]; every other dimension is flattened.
    public init(_ tensor: Tensor) {
        self.init(
            width: max(1, tensor.shape.dropFirst().reduce(1, *)), values: tensor.floats())
    }

    /// One example's features.
    public subscript(row: Int) -> ArraySlice<Float> {
        values[(row * width)..<((row + 1) * width)]
    }

    /// Appends examples.
    ///
    /// - Precondition: equal widths.
    public mutating func append(_ other: FeatureMatrix) {
        precondition(other.width == width, "rows of \(other.width) appended to rows of \(width)")
        values += other.values
    }

    /// A range of examples.
    public func rows(_ range: Range<Int>) -> FeatureMatrix {
        FeatureMatrix(
            width: width,
            values: Array(values[(range.lowerBound * width)..<(range.upperBound * width)]))
    }

    /// The rows as a tensor [N, D] of the CPU, so that distances are the same whatever device the
    /// features come from.
    var tensor: Tensor { Tensor(values, shape: [count, width], device: CPUDevice.shared) }
}
