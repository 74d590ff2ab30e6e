// The matrices of one-dimensional resizing. SPDX-License-Identifier: Apache-2.0
import Foundation

/// How a picture is resized; all are separable.
public enum ResizeMethod: Sendable, Hashable {
    /// Output i is input ⌊i·from/to⌋.
    case nearest
    /// Adaptive average pooling: output i is the mean of inputs ⌊i·from/to⌋ ..< ⌈(i+1)·from/to⌉.
    case area
    /// Keys' cubic with A = −0.75, half-pixel centres, taps clamped at the border, no antialias.
    case bicubic
    /// Linear between neighbours, the corner pixels of both pictures on each other.
    case bilinear
    /// To half the size: [1, 3, 3, 1]/8 over inputs 2i−1 … 2i+2, zeros outside. Looks the same from
    /// both ends, so a network keeps its symmetry under quarter turns.
    case binomialPool
    /// To half the size, rounded up: a Gaussian of width 0.6 over inputs 2i−2 … 2i+2, zeros outside.
    /// On even sizes it is not centred, which breaks the symmetry under quarter turns.
    case gaussianPool
}

/// One direction of a resize, `to` × `from`, as bands: each output is a weighted sum of neighbours.
public struct ResamplingMatrix: Sendable {
    /// Inputs.
    public let from: Int
    /// Outputs.
    public let to: Int
    /// Room for the weights of one output.
    let width: Int
    /// First input of each output.
    let first: [Int32]
    /// Inputs of each output.
    let count: [Int32]
    /// [to, width].
    let weights: [Float]

    /// The matrix of a method, computed in double precision. Source: hmar.md §3.1.
    public init(from: Int, to: Int, method: ResizeMethod) {
        precondition(from > 0 && to > 0, "resize from \(from) to \(to)")
        if method == .binomialPool || method == .gaussianPool {
            precondition(to == (from + 1) / 2, "pool from \(from) to \(to)")
        }
        let rows = (0..<to).map { i -> [(index: Int, weight: Double)] in
            switch method {
            case .nearest: return [(i * from / to, 1)]
            case .area:
                let start = i * from / to
                let end = ((i + 1) * from + to - 1) / to
                return (start..<end).map { ($0, 1 / Double(end - start)) }
            case .bicubic: return Self.cubicTaps(i, from: from, to: to)
            case .bilinear: return Self.linearTaps(i, from: from, to: to)
            case .binomialPool:
                return Self.strided(i, first: -1, weights: [1, 3, 3, 1], from: from)
            case .gaussianPool:
                let weights = (-2...2).map { exp(-Double($0 * $0) / (2 * 0.6 * 0.6)) }
                return Self.strided(i, first: -2, weights: weights, from: from)
            }
        }
        self.init(from: from, rows: rows)
    }

    /// The four taps j−1 … j+2 of output i, each clamped to the picture.
    private static func cubicTaps(
        _ i: Int, from: Int, to: Int
    ) -> [(index: Int, weight: Double)] {
        let a = -0.75
        let s = (Double(i) + 0.5) * Double(from) / Double(to) - 0.5
        let j = Int(s.rounded(.down))
        let t = s - Double(j)
        func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
        func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        let weights = [far(t + 1), near(t), near(1 - t), far(2 - t)]
        return weights.enumerated().map { (min(max(j - 1 + $0, 0), from - 1), $1) }
    }

    /// The two neighbours of output i where the ends of input and output coincide.
    private static func linearTaps(
        _ i: Int, from: Int, to: Int
    ) -> [(index: Int, weight: Double)] {
        let s = to > 1 ? Double(i) * Double(from - 1) / Double(to - 1) : 0
        let j = min(Int(s), from - 1)
        let t = s - Double(j)
        return t > 0 && j + 1 < from ? [(j, 1 - t), (j + 1, t)] : [(j, 1)]
    }

    /// Weights over inputs 2i + first …, those outside dropped; the weights are scaled to sum 1 before.
    private static func strided(
        _ i: Int, first: Int, weights: [Double], from: Int
    ) -> [(index: Int, weight: Double)] {
        let total = weights.reduce(0, +)
        return weights.enumerated().map { (2 * i + first + $0, $1 / total) }
            .filter { (0..<from).contains($0.index) }
    }

    private init(from: Int, rows: [[(index: Int, weight: Double)]]) {
        var first: [Int32] = []
        var bands: [[Double]] = []
        for row in rows {
            let low = row.map(\.index).min() ?? 0
            let high = row.map(\.index).max() ?? -1
            var band = [Double](repeating: 0, count: high - low + 1)
            for (index, weight) in row { band[index - low] += weight }
            first.append(Int32(low))
            bands.append(band)
        }
        let width = bands.map(\.count).max() ?? 0
        self.from = from
        to = rows.count
        self.width = width
        self.first = first
        count = bands.map { Int32($0.count) }
        weights = bands.flatMap { band in
            band.map { Float($0) } + [Float](repeating: 0, count: width - band.count)
        }
    }

    /// The adjoint, `from` × `to`.
    func transposed() -> ResamplingMatrix {
        var rows = [[(index: Int, weight: Double)]](repeating: [], count: from)
        for i in 0..<to {
            for t in 0..<Int(count[i]) {
                rows[Int(first[i]) + t].append((i, Double(weights[i * width + t])))
            }
        }
        return ResamplingMatrix(from: to, rows: rows)
    }
}

/// Matrices already computed, the oldest forgotten beyond a limit: few size pairs occur (a model's
/// scales), each a few hundred numbers.
final class ResamplingCache: @unchecked Sendable {
    private struct Key: Hashable {
        var from: Int
        var to: Int
        var method: ResizeMethod
    }
    private let lock = NSLock()
    private let limit: Int
    private var pairs: [Key: (forward: ResamplingMatrix, adjoint: ResamplingMatrix)] = [:]
    private var order: [Key] = []

    init(limit: Int) { self.limit = limit }

    /// A matrix and its adjoint.
    func pair(
        from: Int, to: Int, _ method: ResizeMethod
    ) -> (forward: ResamplingMatrix, adjoint: ResamplingMatrix) {
        let key = Key(from: from, to: to, method: method)
        lock.lock()
        defer { lock.unlock() }
        if let found = pairs[key] { return found }
        let forward = ResamplingMatrix(from: from, to: to, method: method)
        let made = (forward: forward, adjoint: forward.transposed())
        pairs[key] = made
        order.append(key)
        if order.count > limit { pairs[order.removeFirst()] = nil }
        return made
    }
}
