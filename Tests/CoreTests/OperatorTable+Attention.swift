// Rows for attention, look-up, sorting and dropout. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

extension OperatorTable {
    /// Whether query l sees key m.
    private static func sees(_ mask: AttentionMask, _ l: Int, _ m: Int) -> Bool {
        func block(_ position: Int, _ lengths: [Int]) -> Int {
            var end = 0
            for (k, length) in lengths.enumerated() {
                end += length
                if position < end { return k }
            }
            return lengths.count
        }
        switch mask {
        case .full: return true
        case .causal: return m <= l
        case .blockDiagonal(let lengths): return block(m, lengths) == block(l, lengths)
        case .blockCausal(let lengths): return block(m, lengths) <= block(l, lengths)
        }
    }

    private static func attentionRow(
        _ q: [Int], keys: Int, _ mask: AttentionMask, scale: Float = 0.7,
        isDifferentiable: Bool = true
    ) -> OperatorRow {
        let k = [q[0], q[1], keys, q[3]]
        return OperatorRow(
            "attention", [q, k, k], isDifferentiable: isDifferentiable,
            operation: { attention($0[0], $0[1], $0[2], scale: scale, mask: mask) },
            oracle: { input in
                let (length, width) = (q[2], q[3])
                var y = [Double](repeating: 0, count: q.reduce(1, *))
                for pair in 0..<q[0] * q[1] {
                    let qs = pair * length * width
                    let ks = pair * keys * width
                    for l in 0..<length {
                        let visible = (0..<keys).filter { sees(mask, l, $0) }
                        let weights = visible.map { m in
                            Foundation.exp(
                                Double(scale)
                                    * (0..<width).reduce(0.0) {
                                        $0 + input[0].values[qs + l * width + $1]
                                            * input[1].values[ks + m * width + $1]
                                    })
                        }
                        let total = weights.reduce(0, +)
                        for (m, weight) in zip(visible, weights) {
                            for d in 0..<width {
                                y[qs + l * width + d] +=
                                    weight / total * input[2].values[ks + m * width + d]
                            }
                        }
                    }
                }
                return OracleTensor(q, y)
            })
    }

    static let attentions: [OperatorRow] =
        [
            attentionRow([2, 2, 3, 4], keys: 5, .full),
            attentionRow([1, 2, 6, 3], keys: 6, .causal),
            attentionRow([1, 1, 7, 2], keys: 7, .blockDiagonal([1, 4, 2])),
            attentionRow([1, 1, 7, 2], keys: 7, .blockCausal([1, 4, 2]), scale: 1),
            attentionRow([1, 1, 1, 1], keys: 1, .full),
            attentionRow([0, 2, 3, 4], keys: 3, .full),
            attentionRow([1, 1, 0, 2], keys: 3, .full),
            // More than one tile of queries and of keys.
            attentionRow([1, 1, 70, 1], keys: 70, .blockDiagonal([1, 4, 45, 20])),
            attentionRow([1, 2, 130, 20], keys: 150, .full, isDifferentiable: false),
            attentionRow(
                [1, 1, 155, 9], keys: 155, .blockCausal([1, 4, 50, 100]), isDifferentiable: false),
        ] + cosines

    // MARK: Rows by index

    private static let lookups: [OperatorRow] = [
        OperatorRow(
            "embedding", [[5, 3]],
            operation: {
                embedding(
                    $0[0], indices: Tensor(int32: [4, 0, 4, 2, 1, 4], shape: [2, 3]))
            },
            oracle: { x in
                OracleTensor([2, 3, 3]) { x[0][[4, 0, 4, 2, 1, 4][$0[0] * 3 + $0[1]], $0[2]] }
            }),
        OperatorRow(
            "embedding", [[2, 40]],
            operation: { embedding($0[0], indices: Tensor(int32: [], shape: [0])) },
            oracle: { _ in OracleTensor([0, 40], []) }),
    ]

    private static let nearest: [OperatorRow] = [(7, 5, 3), (1, 1, 1), (0, 3, 2), (100, 300, 8)]
        .map { (points: Int, entries: Int, width: Int) in
            OperatorRow(
                "nearestCodes", [[points, width], [entries, width]], isDifferentiable: false,
                operation: { nearestCodes($0[0], codebook: $0[1]) },
                oracle: { input in
                    OracleTensor([points]) { index in
                        let distances = (0..<entries).map { v in
                            (0..<width).reduce(0.0) {
                                let d = input[0][index[0], $1] - input[1][v, $1]
                                return $0 + d * d
                            }
                        }
                        return Double(distances.firstIndex(of: distances.min() ?? 0) ?? -1)
                    }
                })
        }

    // MARK: Cosine attention

