// How a strided kernel walks its operands. SPDX-License-Identifier: Apache-2.0

/// Up to six dimensions with a stride for each operand, merged as far as they can be.
struct CUDAWalk {
    private(set) var shape: [Int]
    private(set) var operandStrides: [[Int]]
    /// Bytes of what one thread moves.
    private(set) var elementSize = 4

    /// - Returns: nil for more than six dimensions that cannot be merged.
    init?(_ shape: [Int], _ strides: [[Int]]) {
        (self.shape, operandStrides) = Shape.collapse(shape, strides)
        if self.shape.count > 6 { return nil }
    }

    var count: Int { shape.reduce(1, *) }
    /// Positions are computed in 32 bits.
    var fits: Bool { count < 1 << 32 }

    /// The same walk in larger elements where all operands allow it.
    ///
    /// - Parameters:
    ///   - elementSize: bytes of an element as it is.
    ///   - sizes: those to try, largest first.
    ///   - addresses: of the operands' first elements.
    func widened(
        elementSize: Int, to sizes: [Int], addresses: [UnsafeMutableRawPointer]
    ) -> CUDAWalk {
        var result = self
        result.elementSize = elementSize
        guard let last = shape.last, operandStrides.allSatisfy({ $0.last == 1 }) else {
            return result
        }
        for size in sizes where size > elementSize {
            let factor = size / elementSize
            let divides =
                last % factor == 0
                && operandStrides.allSatisfy { $0.dropLast().allSatisfy { $0 % factor == 0 } }
                && addresses.allSatisfy { UInt(bitPattern: $0) % UInt(size) == 0 }
            guard divides else { continue }
            result.elementSize = size
            result.shape[shape.count - 1] = last / factor
            for k in operandStrides.indices {
                for d in shape.indices.dropLast() { result.operandStrides[k][d] /= factor }
            }
            return result
        }
        return result
    }

    /// The extents of all dimensions but the outermost of six.
    var extents: [CUDAArgument] {
        padded(shape, with: 1).dropFirst().map { .int(Int32(bitPattern: UInt32($0))) }
    }

    /// The six strides of an operand.
    func strides(_ operand: Int) -> [CUDAArgument] {
        padded(operandStrides[operand], with: 0).map { .long($0) }
    }

    private func padded(_ values: [Int], with filler: Int) -> [Int] {
        [Int](repeating: filler, count: 6 - values.count) + values
    }
}
