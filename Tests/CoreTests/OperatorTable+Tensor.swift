// Rows for arithmetic, functions, reductions, layout and products. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

extension OperatorTable {
    private static let pairs: [[[Int]]] = [
        [[2, 3], [2, 3]], [[4, 1, 3], [2, 1]], [[3], [2, 3]], [[1], [1]], [[], [2, 2]],
        [[0, 3], [1, 3]], [[2, 3, 2, 2], [1, 3, 1, 1]],
    ]

    private static func pairRows(
        _ name: String, offset: Float = 0, isDifferentiable: Bool = true,
        _ operation: @escaping @Sendable (Tensor, Tensor) -> Tensor,
        _ function: @escaping @Sendable (Double, Double) -> Double
    ) -> [OperatorRow] {
        pairs.map { shapes in
            let rank = max(shapes[0].count, shapes[1].count)
            func padded(_ s: [Int]) -> [Int] { Array(repeating: 1, count: rank - s.count) + s }
            let out = zip(padded(shapes[0]), padded(shapes[1])).map { $0 == 1 ? $1 : $0 }
            return OperatorRow(
                name, shapes, isDifferentiable: isDifferentiable, offset: offset,
                operation: { operation($0[0], $0[1]) },
                oracle: { x in
                    OracleTensor(out) { function(x[0].broadcast($0), x[1].broadcast($0)) }
                })
        }
    }

    static let arithmetic: [OperatorRow] =
        pairRows("add", +, +) + pairRows("subtract", -, -) + pairRows("multiply", *, *)
        + pairRows("divide", offset: 6, /, /)
        + pairRows("maximum", { Tensor.maximum($0, $1) }, { Swift.max($0, $1) })
        + pairRows("minimum", { Tensor.minimum($0, $1) }, { Swift.min($0, $1) })
        + pairRows(
            "greater", isDifferentiable: false, { $0.greater(than: $1) }, { $0 > $1 ? 1 : 0 })

    private static func functionRows(
        _ name: String, offset: Float = 0, _ operation: @escaping @Sendable (Tensor) -> Tensor,
        _ function: @escaping @Sendable (Double) -> Double
    ) -> [OperatorRow] {
        [[5, 7], [1], [0, 2], [3, 1, 33]].map { shape in
            OperatorRow(
                name, [shape], offset: offset, operation: { operation($0[0]) },
                oracle: { $0[0].map(function) })
        }
    }

    static let functions: [OperatorRow] = [
        functionRows("negate", { -$0 }, { -$0 }),
        functionRows("addScalar", { 2 - ($0 + 0.75) }, { 2 - ($0 + 0.75) }),
        functionRows("multiplyScalar", { 3 * $0 / 2 }, { 1.5 * $0 }),
        functionRows("exp", { $0.exp() }, { Foundation.exp($0) }),
        functionRows("log", offset: 6, { $0.log() }, { Foundation.log($0) }),
        functionRows("sqrt", offset: 6, { $0.sqrt() }, { $0.squareRoot() }),
        functionRows("reciprocal", offset: 6, { $0.reciprocal() }, { 1 / $0 }),
        functionRows("square", { $0.square() }, { $0 * $0 }),
        functionRows("abs", { $0.abs() }, { Swift.abs($0) }),
        functionRows("relu", { $0.relu() }, { Swift.max($0, 0) }),
        functionRows("sigmoid", { $0.sigmoid() }, { 1 / (1 + Foundation.exp(-$0)) }),
        functionRows("tanh", { $0.tanh() }, { Foundation.tanh($0) }),
        functionRows("silu", { $0.silu() }, { $0 / (1 + Foundation.exp(-$0)) }),
        functionRows(
            "geluTanh", { $0.geluTanh() },
            { x in
                let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
                return 0.5 * x * (1 + Foundation.tanh(inner))
            }),
        functionRows(
            "clamped", { $0.clamped(-0.5, 0.8) }, { Swift.min(Swift.max($0, -0.5), 0.8) }),
    ].flatMap { $0 }

    private static func reduce(
        _ x: OracleTensor, _ axes: [Int], keep: Bool, _ body: ([Double]) -> Double
    ) -> OracleTensor {
        let shape = x.shape.indices.compactMap {
            axes.contains($0) ? (keep ? 1 : nil) : x.shape[$0]
        }
        let kept = x.shape.indices.filter { !axes.contains($0) }
        var groups: [[Int]: [Double]] = [:]
        for index in OracleTensor.indices(x.shape) {
            groups[kept.map { index[$0] }, default: []].append(x[index])
        }
        let keys = OracleTensor.indices(kept.map { x.shape[$0] })
        return OracleTensor(shape, keys.map { body(groups[$0] ?? []) })
    }

