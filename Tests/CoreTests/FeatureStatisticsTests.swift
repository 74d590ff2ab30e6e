// Distances between sets of features, against closed forms.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@Suite struct FeatureStatisticsTests {
    /// A rotation by an angle in the plane of two axes.
    private func rotation(_ n: Int, _ p: Int, _ q: Int, _ angle: Double) -> [Double] {
        var matrix = [Double](repeating: 0, count: n * n)
        for i in 0..<n { matrix[i * n + i] = 1 }
        // cos and sin by the half-angle tangent: no Foundation needed.
        let t = angle
        let (c, s) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
        matrix[p * n + p] = c
        matrix[q * n + q] = c
        matrix[p * n + q] = -s
        matrix[q * n + p] = s
        return matrix
    }

    private func product(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
        (0..<(n * n)).map { index in
            (0..<n).reduce(0.0) { $0 + a[index / n * n + $1] * b[$1 * n + index % n] }
        }
    }

    private func transposed(_ a: [Double], _ n: Int) -> [Double] {
        (0..<(n * n)).map { a[$0 % n * n + $0 / n] }
    }

    private func diagonal(_ values: [Double]) -> [Double] {
        let n = values.count
        return (0..<(n * n)).map { $0 / n == $0 % n ? values[$0 / n] : 0 }
    }

    private func normals(_ count: Int, _ width: Int, seed: UInt64, offset: Float = 0)
        -> FeatureMatrix
    {
        var generator = RandomGenerator(seed: seed)
        return FeatureMatrix(
            width: width,
            values: (0..<(count * width)).map { _ in Float(generator.nextNormal()) + offset })
    }

    @Test func meanAndCovarianceOfFourPoints() {
        let statistics = FeatureStatistics(
            FeatureMatrix(width: 2, values: [0, 0, 2, 0, 0, 4, 2, 4]))
        #expect(statistics.mean == [1, 2])
        for (found, expected) in zip(statistics.covariance, [4.0 / 3, 0, 0, 16.0 / 3]) {
            #expect(abs(found - expected) < 1e-12)
        }
    }

    @Test func eigensystemRebuildsTheMatrix() {
        let n = 5
        let turn = product(rotation(n, 0, 3, 0.4), rotation(n, 1, 4, -1.3), n)
        let wanted: [Double] = [7, 0.5, 3, 0, 2]
        let matrix = product(product(turn, diagonal(wanted), n), transposed(turn, n), n)
        let system = SymmetricEigensystem(matrix, size: n)
        for (found, expected) in zip(system.values.sorted(), wanted.sorted()) {
            #expect(abs(found - expected) < 1e-12)
        }
        for (found, expected) in zip(system.matrix { $0 }, matrix) {
            #expect(abs(found - expected) < 1e-12)
        }
    }

    @Test func equalSetsHaveNoDistance() {
        let set = normals(40, 6, seed: 1)
        #expect(FrechetDistance.between(set, set) < 1e-9)
    }

    @Test func diagonalGaussiansFollowTheFormula() {
        let (a, b): ([Double], [Double]) = ([1, 4, 9, 0], [4, 4, 0.25, 1])
        let (m, k): ([Double], [Double]) = ([0, 1, 2, 3], [1, 1, 0, 3.5])
        // Σ (Δμ)² + (σ₁ − σ₂)².
        let expected = (1.0 + 0 + 4 + 0.25) + (1.0 + 0 + 6.25 + 1)
        let found = FrechetDistance.between(
            FeatureStatistics(mean: m, covariance: diagonal(a)),
            FeatureStatistics(mean: k, covariance: diagonal(b)))
        #expect(abs(found - expected) < 1e-9)
        // Turning both sets alike changes nothing.
        let turn = product(rotation(4, 0, 2, 0.7), rotation(4, 1, 3, 0.2), 4)
        func turned(_ mean: [Double], _ variances: [Double]) -> FeatureStatistics {
            FeatureStatistics(
                mean: (0..<4).map { i in
                    (0..<4).reduce(0.0) { $0 + turn[i * 4 + $1] * mean[$1] }
                },
                covariance: product(
                    product(turn, diagonal(variances), 4), transposed(turn, 4), 4))
        }
        let again = FrechetDistance.between(turned(m, a), turned(k, b))
        // A variance of 0 turns into about 1e-16, whose root is 1e-8.
        #expect(abs(again - expected) < 1e-6)
    }

    @Test func nearestReferenceIsFoundInParts() {
        let queries = FeatureMatrix(width: 2, values: [0, 0, 10, 10])
        var search = NearestSearch(queries)
        #expect(search.neighbours.map(\.index) == [-1, -1])
        search.add(FeatureMatrix(width: 2, values: [3, 4, 100, 100, 6, 8]))
        search.add(FeatureMatrix(width: 2, values: [10, 11]))
        #expect(search.neighbours.map(\.index) == [0, 3])
        #expect(search.neighbours.map(\.distance) == [5, 1])
    }

    @Test func manifoldsThatAreEqualOrApart() {
        let real = normals(60, 3, seed: 2)
        let same = ManifoldPrecisionRecall(real: real, generated: real)
        #expect(same == ManifoldPrecisionRecall(real: real, generated: real))
        #expect(same.precision == 1 && same.recall == 1)
        let far = ManifoldPrecisionRecall(
            real: real, generated: normals(60, 3, seed: 3, offset: 100))
        #expect(far.precision == 0 && far.recall == 0)
    }

    @Test func oneModeOfTwoIsPreciseButRecallsHalf() {
        // Real examples on two lines; generated ones sit within the first.
        let real = FeatureMatrix(
            width: 1, values: (0..<10).map(Float.init) + (0..<10).map { Float(1000 + $0) })
        let generated = FeatureMatrix(width: 1, values: (0..<10).map { Float($0) + 0.25 })
        let found = ManifoldPrecisionRecall(real: real, generated: generated)
        #expect(found.precision == 1)
        #expect(found.recall == 0.5)
    }
}
