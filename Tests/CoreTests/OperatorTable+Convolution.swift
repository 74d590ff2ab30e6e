// Rows for convolution, resizing and pooling. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

extension OperatorTable {
    /// The sum of the definition, one product after the other.
    static func naiveConvolution(
        _ x: OracleTensor, _ w: OracleTensor, _ bias: OracleTensor?, stride: Int,
        padding: Padding2D, groups: Int
    ) -> OracleTensor {
        let (b, h, width) = (x.shape[0], x.shape[2], x.shape[3])
        let (o, c, kh, kw) = (w.shape[0], w.shape[1], w.shape[2], w.shape[3])
        let oh = Swift.max(0, (h + padding.top + padding.bottom - kh + stride) / stride)
        let ow = Swift.max(0, (width + padding.left + padding.right - kw + stride) / stride)
        var y = [Double](repeating: 0, count: b * o * oh * ow)
        x.values.withUnsafeBufferPointer { xs in
            w.values.withUnsafeBufferPointer { ws in
                var at = 0
                for n in 0..<b {
                    for k in 0..<o {
                        let first = k / (o / groups) * c
                        for i in 0..<oh {
                            for j in 0..<ow {
                                var sum = bias?.values[k] ?? 0
                                for m in 0..<c {
                                    for u in 0..<kh {
                                        let r = i * stride + u - padding.top
                                        if r < 0 || r >= h { continue }
                                        for v in 0..<kw {
                                            let s = j * stride + v - padding.left
                                            if s < 0 || s >= width { continue }
                                            let plane = n * x.shape[1] + first + m
                                            sum +=
                                                xs[(plane * h + r) * width + s]
                                                * ws[((k * c + m) * kh + u) * kw + v]
                                        }
                                    }
                                }
                                y[at] = sum
                                at += 1
                            }
                        }
                    }
                }
            }
        }
        return OracleTensor([b, o, oh, ow], y)
    }

    private static func convolutionRow(
        _ x: [Int], _ w: [Int], hasBias: Bool = true, stride: Int = 1,
        _ padding: Padding2D = .none, groups: Int = 1, isDifferentiable: Bool = true
    ) -> OperatorRow {
        OperatorRow(
            "convolution2D", [x, w] + (hasBias ? [[w[0]]] : []),
            isDifferentiable: isDifferentiable, tolerance: 3e-6,
            operation: {
                convolution2D(
                    $0[0], weight: $0[1], bias: hasBias ? $0[2] : nil, stride: stride,
                    padding: padding, groups: groups)
            },
            oracle: {
                naiveConvolution(
                    $0[0], $0[1], hasBias ? $0[2] : nil, stride: stride, padding: padding,
                    groups: groups)
            })
    }

    static let convolutions: [OperatorRow] = [
        convolutionRow([2, 3, 5, 4], [4, 3, 3, 3], .same(1)),
        convolutionRow([1, 2, 6, 5], [3, 2, 3, 3], stride: 2, Padding2D(bottom: 1, right: 1)),
        convolutionRow([2, 4, 3, 3], [6, 2, 1, 1], hasBias: false, groups: 2),
        convolutionRow([1, 4, 4, 3], [4, 1, 3, 3], .same(1), groups: 4),
        convolutionRow([1, 1, 1, 1], [1, 1, 3, 3], .same(1)),
        convolutionRow([1, 13, 3, 4], [2, 13, 2, 3], hasBias: false),
        convolutionRow([1, 3, 4, 4], [2, 3, 2, 3], Padding2D(top: 3, left: 4, right: 1)),
        convolutionRow([1, 2, 5, 5], [2, 2, 5, 5], stride: 3, .same(2)),
        convolutionRow([0, 3, 4, 4], [2, 3, 3, 3], .same(1)),
        convolutionRow([1, 2, 2, 2], [3, 2, 3, 3]),
        // Several bands of rows, blocks of input channels and of output channels.
        convolutionRow([1, 70, 7, 200], [3, 70, 3, 3], .same(1), isDifferentiable: false),
        convolutionRow([1, 3, 3, 3], [150, 3, 3, 3], .same(1), isDifferentiable: false),
        convolutionRow([1, 300, 4, 4], [2, 300, 1, 1], isDifferentiable: false),
        convolutionRow([1, 3, 5, 9], [9, 3, 1, 1]),
        convolutionRow([1, 2, 9, 9], [2, 2, 1, 1], stride: 2),
        convolutionRow([1, 2, 3, 20], [1, 2, 3, 3], stride: 2, .same(1)),
        convolutionRow(
            [1, 40, 17, 19], [2, 40, 3, 3], stride: 2, .same(1), isDifferentiable: false),
    ]

    // MARK: Resizing