    private static func reductionRows(_ shape: [Int], _ axes: [Int]) -> [OperatorRow] {
        [true, false].flatMap { keep -> [OperatorRow] in
            let sum = OperatorRow(
                "sum", [shape], operation: { $0[0].sum(axes: axes, keepDimensions: keep) },
                oracle: { x in reduce(x[0], axes, keep: keep) { $0.reduce(0, +) } })
            let mean = OperatorRow(
                "mean", [shape.map { Swift.max($0, 1) }],
                operation: { $0[0].mean(axes: axes, keepDimensions: keep) },
                oracle: { x in
                    reduce(x[0], axes, keep: keep) { $0.reduce(0, +) / Double($0.count) }
                })
            return [sum, mean]
        }
    }

    private static func maximumRows(_ shape: [Int], _ axis: Int) -> [OperatorRow] {
        let max = OperatorRow(
            "max", [shape], operation: { $0[0].max(axis: axis) },
            oracle: { x in reduce(x[0], [axis], keep: false) { $0.max() ?? 0 } })
        let argmax = OperatorRow(
            "argmax", [shape], isDifferentiable: false, operation: { $0[0].argmax(axis: axis) },
            oracle: { x in
                reduce(x[0], [axis], keep: false) { row in
                    Double(row.indices.max { row[$0] < row[$1] } ?? 0)
                }
            })
        return [max, argmax]
    }

    private static let reducedShapes: [([Int], [Int])] = [
        ([3, 4], [0]), ([3, 4], [1]), ([2, 3, 4], [0, 2]), ([2, 3, 4], [1, 2]), ([300], [0]),
        ([2, 0], [1]), ([1, 1], [0, 1]),
    ]
    private static let maximumShapes: [([Int], Int)] = [
        ([3, 4], 0), ([3, 4], 1), ([2, 5, 3], 1), ([1], 0),
    ]

    static let reductions: [OperatorRow] =
        reducedShapes.flatMap { reductionRows($0.0, $0.1) }
        + maximumShapes.flatMap { maximumRows($0.0, $0.1) }

    static let layout: [OperatorRow] = [
        OperatorRow(
            "reshaped", [[2, 6]], operation: { $0[0].reshaped([3, -1]) },
            oracle: { OracleTensor([3, 4], $0[0].values) }),
        OperatorRow(
            "permuted", [[2, 3, 4]], operation: { $0[0].permuted([2, 0, 1]) },
            oracle: { x in OracleTensor([4, 2, 3]) { x[0][$0[1], $0[2], $0[0]] } }),
        OperatorRow(
            "transposed", [[2, 3]], operation: { $0[0].transposed() },
            oracle: { x in OracleTensor([3, 2]) { x[0][$0[1], $0[0]] } }),
        OperatorRow(
            "narrowed", [[4, 3]], operation: { $0[0].narrowed(axis: 0, start: 1, length: 2) },
            oracle: { x in OracleTensor([2, 3]) { x[0][$0[0] + 1, $0[1]] } }),
        OperatorRow(
            "narrowed", [[4, 3]], operation: { $0[0].narrowed(axis: 1, start: 3, length: 0) },
            oracle: { _ in OracleTensor([4, 0], []) }),
        OperatorRow(
            "split", [[2, 6]],
            operation: { x in
                let parts = x[0].split(axis: 1, sizes: [1, 2, 3])
                return Tensor.concatenated([parts[2] * 2, parts[0], parts[1] * parts[1]], axis: 1)
            },
            oracle: { x in
                OracleTensor([2, 6]) { i in
                    switch i[1] {
                    case 0...2: 2 * x[0][i[0], i[1] + 3]
                    case 3: x[0][i[0], 0]
                    default: x[0][i[0], i[1] - 3] * x[0][i[0], i[1] - 3]
                    }
                }
            }),
        OperatorRow(
            "expanded", [[2, 1, 3]], operation: { $0[0].expanded(to: [4, 2, 5, 3]) },
            oracle: { x in OracleTensor([4, 2, 5, 3]) { x[0].broadcast($0) } }),
        OperatorRow(
            "unsqueezed", [[2, 3]], operation: { $0[0].unsqueezed(1) },
            oracle: { OracleTensor([2, 1, 3], $0[0].values) }),
        OperatorRow(
            "squeezed", [[2, 1, 3]], operation: { $0[0].squeezed(1) },
            oracle: { OracleTensor([2, 3], $0[0].values) }),
        OperatorRow(
            "contiguous", [[3, 2]], operation: { $0[0].transposed().contiguous() },
            oracle: { x in OracleTensor([2, 3]) { x[0][$0[1], $0[0]] } }),
        OperatorRow(
            "padded", [[2, 3]], operation: { $0[0].padded(axis: 1, before: 1, after: 2) },
            oracle: { x in
                OracleTensor([2, 6]) { (1...3).contains($0[1]) ? x[0][$0[0], $0[1] - 1] : 0 }
            }),
        OperatorRow(
            "concatenated", [[2, 3], [2, 1]], operation: { Tensor.concatenated($0, axis: 1) },
            oracle: { x in
                OracleTensor([2, 4]) { $0[1] < 3 ? x[0][$0[0], $0[1]] : x[1][$0[0], 0] }
            }),
        OperatorRow(
            "stacked", [[2, 3], [2, 3]], operation: { Tensor.stacked($0, axis: 1) },
            oracle: { x in OracleTensor([2, 2, 3]) { x[$0[1]][$0[0], $0[2]] } }),
    ]

