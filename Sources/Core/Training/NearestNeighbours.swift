// Nearest neighbours among feature vectors, and the precision and recall built on them.
// SPDX-License-Identifier: Apache-2.0

/// The nearest of a growing set of references to every query.
///
/// References may be added in parts, so that a training set need not be in memory at once.
public struct NearestSearch: Sendable {
    /// One query's nearest reference.
    public struct Neighbour: Sendable, Equatable {
        /// Its number among all references added.
        public var index: Int
        /// Euclidean distance, computed anew in double precision.
        public var distance: Double
    }

    private let queries: FeatureMatrix
    private let norms: [Float]
    private var squared: [Float]
    private var found: [Neighbour]
    private var added = 0

    public init(_ queries: FeatureMatrix) {
        self.queries = queries
        norms = NearestNeighbours.squaredNorms(queries)
        squared = [Float](repeating: .infinity, count: queries.count)
        found = [Neighbour](
            repeating: Neighbour(index: -1, distance: .infinity), count: queries.count)
    }

    /// Looks through more references.
    public mutating func add(_ references: FeatureMatrix) {
        let count = references.count
        NearestNeighbours.forEachRow(
            of: queries, norms: norms, against: references
        ) { query, distances in
            var best = -1
            for i in 0..<count where distances[i] < squared[query] {
                squared[query] = distances[i]
                best = i
            }
            guard best >= 0 else { return }
            found[query] = Neighbour(
                index: added + best,
                distance: NearestNeighbours.distance(queries[query], references[best]))
        }
        added += count
    }

    /// Every query's nearest reference so far; index −1 before any was added.
    public var neighbours: [Neighbour] { found }
}

/// Distances within and between sets of features.
///
/// Numerics: candidates are ranked by |a|² + |b|² − 2a·b in float32.
public enum NearestNeighbours {
    /// Squared distance from every example to its k-th nearest other example of the same set.
    ///
    /// - Precondition: `1 ≤ k < count`.
    static func squaredRadii(_ set: FeatureMatrix, k: Int) -> [Float] {
        precondition(k >= 1 && k < set.count, "neighbour \(k) among \(set.count)")
        var radii = [Float](repeating: 0, count: set.count)
        forEachRow(of: set, norms: squaredNorms(set), against: set) { row, distances in
            var smallest = [Float](repeating: .infinity, count: k)
            for i in 0..<set.count where i != row && distances[i] < smallest[k - 1] {
                var place = k - 1
                while place > 0 && smallest[place - 1] > distances[i] {
                    smallest[place] = smallest[place - 1]
                    place -= 1
                }
                smallest[place] = distances[i]
            }
            radii[row] = max(0, smallest[k - 1])
        }
        return radii
    }

    /// The share of `points` that lie within the radius of at least one of `centres`.
    static func coverage(
        of points: FeatureMatrix, by centres: FeatureMatrix, squaredRadii: [Float]
    ) -> Double {
        var inside = 0
        forEachRow(of: points, norms: squaredNorms(points), against: centres) { _, distances in
            for i in 0..<centres.count where distances[i] <= squaredRadii[i] {
                inside += 1
                return
            }
        }
        return points.count == 0 ? 0 : Double(inside) / Double(points.count)
    }

    /// Calls `body` with the squared distances of every row of `a` to all rows of `b`.
    static func forEachRow(
        of a: FeatureMatrix, norms: [Float], against b: FeatureMatrix,
        _ body: (Int, UnsafeBufferPointer<Float>) -> Void
    ) {
        precondition(a.width == b.width, "features of width \(a.width) and \(b.width)")
        guard a.count > 0, b.count > 0 else { return }
        let others = b.tensor.transposed(0, 1)
        let otherNorms = squaredNorms(b)
        // A block of products stays within some megabytes.
        let block = max(1, min(a.count, (1 << 20) / b.count))
        var line = [Float](repeating: 0, count: b.count)
        for start in stride(from: 0, to: a.count, by: block) {
            let end = min(start + block, a.count)
            let products = withoutGradients { matmul(a.rows(start..<end).tensor, others) }
                .floats()
            products.withUnsafeBufferPointer { products in
                for row in start..<end {
                    let base = (row - start) * b.count
                    line.withUnsafeMutableBufferPointer { line in
                        for i in 0..<b.count {
                            line[i] = norms[row] + otherNorms[i] - 2 * products[base + i]
                        }
                    }
                    line.withUnsafeBufferPointer { body(row, $0) }
                }
            }
        }
    }

    static func squaredNorms(_ set: FeatureMatrix) -> [Float] {
        set.values.withUnsafeBufferPointer { values in
            (0..<set.count).map { row in
                var sum = 0.0
                for i in (row * set.width)..<((row + 1) * set.width) {
                    sum += Double(values[i]) * Double(values[i])
                }
                return Float(sum)
            }
        }
    }

    static func distance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        var sum = 0.0
        for (x, y) in zip(a, b) {
            let difference = Double(x) - Double(y)
            sum += difference * difference
        }
        return sum.squareRoot()
    }
}

/// How much of what is generated looks real, and how much of what is real is generated.
///
/// Each set's manifold is the union of balls around its examples that reach to their k-th nearest
/// neighbour in the set.
///
/// Source: Kynkäänniemi et al., "Improved precision and recall metric for assessing generative
/// models", NeurIPS 2019 (arXiv 1904.06991), equations 1 to 3; k = 3.
public struct ManifoldPrecisionRecall: Sendable, Equatable {
    /// Share of generated examples within the real manifold.
    public let precision: Double
    /// Share of real examples within the generated manifold.
    public let recall: Double

    /// - Precondition: more than k examples in each set, equal widths.
    public init(real: FeatureMatrix, generated: FeatureMatrix, k: Int = 3) {
        precision = NearestNeighbours.coverage(
            of: generated, by: real,
            squaredRadii: NearestNeighbours.squaredRadii(real, k: k))
        recall = NearestNeighbours.coverage(
            of: real, by: generated,
            squaredRadii: NearestNeighbours.squaredRadii(generated, k: k))
    }
}
