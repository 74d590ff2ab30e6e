// One row of the operator table and how it is checked. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

/// An operator on some shapes, with the naive double-precision function it must agree with.
public struct OperatorRow: Sendable, CustomTestStringConvertible {
    /// The operator's name in the catalogue.
    public var name: String
    /// Shapes of the float inputs.
    public var shapes: [[Int]]
    /// Whether gradients are checked.
    public var isDifferentiable: Bool
    /// Mean of the random inputs; move it away from kinks and poles.
    public var offset: Float
    /// Largest difference allowed, relative to the largest expected magnitude (at least 1).
    public var tolerance: Double
    public var operation: @Sendable ([Tensor]) -> Tensor
    public var oracle: @Sendable ([OracleTensor]) -> OracleTensor

    public init(
        _ name: String, _ shapes: [[Int]], isDifferentiable: Bool = true, offset: Float = 0,
        tolerance: Double = 2e-6, operation: @escaping @Sendable ([Tensor]) -> Tensor,
        oracle: @escaping @Sendable ([OracleTensor]) -> OracleTensor
    ) {
        self.name = name
        self.shapes = shapes
        self.isDifferentiable = isDifferentiable
        self.offset = offset
        self.tolerance = tolerance
        self.operation = operation
        self.oracle = oracle
    }

    public var testDescription: String { "\(name) \(shapes)" }

    private var inputs: [Tensor] {
        shapes.enumerated().map {
            randomTensor($0.element, seed: UInt64($0.offset + 1), offset: offset)
        }
    }

    /// Checks values, values from non-contiguous inputs, and gradients.
    public func check() {
        let inputs = inputs
        let expected = oracle(inputs.map { OracleTensor($0) })
        compare(operation(inputs), expected, tolerance, "\(testDescription)")
        compare(
            operation(inputs.map(nonContiguous)), expected, tolerance,
            "\(testDescription) from strided inputs")
        if isDifferentiable { checkGradients(inputs, expected) }
    }

    private func checkGradients(_ inputs: [Tensor], _ value: OracleTensor) {
        let weights = randomTensor(value.shape, seed: 99)
        let leaves = inputs.map { nonContiguous($0).leaf() }
        let loss = (operation(leaves) * weights).sum()
        let gradients = loss.backward()
        let w = OracleTensor(weights).values
        func objective(_ inputs: [OracleTensor]) -> Double {
            zip(oracle(inputs).values, w).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let doubles = inputs.map { OracleTensor($0) }
        for k in inputs.indices where inputs[k].count > 0 {
            var numeric = doubles[k]
            for i in numeric.values.indices {
                let h = 1e-5
                var moved = doubles
                moved[k].values[i] += h
                let upper = objective(moved)
                moved[k].values[i] -= 2 * h
                numeric.values[i] = (upper - objective(moved)) / (2 * h)
            }
            guard let recorded = gradients[leaves[k]] else {
                if numeric.values.contains(where: { Swift.abs($0) > 1e-9 }) {
                    Issue.record("\(testDescription): no gradient for input \(k)")
                }
                continue
            }
            compare(
                recorded, numeric, Swift.max(1e-4, 20 * tolerance),
                "\(testDescription): gradient of input \(k)")
        }
    }

    private func compare(
        _ actual: Tensor, _ expected: OracleTensor, _ tolerance: Double, _ label: String
    ) {
        let scale = Swift.max(1, expected.values.map(Swift.abs).max() ?? 1)
        let values = actual.dtype == .int32 ? actual.int32s().map(Float.init) : actual.floats()
        expectClose(
            values, expected.values.map(Float.init), absolute: Float(tolerance * scale),
            relative: 0, label)
        if actual.shape != expected.shape {
            Issue.record("\(label): shape \(actual.shape), expected \(expected.shape)")
        }
    }
}

/// The same values stored with dimensions in reverse order and a gap behind each row.
public func nonContiguous(_ tensor: Tensor) -> Tensor {
    guard tensor.rank > 0, tensor.count > 0 else { return tensor }
    let order = Array((0..<tensor.rank).reversed())
    let reversed = tensor.permuted(order).contiguous()
    let last = reversed.rank - 1
    return reversed.padded(axis: last, before: 1, after: 2)
        .narrowed(axis: last, start: 1, length: reversed.shape[last]).permuted(order)
}