    private static func cosineRow(_ shape: [Int], _ mask: AttentionMask) -> OperatorRow {
        let (batch, length, heads, width) = (shape[0], shape[1], shape[3], shape[4])
        return OperatorRow(
            "cosineAttention", [shape, [heads]],
            operation: { cosineAttention($0[0], scale: $0[1], mask: mask) },
            oracle: { input in
                var y: [Double] = []
                func row(_ b: Int, _ l: Int, _ part: Int, _ h: Int) -> [Double] {
                    let start = (((b * length + l) * 3 + part) * heads + h) * width
                    return Array(input[0].values[start..<(start + width)])
                }
                func unit(_ x: [Double]) -> [Double] {
                    let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    return x.map { $0 / norm }
                }
                for b in 0..<batch {
                    for l in 0..<length {
                        for h in 0..<heads {
                            let q = unit(row(b, l, 0, h))
                            let visible = (0..<length).filter { sees(mask, l, $0) }
                            let weights = visible.map { m in
                                Foundation.exp(
                                    input[1].values[h]
                                        * zip(q, unit(row(b, m, 1, h))).reduce(0) {
                                            $0 + $1.0 * $1.1
                                        })
                            }
                            let total = weights.reduce(0, +)
                            for d in 0..<width {
                                y.append(
                                    zip(visible, weights).reduce(0) {
                                        $0 + $1.1 / total * row(b, $1.0, 2, h)[d]
                                    })
                            }
                        }
                    }
                }
                return OracleTensor([batch, length, heads, width], y)
            })
    }

    private static let cosines: [OperatorRow] = [
        cosineRow([2, 4, 3, 2, 5], .full), cosineRow([1, 5, 3, 3, 4], .blockCausal([1, 4])),
        cosineRow([1, 6, 3, 1, 8], .blockDiagonal([2, 4])),
    ]

    // MARK: Sorting

    private static func order(_ row: [Double], descending: Bool) -> [Int] {
        row.indices.sorted {
            row[$0] == row[$1] ? $0 < $1 : descending ? row[$0] > row[$1] : row[$0] < row[$1]
        }
    }

    private static let sorts: [OperatorRow] = [[3, 7], [1, 1], [0, 4], [2, 100], [9]]
        .flatMap { shape -> [OperatorRow] in
            let width = shape[shape.count - 1]
            let kept = Swift.min(3, width)
            let top = OperatorRow(
                "topK", [shape], operation: { topK($0[0], kept).values },
                oracle: { x in
                    let rows = alongAxis(x[0], -1) { row in
                        order(row, descending: true).map { row[$0] }
                    }
                    return OracleTensor(shape.dropLast() + [kept]) { rows[$0] }
                })
            let sorted = OperatorRow(
                "sortedDescending", [shape], operation: { sortedDescending($0[0]).values },
                oracle: { x in
                    alongAxis(x[0], -1) { row in order(row, descending: true).map { row[$0] } }
                })
            return [top, sorted]
                + [false, true].map { descending in
                    OperatorRow(
                        "argsort", [shape], isDifferentiable: false,
                        // Rounded values have ties: the order of equals must be kept.
                        operation: {
                            argsort(
                                Tensor($0[0].floats().map { $0.rounded() }, shape: shape),
                                descending: descending)
                        },
                        oracle: { x in
                            alongAxis(x[0].map { $0.rounded() }, -1) { row in
                                order(row, descending: descending).map(Double.init)
                            }
                        })
                }
        }

    static let rowsByIndex: [OperatorRow] = lookups + nearest + sorts

    // MARK: Dropout

    /// The factors that a fresh generator gives, by the definition.
    private static func factors(_ count: Int, _ rate: Float) -> [Double] {
        var generator = RandomGenerator(seed: 5)
        return (0..<count).map { _ in
            generator.nextFloat() < rate ? 0 : 1 / (1 - Double(rate))
        }
    }

    static let dropouts: [OperatorRow] = [[4, 5], [1], [0, 3], [3, 2, 2]].flatMap { shape in
        [
            OperatorRow(
                "dropout", [shape],
                operation: {
                    var generator = RandomGenerator(seed: 5)
                    return dropout($0[0], rate: 0.25, generator: &generator)
                },
                oracle: { x in
                    let kept = factors(x[0].values.count, 0.25)
                    return OracleTensor(shape, zip(x[0].values, kept).map { $0 * $1 })
                }),
            OperatorRow(
                "dropPath", [shape],
                operation: {
                    var generator = RandomGenerator(seed: 5)
                    return dropPath($0[0], rate: 0.5, generator: &generator)
                },
                oracle: { x in
                    let kept = factors(shape[0], 0.5)
                    return OracleTensor(shape) { x[0][$0] * kept[$0[0]] }
                }),
        ]
    }
}
