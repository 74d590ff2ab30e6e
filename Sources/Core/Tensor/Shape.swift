// Shape arithmetic: strides, broadcasting, reshaping. SPDX-License-Identifier: Apache-2.0

/// Rules for shapes, as NumPy's.
package enum Shape {
    /// Row-major strides in elements.
    package static func contiguousStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for d in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[d] = strides[d + 1] * shape[d + 1]
        }
        return strides
    }

    /// Whether elements lie row-major without gaps; dimensions of size 1 do not matter.
    package static func isContiguous(_ shape: [Int], strides: [Int]) -> Bool {
        var expected = 1
        for d in stride(from: shape.count - 1, through: 0, by: -1) {
            if shape[d] == 0 { return true }
            if shape[d] != 1 && strides[d] != expected { return false }
            expected *= shape[d]
        }
        return true
    }

    /// One more than the largest element offset; 0 when there are no elements.
    package static func span(_ shape: [Int], strides: [Int]) -> Int {
        var last = 0
        for (n, s) in zip(shape, strides) {
            if n == 0 { return 0 }
            last += (n - 1) * s
        }
        return last + 1
    }

    /// The common shape of two operands.
    ///
    /// - Precondition: trailing dimensions are equal or 1.
    package static func broadcast(_ a: [Int], _ b: [Int], operation: String) -> [Int] {
        let rank = max(a.count, b.count)
        return (0..<rank).map { d in
            let i = d - (rank - a.count)
            let j = d - (rank - b.count)
            let m = i >= 0 ? a[i] : 1
            let n = j >= 0 ? b[j] : 1
            precondition(m == n || m == 1 || n == 1, "\(operation): shapes \(a) and \(b)")
            return m == 1 ? n : m
        }
    }

    /// Strides that read a tensor as if it had `shape`; 0 along broadcast dimensions.
    package static func broadcastStrides(_ tensor: Tensor, to shape: [Int]) -> [Int] {
        let lead = shape.count - tensor.rank
        return shape.indices.map { d in
            guard d >= lead else { return 0 }
            return tensor.shape[d - lead] == 1 && shape[d] != 1 ? 0 : tensor.strides[d - lead]
        }
    }

    /// Merges neighbouring dimensions that every operand walks alike; drops those of size 1.
    package static func collapse(_ shape: [Int], _ strides: [[Int]]) -> ([Int], [[Int]]) {
        var outShape: [Int] = []
        var outStrides = [[Int]](repeating: [], count: strides.count)
        for d in shape.indices where shape[d] != 1 {
            if let last = outShape.last,
                strides.indices.allSatisfy({ k in
                    (outStrides[k].last ?? 0) == strides[k][d] * shape[d]
                })
            {
                outShape[outShape.count - 1] = last * shape[d]
                for k in strides.indices { outStrides[k][outShape.count - 1] = strides[k][d] }
            } else {
                outShape.append(shape[d])
                for k in strides.indices { outStrides[k].append(strides[k][d]) }
            }
        }
        if outShape.isEmpty {
            outShape = [1]
            outStrides = outStrides.map { _ in [1] }
        }
        return (outShape, outStrides)
    }
}

/// Ends the program with one uniform message when an operator was given shapes it cannot take.
///
/// Only a programmer can cause this; what a user can cause is checked where it enters.
package func requireShapes(
    _ condition: Bool, _ operation: StaticString, _ shapes: @autoclosure () -> [[Int]]
) {
    precondition(condition, "\(operation): wrong shapes \(shapes())")
}
