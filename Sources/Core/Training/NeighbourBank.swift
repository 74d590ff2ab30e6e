// The exact k nearest neighbours among many feature vectors.
// SPDX-License-Identifier: Apache-2.0
import CKernels

/// How far apart two feature vectors are.
public enum NeighbourMetric: String, Sendable, Codable, CaseIterable {
    /// 1 − cos(a, b).
    case cosine
    /// |a − b|.
    case euclidean
}

/// The k nearest references of every query, nearest first.
public struct NeighbourTable: Sendable, Equatable {
    /// Neighbours per query.
    public let k: Int
    /// N·k reference numbers, row by row.
    public let indices: [Int32]
    /// Their distances.
    public let distances: [Float]

    /// Queries, N.
    public var count: Int { k == 0 ? 0 : indices.count / k }

    /// The references nearest to one query.
    public subscript(query: Int) -> ArraySlice<Int32> {
        indices[(query * k)..<((query + 1) * k)]
    }

    /// The nearest `k` of those that were found.
    ///
    /// - Precondition: no more than there are.
    public func first(_ k: Int) -> NeighbourTable {
        precondition(k <= self.k, "\(k) of \(self.k) neighbours")
        if k == self.k { return self }
        return NeighbourTable(
            k: k, indices: (0..<count).flatMap { self[$0].prefix(k) },
            distances: (0..<count).flatMap { distances[($0 * self.k)..<($0 * self.k + k)] })
    }

    init(k: Int, indices: [Int32], distances: [Float]) {
        self.k = k
        self.indices = indices
        self.distances = distances
    }
}

/// References prepared for exact search.
///
/// Products are made block by block and only the k best of every row are kept, so memory grows with
/// N·(E + k) and not with N². Equal distances are ranked by reference number; results do not depend
/// on the number of threads.
/// - Complexity: 2·Q·N·E FLOP for Q queries.
///
/// Numerics: float32 scores; cosine distances as 1 minus the product of unit vectors (a zero vector
/// is at distance 1 from everything).
public struct NeighbourBank: Sendable {
    public let metric: NeighbourMetric
    /// References, N.
    public let count: Int
    /// Numbers per reference, E.
    public let width: Int
    /// What is subtracted from every vector first; empty for nothing.
    public let mean: [Float]
    private let references: Tensor
    private let bias: [Float]?

    private static let queryBlock = 384
    private static let referenceBlock = 3072

    /// - Parameters:
    ///   - embeddings: the references.
    ///   - subtractsMean: searches about the references' mean, which makes cosine distances tell
    ///     more when all vectors point the same way.
    public init(
        _ embeddings: FeatureMatrix, metric: NeighbourMetric = .cosine, subtractsMean: Bool = false
    ) {
        self.metric = metric
        count = embeddings.count
        width = embeddings.width
        mean = subtractsMean ? Self.mean(of: embeddings) : []
        let prepared = Self.prepare(embeddings, mean: mean, metric: metric)
        references = Tensor(
            prepared, shape: [count, width], device: NeighbourBank.device)
        bias =
            metric == .cosine
            ? nil : Self.squaredNorms(prepared, width: width).map { -0.5 * $0 }
    }

    /// The k nearest references of every query.
    ///
    /// - Precondition: `1 ≤ k ≤ count`, queries of the references' width.
    public func nearest(to queries: FeatureMatrix, k: Int) -> NeighbourTable {
        precondition(queries.width == width, "queries of width \(queries.width), not \(width)")
        return search(
            Self.prepare(queries, mean: mean, metric: metric), k: k, leavesOutOwn: false)
    }

    /// The k nearest other references of every reference.
    ///
    /// - Precondition: `1 ≤ k < count`.
    public func nearestOthers(k: Int) -> NeighbourTable {
        precondition(k < count, "\(k) others among \(count)")
        return search(references.floats(), k: k, leavesOutOwn: true)
    }

    private static var device: CPUDevice { (currentDevice as? CPUDevice) ?? .shared }

