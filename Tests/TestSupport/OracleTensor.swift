// A naive tensor in double precision, the oracle of the operator table.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A row-major array of doubles with a shape; everything about it is the obvious loop.
public struct OracleTensor: Sendable {
    public var shape: [Int]
    public var values: [Double]

    public init(_ shape: [Int], _ values: [Double]) {
        precondition(shape.reduce(1, *) == values.count, "\(shape) with \(values.count) values")
        self.shape = shape
        self.values = values
    }

    /// Filled by a function of the index vector.
    public init(_ shape: [Int], _ value: ([Int]) -> Double) {
        self.shape = shape
        values = OracleTensor.indices(shape).map(value)
    }

    public init(_ tensor: Tensor) {
        self.init(tensor.shape, tensor.floats().map(Double.init))
    }

    /// All index vectors of a shape, row-major.
    public static func indices(_ shape: [Int]) -> [[Int]] {
        var result: [[Int]] = [[]]
        for n in shape { result = result.flatMap { head in (0..<n).map { head + [$0] } } }
        return result
    }

    private func position(_ index: [Int]) -> Int {
        zip(shape, index).reduce(0) { $0 * $1.0 + $1.1 }
    }

    public subscript(index: [Int]) -> Double {
        get { values[position(index)] }
        set { values[position(index)] = newValue }
    }

    public subscript(index: Int...) -> Double {
        get { values[position(index)] }
        set { values[position(index)] = newValue }
    }

    /// The value at an index of a larger, broadcast shape.
    public func broadcast(_ index: [Int]) -> Double {
        let tail = Array(index.suffix(shape.count))
        return self[zip(shape, tail).map { $0 == 1 ? 0 : $1 }]
    }

    public func map(_ body: (Double) -> Double) -> OracleTensor {
        OracleTensor(shape, values.map(body))
    }
}
