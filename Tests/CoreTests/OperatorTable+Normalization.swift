// Rows for normalisation, softmax and losses. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

extension OperatorTable {
    /// (x − mean) / √(variance + epsilon).
    private static func standardized(_ x: [Double], _ epsilon: Double) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return x.map { ($0 - mean) / (variance + epsilon).squareRoot() }
    }

    /// Each row of the last dimension replaced by a function of it and its number.
    private static func rowwise(
        _ x: OracleTensor, _ body: (Int, [Double]) -> [Double]
    ) -> OracleTensor {
        let width = x.shape[x.shape.count - 1]
        if x.values.isEmpty { return x }
        let rows = x.values.count / width
        return OracleTensor(
            x.shape,
            (0..<rows).flatMap { body($0, Array(x.values[$0 * width..<($0 + 1) * width])) })
    }

    /// Group normalisation by its definition, behind it SiLU if asked for.
    static func naiveGroupNorm(
        _ x: OracleTensor, _ weight: OracleTensor, _ bias: OracleTensor, groups: Int,
        epsilon: Float, silu: Bool
    ) -> OracleTensor {
        if x.values.isEmpty { return x }
        let shape = x.shape
        let pixels = shape[2...].reduce(1, *)
        let size = shape[1] / groups * pixels
        var y = x
        for g in 0..<shape[0] * groups {
            let range = g * size..<(g + 1) * size
            let unit = standardized(Array(x.values[range]), Double(epsilon))
            for (at, value) in zip(range, unit) {
                let c = at / pixels % shape[1]
                let z = value * weight.values[c] + bias.values[c]
                y.values[at] = silu ? z / (1 + Foundation.exp(-z)) : z
            }
        }
        return y
    }

    private static func groupNormRow(
        _ shape: [Int], groups: Int, _ activation: FusedActivation, epsilon: Float = 1e-2
    ) -> OperatorRow {
        OperatorRow(
            "groupNorm", [shape, [shape[1]], [shape[1]]], tolerance: 3e-6,
            operation: {
                groupNorm(
                    $0[0], groups: groups, weight: $0[1], bias: $0[2], epsilon: epsilon,
                    activation: activation)
            },
            oracle: {
                naiveGroupNorm(
                    $0[0], $0[1], $0[2], groups: groups, epsilon: epsilon,
                    silu: activation == .silu)
            })
    }

    private static func layerNormRow(
        _ shape: [Int], hasWeight: Bool, hasBias: Bool
    ) -> OperatorRow {
        let c = shape[shape.count - 1]
        return OperatorRow(
            "layerNorm", [shape] + (hasWeight ? [[c]] : []) + (hasBias ? [[c]] : []),
            operation: {
                layerNorm(
                    $0[0], weight: hasWeight ? $0[1] : nil, bias: hasBias ? $0.last : nil,
                    epsilon: 1e-2)
            },
            oracle: { input in
                rowwise(input[0]) { _, row in
                    standardized(row, 0.01).enumerated().map { i, z in
                        z * (hasWeight ? input[1].values[i] : 1)
                            + (hasBias ? input[input.count - 1].values[i] : 0)
                    }
                }
            })
    }

    /// Rows of [B, L, C] with one row of a condition per batch entry, or one each.
    private static func conditionedRows(_ x: [Int], _ condition: [Int]) -> [OperatorRow] {
        let c = x[2]
        let share = condition[1] == x[1] ? 1 : x[1]
        return [
            OperatorRow(
                "modulatedLayerNorm", [x, condition, condition],
                operation: {
                    modulatedLayerNorm($0[0], scale: $0[1], shift: $0[2], epsilon: 1e-2)
                },
                oracle: { input in
                    rowwise(input[0]) { r, row in
                        standardized(row, 0.01).enumerated().map { i, z in
                            z * (1 + input[1].values[r / share * c + i])
                                + input[2].values[r / share * c + i]
                        }
                    }
                }),
            OperatorRow(
                "gatedResidual", [x, x, condition],
                operation: { gatedResidual($0[0], $0[1], gate: $0[2]) },
                oracle: { input in
                    rowwise(input[0]) { r, row in
                        row.enumerated().map { i, value in
                            value + input[1].values[r * c + i]
                                * input[2].values[r / share * c + i]
                        }
                    }
                }),
        ]
    }

    static let normalizations: [OperatorRow] =
        [FusedActivation.none, .silu].flatMap { activation in
            [
                groupNormRow([2, 6, 3, 4], groups: 3, activation),
                groupNormRow([1, 4, 1, 1], groups: 4, activation),
                groupNormRow([0, 4, 2, 2], groups: 2, activation),
                groupNormRow([1, 3, 6, 7], groups: 1, activation),
            ]
        }
        + [[3, 5], [2, 3, 7], [70, 3], [0, 4], [3, 1], [6]].flatMap { shape in
            [
                layerNormRow(shape, hasWeight: false, hasBias: false),
                layerNormRow(shape, hasWeight: true, hasBias: true),
                layerNormRow(shape, hasWeight: true, hasBias: false),
                layerNormRow(shape, hasWeight: false, hasBias: true),
            ]
        }
        + conditionedRows([2, 3, 5], [2, 1, 5]) + conditionedRows([2, 3, 5], [2, 3, 5])
        + conditionedRows([1, 70, 3], [1, 1, 3]) + conditionedRows([0, 2, 3], [0, 1, 3])
        + conditionedRows([2, 1, 1], [2, 1, 1])
        + [([4, 5], -1), ([2, 3, 4], 1), ([3, 1], -1), ([0, 3], -1)].map {
            (shape: [Int], axis: Int) in
            OperatorRow(
                "l2Normalized", [shape], operation: { l2Normalized($0[0], axis: axis) },
                oracle: { x in
                    alongAxis(x[0], axis) { row in
                        let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                        return row.map { $0 / Swift.max(norm, 1e-12) }
                    }
                })
        }

    // MARK: Softmax

    /// Each line along an axis replaced by a function of it.
    static func alongAxis(
        _ x: OracleTensor, _ axis: Int, _ body: ([Double]) -> [Double]
    ) -> OracleTensor {
        let axis = axis < 0 ? axis + x.shape.count : axis
        var y = x
        var heads = x.shape
        heads[axis] = Swift.min(1, heads[axis])
        for head in OracleTensor.indices(heads) {
            var index = head
            let line = (0..<x.shape[axis]).map { k -> Double in
                index[axis] = k
                return x[index]
            }
            for (k, value) in body(line).enumerated() {
                index[axis] = k
                y[index] = value
            }
        }
        return y
    }

    private static func logSumExp(_ x: [Double]) -> Double {
        let largest = x.max() ?? 0
        return largest + Foundation.log(x.reduce(0) { $0 + Foundation.exp($1 - largest) })
    }

    private static let softmaxShapes: [([Int], Int)] = [
        ([3, 5], -1), ([2, 3, 4], 1), ([2, 40], -1), ([4, 1], -1), ([0, 3], -1), ([6], 0),
    ]

    static let softmaxes: [OperatorRow] = softmaxShapes.flatMap { shape, axis in
        [
            OperatorRow(
                "softmax", [shape], operation: { softmax($0[0], axis: axis) },
                oracle: { x in
                    alongAxis(x[0], axis) { row in
                        let total = logSumExp(row)
                        return row.map { Foundation.exp($0 - total) }
                    }
                }),
            OperatorRow(
                "logSoftmax", [shape], operation: { logSoftmax($0[0], axis: axis) },
                oracle: { x in
                    alongAxis(x[0], axis) { row in
                        let total = logSumExp(row)
                        return row.map { $0 - total }
                    }
                }),
        ]
    }

    static let losses: [OperatorRow] = [[4, 5], [3, 1], [0, 4], [2, 70]].map { shape in
        let targets = (0..<shape[0]).map { ($0 * 3 + 1) % shape[1] }
        return OperatorRow(
            "crossEntropy", [shape],
            operation: {
                crossEntropy(
                    $0[0], targets: Tensor(int32: targets.map(Int32.init), shape: [shape[0]]))
            },
            oracle: { x in
                OracleTensor(
                    [shape[0]],
                    (0..<shape[0]).map { r in
                        logSumExp((0..<shape[1]).map { x[0][r, $0] }) - x[0][r, targets[r]]
                    })
            })
    }
}
