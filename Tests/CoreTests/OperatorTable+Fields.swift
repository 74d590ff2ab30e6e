// Rows for scalar and vector fields, rotation and the resizings of equivariant networks.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

extension OperatorTable {
    private static func fieldNormRow(
        _ shape: [Int], _ type: FieldType, ofBatch: Bool, activates: Bool
    ) -> OperatorRow {
        let running: [Double] = (0..<type.count).map { 0.5 + 0.25 * Double($0) }
        let means: [Double] = (0..<type.scalars).map { 0.1 * Double($0) }
        let (scalars, vectors) = (type.scalars, type.vectors)
        return OperatorRow(
            "fieldNorm", [shape, [scalars], [scalars], [vectors], [vectors]], tolerance: 4e-6,
            operation: { input in
                // Momentum 0 leaves the running values, so that the vectors' divisor is constant.
                fieldNorm(
                    input[0], type: type,
                    weights: FieldWeights(
                        weight: input[1], bias: input[2], vectorWeight: input[3],
                        logBias: input[4] * 0.5 - 1),
                    running: FieldMoments(
                        mean: Tensor(means.map(Float.init), shape: [scalars]),
                        variance: Tensor(running.prefix(scalars).map(Float.init), shape: [scalars]),
                        vectorVariance: Tensor(
                            running.suffix(vectors).map(Float.init), shape: [vectors])),
                    momentum: ofBatch ? 0 : nil, activates: activates, epsilon: 1e-2)
            },
            oracle: { input in
                let x = input[0]
                if x.values.isEmpty { return x }
                let (batch, pixels) = (shape[0], shape[2...].reduce(1, *))
                func at(_ b: Int, _ c: Int, _ i: Int) -> Int { (b * shape[1] + c) * pixels + i }
                var y = x
                for c in 0..<scalars {
                    let places = (0..<batch).flatMap { b in (0..<pixels).map { at(b, c, $0) } }
                    let n = Double(places.count)
                    let mean =
                        ofBatch ? places.reduce(0) { $0 + x.values[$1] } / n : means[c]
                    let variance =
                        ofBatch
                        ? places.reduce(0) { $0 + (x.values[$1] - mean) * (x.values[$1] - mean) }
                            / n : running[c]
                    for place in places {
                        let z =
                            (x.values[place] - mean) / (variance + 0.01).squareRoot()
                            * input[1].values[c] + input[2].values[c]
                        y.values[place] = activates ? Swift.max(z, 0) : z
                    }
                }
                for v in 0..<vectors {
                    let scale =
                        input[3].values[v] / (running[scalars + v] + 0.01).squareRoot()
                    let threshold = Foundation.exp(input[4].values[v] * 0.5 - 1)
                    for b in 0..<batch {
                        for i in 0..<pixels {
                            let places = [at(b, scalars + 2 * v, i), at(b, scalars + 2 * v + 1, i)]
                            let vector = places.map { x.values[$0] * scale }
                            let norm = (vector[0] * vector[0] + vector[1] * vector[1])
                                .squareRoot()
                            let gain =
                                activates ? Swift.max(norm - threshold, 0) / norm : 1
                            for (place, value) in zip(places, vector) {
                                y.values[place] = value * gain
                            }
                        }
                    }
                }
                return y
            })
    }

    private static let rotation = OperatorRow(
        "rotated", [[2, 2, 5, 5], [2, 2]], tolerance: 4e-6,
        operation: { rotated($0[0], by: $0[1]) },
        oracle: { input in
            let (x, u) = (input[0], input[1])
            let side = x.shape[2]
            let centre = Double(side - 1) / 2
            func pixel(_ b: Int, _ c: Int, _ row: Int, _ column: Int) -> Double {
                (0..<side).contains(row) && (0..<side).contains(column) ? x[b, c, row, column] : 0
            }
            return OracleTensor(x.shape) { index in
                let (b, c) = (index[0], index[1])
                let (px, py) = (Double(index[3]) - centre, Double(index[2]) - centre)
                let column = px * u[b, 0] - py * u[b, 1] + centre
                let row = px * u[b, 1] + py * u[b, 0] + centre
                let (j, i) = (Int(column.rounded(.down)), Int(row.rounded(.down)))
                let (t, s) = (column - Double(j), row - Double(i))
                return pixel(b, c, i, j) * (1 - s) * (1 - t) + pixel(b, c, i, j + 1) * (1 - s) * t
                    + pixel(b, c, i + 1, j) * s * (1 - t) + pixel(b, c, i + 1, j + 1) * s * t
            }
        })

    private static func expansionRow(_ inputs: FieldType, _ outputs: FieldType) -> OperatorRow {
        let taps = 4
        let elements = 3
        let (c, o) = (inputs, outputs)
        // One block, vectors to scalars, in the last channels of the inputs.
        let block = BasisBlock(
            inputs: .init(start: c.scalars, count: c.vectors, size: 2),
            outputs: .init(start: 0, count: o.scalars, size: 1), elements: elements,
            weightStart: 1, basisStart: 2)
        let basis = (0..<(2 + elements * 2 * taps)).map { Double(($0 * 7) % 11) / 11 - 0.4 }
        return OperatorRow(
            "basisExpansion", [[block.weightCount + 2]],
            operation: {
                basisExpansion(
                    $0[0], basis: Tensor(basis.map(Float.init), shape: [basis.count]),
                    blocks: [block], shape: [o.channels, c.channels, 2, 2])
            },
            oracle: { input in
                OracleTensor([o.channels, c.channels, 2, 2]) { index in
                    let channel = index[1] - c.scalars
                    guard channel >= 0, index[0] < o.scalars else { return 0 }
                    return (0..<elements).reduce(0) { sum, e in
                        let w = 1 + (index[0] * c.vectors + channel / 2) * elements + e
                        let tap = index[2] * 2 + index[3]
                        return sum + input[0].values[w]
                            * basis[2 + (e * 2 + channel % 2) * taps + tap]
                    }
                }
            })
    }

    static let fields: [OperatorRow] =
        [true, false].flatMap { ofBatch in
            [true, false].flatMap { activates in
                [
                    ([3, 7, 2, 3], FieldType(scalars: 3, vectors: 2)),
                    ([2, 4, 5], FieldType(scalars: 4)),
                    ([2, 2, 3, 1], FieldType(scalars: 0, vectors: 1)),
                    ([0, 3, 2], FieldType(scalars: 1, vectors: 1)),
                ].map { fieldNormRow($0, $1, ofBatch: ofBatch, activates: activates) }
            }
        } + [
            rotation,
            expansionRow(FieldType(scalars: 2, vectors: 2), FieldType(scalars: 3, vectors: 1)),
            expansionRow(FieldType(scalars: 0, vectors: 1), FieldType(scalars: 1)),
            resizeRow([2, 1, 2, 3], 5, 4, .bilinear), resizeRow([1, 2, 1, 4], 3, 1, .bilinear),
            resizeRow([2, 1, 4, 6], 2, 3, .binomialPool),
            resizeRow([1, 2, 5, 2], 3, 1, .binomialPool),
            resizeRow([1, 2, 4, 5], 2, 3, .gaussianPool),
        ]
}
