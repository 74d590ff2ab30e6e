// Comparison of number lists with a useful report. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

/// Expects two lists to agree within `absolute + relative · |expected|`; reports the worst entry.
public func expectClose(
    _ actual: [Float], _ expected: [Float], absolute: Float = 1e-6, relative: Float = 1e-5,
    _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record(
            "\(label): \(actual.count) values, expected \(expected.count)",
            sourceLocation: sourceLocation)
        return
    }
    var worst = -1
    var excess: Float = 0
    for i in actual.indices {
        let difference = Swift.abs(actual[i] - expected[i])
        let allowed = absolute + relative * Swift.abs(expected[i])
        if actual[i] == expected[i] { continue }
        if !(difference <= allowed), worst < 0 || !(difference - allowed <= excess) {
            worst = i
            excess = difference - allowed
        }
    }
    guard worst >= 0 else { return }
    Issue.record(
        """
        \(label): worst at \(worst): \(actual[worst]), expected \(expected[worst]); \
        first values \(actual.prefix(5)) expected \(expected.prefix(5))
        """, sourceLocation: sourceLocation)
}

/// Expects a tensor to have a shape and values.
public func expectClose(
    _ actual: Tensor, _ expected: [Float], shape: [Int]? = nil, absolute: Float = 1e-6,
    relative: Float = 1e-5, _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    if let shape, actual.shape != shape {
        Issue.record(
            "\(label): shape \(actual.shape), expected \(shape)", sourceLocation: sourceLocation)
    }
    expectClose(
        actual.floats(), expected, absolute: absolute, relative: relative, label,
        sourceLocation: sourceLocation)
}

/// A tensor of reproducible normal deviates.
public func randomTensor(
    _ shape: [Int], seed: UInt64 = 1, scale: Float = 1, offset: Float = 0
) -> Tensor {
    var generator = RandomGenerator(seed: seed)
    return Tensor.normal(
        shape, mean: offset, standardDeviation: scale, generator: &generator)
}

/// Expects the recorded gradient of `Σ w·f(x)` with fixed random w to agree with central differences.
public func expectGradient(
    of function: (Tensor) -> Tensor, at x: Tensor, step: Float = 1e-2, tolerance: Float = 2e-2,
    _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    let weights = randomTensor(function(x).shape, seed: 99)
    func objective(_ x: Tensor) -> Tensor { (function(x) * weights).sum() }
    let leaf = x.leaf()
    guard let recorded = objective(leaf).backward()[leaf] else {
        if x.count > 0 {
            Issue.record("\(label): no gradient", sourceLocation: sourceLocation)
        }
        return
    }
    let numeric = numericalGradient(of: objective, at: x, step: step)
    let scale = numeric.floats().map(Swift.abs).max() ?? 1
    expectClose(
        recorded, numeric.floats(), shape: x.shape, absolute: tolerance * Swift.max(scale, 1e-3),
        relative: 0, label, sourceLocation: sourceLocation)
}