    /// Weights of output i by the definitions of hmar.md §3.1, as a dense row.
    private static func weights(_ i: Int, from: Int, to: Int, _ method: ResizeMethod) -> [Double] {
        var row = [Double](repeating: 0, count: from)
        switch method {
        case .nearest: row[i * from / to] = 1
        case .area:
            let start = Int((Double(i * from) / Double(to)).rounded(.down))
            let end = Int((Double((i + 1) * from) / Double(to)).rounded(.up))
            for k in start..<end { row[k] = 1 / Double(end - start) }
        case .bicubic:
            let s = (Double(i) + 0.5) * Double(from) / Double(to) - 0.5
            for k in Int(s.rounded(.down)) - 1...Int(s.rounded(.down)) + 2 {
                let d = Swift.abs(s - Double(k))
                let value =
                    d <= 1
                    ? 1.25 * d * d * d - 2.25 * d * d + 1
                    : -0.75 * (d * d * d - 5 * d * d + 8 * d - 4)
                row[Swift.min(Swift.max(k, 0), from - 1)] += value
            }
        case .bilinear:
            let s = to > 1 ? Double(i * (from - 1)) / Double(to - 1) : 0
            for k in 0..<from { row[k] = Swift.max(0, 1 - Swift.abs(s - Double(k))) }
        case .binomialPool:
            for k in 0..<from {
                switch Swift.abs(2 * Double(i) + 0.5 - Double(k)) {
                case 0.5: row[k] = 0.375
                case 1.5: row[k] = 0.125
                default: continue
                }
            }
        case .gaussianPool:
            let total = (-2...2).reduce(0) { $0 + Foundation.exp(-Double($1 * $1) / 0.72) }
            for k in 0..<from where Swift.abs(2 * i - k) <= 2 {
                row[k] = Foundation.exp(-Double((2 * i - k) * (2 * i - k)) / 0.72) / total
            }
        }
        return row
    }

    static func resizeRow(
        _ shape: [Int], _ height: Int, _ width: Int, _ method: ResizeMethod
    ) -> OperatorRow {
        OperatorRow(
            "resized", [shape],
            operation: { resized($0[0], to: (height, width), method: method) },
            oracle: { x in
                let x = x[0]
                let rows = (0..<height).map { weights($0, from: x.shape[2], to: height, method) }
                let columns = (0..<width).map { weights($0, from: x.shape[3], to: width, method) }
                return OracleTensor([x.shape[0], x.shape[1], height, width]) { index in
                    var sum = 0.0
                    for (r, a) in rows[index[2]].enumerated() where a != 0 {
                        for (c, b) in columns[index[3]].enumerated() where b != 0 {
                            sum += a * b * x[index[0], index[1], r, c]
                        }
                    }
                    return sum
                }
            })
    }

    private static let resizes: [OperatorRow] =
        [ResizeMethod.bicubic, .area, .nearest].flatMap { method in
            [
                resizeRow([1, 2, 3, 4], 7, 9, method), resizeRow([2, 1, 7, 5], 3, 2, method),
                resizeRow([1, 1, 1, 1], 3, 4, method), resizeRow([1, 2, 3, 3], 3, 3, method),
                resizeRow([0, 2, 3, 3], 2, 5, method), resizeRow([1, 1, 8, 8], 5, 1, method),
            ]
        }
        + [[1, 2, 3, 4], [1, 1, 1, 1], [0, 2, 2, 2], [2, 3, 1, 5]].map { shape in
            OperatorRow(
                "upsampledNearest2x", [shape], operation: { upsampledNearest2x($0[0]) },
                oracle: { x in
                    OracleTensor([shape[0], shape[1], 2 * shape[2], 2 * shape[3]]) {
                        x[0][$0[0], $0[1], $0[2] / 2, $0[3] / 2]
                    }
                })
        }

    private static func poolRows(
        _ name: String, _ operation: @escaping @Sendable (Tensor, Int, Int) -> Tensor,
        _ reduce: @escaping @Sendable ([Double]) -> Double
    ) -> [OperatorRow] {
        [
            ([2, 2, 5, 6], 2, 2), ([1, 1, 5, 5], 3, 1), ([1, 2, 1, 1], 1, 1),
            ([0, 1, 4, 4], 2, 2), ([1, 1, 4, 7], 4, 3),
        ].map { (shape: [Int], size: Int, stride: Int) in
            OperatorRow(
                name, [shape], operation: { operation($0[0], size, stride) },
                oracle: { x in
                    let h = (shape[2] - size) / stride + 1
                    let w = (shape[3] - size) / stride + 1
                    return OracleTensor([shape[0], shape[1], h, w]) { index in
                        reduce(
                            (0..<size * size).map { k in
                                x[0][
                                    index[0], index[1], index[2] * stride + k / size,
                                    index[3] * stride + k % size]
                            })
                    }
                })
        }
    }

    static let planes: [OperatorRow] =
        resizes
        + poolRows(
            "averagePool2D", { averagePool2D($0, size: $1, stride: $2) },
            { $0.reduce(0, +) / Double($0.count) })
        + poolRows(
            "maxPool2D", { maxPool2D($0, size: $1, stride: $2) }, { $0.max() ?? 0 })
}