    private static func matmulRow(_ a: [Int], _ b: [Int]) -> OperatorRow {
        let lead = Swift.max(a.count, b.count) - 2
        func padded(_ s: [Int]) -> [Int] { Array(repeating: 1, count: lead + 2 - s.count) + s }
        let batch = (0..<lead).map { Swift.max(padded(a)[$0], padded(b)[$0]) }
        let inner = a[a.count - 1]
        return OperatorRow(
            "matmul", [a, b], operation: { matmul($0[0], $0[1]) },
            oracle: { x in
                OracleTensor(batch + [a[a.count - 2], b[b.count - 1]]) { i in
                    let head = Array(i[..<lead])
                    var sum = 0.0
                    for k in 0..<inner {
                        let left = x[0].broadcast(head + [i[lead], k])
                        sum += left * x[1].broadcast(head + [k, i[lead + 1]])
                    }
                    return sum
                }
            })
    }

    private static func linearRow(_ shape: [Int]) -> OperatorRow {
        OperatorRow(
            "linear", [shape, [5, 4], [5]], operation: { linear($0[0], $0[1], $0[2]) },
            oracle: { x in
                OracleTensor(Array(shape.dropLast()) + [5]) { i in
                    let head = Array(i.dropLast())
                    let n = i[i.count - 1]
                    var sum = x[2][n]
                    for k in 0..<4 { sum += x[0][head + [k]] * x[1][n, k] }
                    return sum
                }
            })
    }

    private static func feedForwardRow(_ shape: [Int]) -> OperatorRow {
        OperatorRow(
            "feedForward", [shape, [6, 3], [6], [2, 6], [2]],
            operation: { feedForward($0[0], $0[1], $0[2], $0[3], $0[4]) },
            oracle: { x in
                OracleTensor(Array(shape.dropLast()) + [2]) { i in
                    let head = Array(i.dropLast())
                    let n = i[i.count - 1]
                    return (0..<6).reduce(x[4][n]) { sum, h in
                        let v = (0..<3).reduce(x[2][h]) { $0 + x[0][head + [$1]] * x[1][h, $1] }
                        let inner = (2 / Double.pi).squareRoot() * (v + 0.044715 * v * v * v)
                        return sum + x[3][n, h] * 0.5 * v * (1 + Foundation.tanh(inner))
                    }
                }
            })
    }

    private static let matmulShapes: [([Int], [Int])] = [
        ([3, 4], [4, 5]), ([2, 3, 4], [4, 5]), ([2, 3, 4], [2, 4, 5]), ([2, 1, 3, 4], [3, 4, 2]),
        ([1, 1], [1, 1]), ([0, 4], [4, 2]), ([2, 0], [0, 3]),
    ]

    static let products: [OperatorRow] =
        matmulShapes.map { matmulRow($0.0, $0.1) }
        + [[3, 4], [2, 3, 4], [4], [0, 4]].map { linearRow($0) }
        + [[4, 3], [2, 1, 3], [0, 3]].map { feedForwardRow($0) }
}