    private func search(_ queries: [Float], k: Int, leavesOutOwn: Bool) -> NeighbourTable {
        let total = queries.count / width
        precondition(k >= 1 && k <= count, "\(k) neighbours among \(count)")
        let device = Self.device
        var best = [Float](repeating: -.infinity, count: total * k)
        var index = [Int32](repeating: -1, count: total * k)
        var scores = [Float](
            repeating: 0, count: Self.queryBlock * min(count, Self.referenceBlock))
        withExtendedLifetime(references.storage) {
            queries.withUnsafeBufferPointer { queries in
                best.withUnsafeMutableBufferPointer { best in
                    index.withUnsafeMutableBufferPointer { index in
                        scores.withUnsafeMutableBufferPointer { scores in
                            guard let queries = queries.baseAddress,
                                let best = best.baseAddress, let index = index.baseAddress,
                                let scores = scores.baseAddress
                            else { return }
                            for row in stride(from: 0, to: total, by: Self.queryBlock) {
                                let rows = min(Self.queryBlock, total - row)
                                keepBest(
                                    device, queries + row * width, rows, k,
                                    ownColumn: leavesOutOwn ? row : -1, scores, best + row * k,
                                    index + row * k)
                            }
                        }
                    }
                }
            }
        }
        return NeighbourTable(
            k: k, indices: index, distances: distances(best, queries: queries, k: k))
    }

    /// Runs one block of queries over all blocks of references.
    private func keepBest(
        _ device: CPUDevice, _ queries: UnsafePointer<Float>, _ rows: Int, _ k: Int,
        ownColumn: Int, _ scores: UnsafeMutablePointer<Float>,
        _ best: UnsafeMutablePointer<Float>, _ index: UnsafeMutablePointer<Int32>
    ) {
        for column in stride(from: 0, to: count, by: Self.referenceBlock) {
            let columns = min(Self.referenceBlock, count - column)
            BLAS.multiply(
                m: rows, n: columns, k: width,
                BLAS.Matrix(pointer: queries, leading: width, isTransposed: false),
                BLAS.Matrix(
                    pointer: UnsafePointer(references.floatAddress + column * width),
                    leading: width, isTransposed: true),
                beta: 0, into: scores, leading: columns)
            func keep(_ bias: UnsafePointer<Float>?) {
                ck_keep_best(
                    device.pool, scores, bias, rows, columns, column, ownColumn, k, best, index)
            }
            if let bias {
                bias.withUnsafeBufferPointer { keep($0.baseAddress.map { $0 + column }) }
            } else {
                keep(nil)
            }
        }
    }

    private func distances(_ scores: [Float], queries: [Float], k: Int) -> [Float] {
        switch metric {
        case .cosine: return scores.map { max(0, 1 - $0) }
        case .euclidean:
            let norms = Self.squaredNorms(queries, width: width)
            return scores.indices.map { max(0, norms[$0 / k] - 2 * scores[$0]).squareRoot() }
        }
    }

    // MARK: Preparation

    private static func mean(of set: FeatureMatrix) -> [Float] {
        var sums = [Double](repeating: 0, count: set.width)
        set.values.withUnsafeBufferPointer { values in
            for row in 0..<set.count {
                for i in 0..<set.width { sums[i] += Double(values[row * set.width + i]) }
            }
        }
        return sums.map { Float($0 / Double(max(1, set.count))) }
    }

    private static func prepare(
        _ set: FeatureMatrix, mean: [Float], metric: NeighbourMetric
    ) -> [Float] {
        var values = set.values
        let width = set.width
        values.withUnsafeMutableBufferPointer { values in
            for start in stride(from: 0, to: values.count, by: width) {
                if !mean.isEmpty {
                    for i in 0..<width { values[start + i] -= mean[i] }
                }
                guard metric == .cosine else { continue }
                var sum = 0.0
                for i in start..<(start + width) { sum += Double(values[i]) * Double(values[i]) }
                let scale = sum > 0 ? Float(1 / sum.squareRoot()) : 0
                for i in start..<(start + width) { values[i] *= scale }
            }
        }
        return values
    }

    private static func squaredNorms(_ values: [Float], width: Int) -> [Float] {
        values.withUnsafeBufferPointer { values in
            (0..<(values.count / width)).map { row in
                var sum = 0.0
                for i in (row * width)..<((row + 1) * width) {
                    sum += Double(values[i]) * Double(values[i])
                }
                return Float(sum)
            }
        }
    }
}
