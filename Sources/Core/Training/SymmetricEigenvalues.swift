// Eigenvalues and eigenvectors of small symmetric matrices.
// SPDX-License-Identifier: Apache-2.0

/// A = V·diag(λ)·Vᵀ of a real symmetric matrix, in double precision.
///
/// - Complexity: O(n³) per sweep, 6 to 10 sweeps.
///
/// Source: cyclic Jacobi rotations; Golub, Van Loan, "Matrix Computations", 4th edition, section 8.5.
public struct SymmetricEigensystem: Sendable {
    /// Side n.
    public let size: Int
    /// λ_i, in no order.
    public let values: [Double]
    /// Row i is the unit eigenvector of λ_i; n·n values.
    public let vectors: [Double]

    /// - Parameter matrix: n·n values, row-major; only the mean of both triangles counts.
    /// - Precondition: a square number of values.
    public init(_ matrix: [Double], size n: Int) {
        precondition(matrix.count == n * n, "\(matrix.count) values are no \(n)×\(n) matrix")
        var a = matrix
        for i in 0..<n {
            for j in 0..<i {
                let mean = (a[i * n + j] + a[j * n + i]) / 2
                a[i * n + j] = mean
                a[j * n + i] = mean
            }
        }
        var v = [Double](repeating: 0, count: n * n)
        for i in 0..<n { v[i * n + i] = 1 }
        a.withUnsafeMutableBufferPointer { a in
            v.withUnsafeMutableBufferPointer { v in Self.diagonalize(a, v, n) }
        }
        size = n
        values = (0..<n).map { a[$0 * n + $0] }
        vectors = v
    }

    /// V·diag(f(λ))·Vᵀ, row-major.
    public func matrix(mapping f: (Double) -> Double) -> [Double] {
        let n = size
        var result = [Double](repeating: 0, count: n * n)
        for (index, value) in values.enumerated() {
            let factor = f(value)
            if factor == 0 { continue }
            for i in 0..<n {
                let scaled = factor * vectors[index * n + i]
                for j in 0..<n { result[i * n + j] += scaled * vectors[index * n + j] }
            }
        }
        return result
    }

    private static func diagonalize(
        _ a: UnsafeMutableBufferPointer<Double>, _ v: UnsafeMutableBufferPointer<Double>, _ n: Int
    ) {
        var total = 0.0
        for i in 0..<(n * n) { total += a[i] * a[i] }
        // Rotations lose nothing above this share of the norm.
        let enough = total * 1e-30
        for _ in 0..<64 {
            var off = 0.0
            for i in 0..<n { for j in 0..<i { off += 2 * a[i * n + j] * a[i * n + j] } }
            if off <= enough { return }
            for p in 0..<n {
                for q in (p + 1)..<max(n, p + 1) { rotate(a, v, n, p, q) }
            }
        }
    }

    /// Zeroes a[p, q] by one rotation of rows and columns p and q.
    private static func rotate(
        _ a: UnsafeMutableBufferPointer<Double>, _ v: UnsafeMutableBufferPointer<Double>, _ n: Int,
        _ p: Int, _ q: Int
    ) {
        let apq = a[p * n + q]
        if apq == 0 { return }
        let theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
        let t = (theta >= 0 ? 1 : -1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<n {
            let (x, y) = (a[p * n + k], a[q * n + k])
            a[p * n + k] = c * x - s * y
            a[q * n + k] = s * x + c * y
        }
        for k in 0..<n {
            let (x, y) = (a[k * n + p], a[k * n + q])
            a[k * n + p] = c * x - s * y
            a[k * n + q] = s * x + c * y
        }
        for k in 0..<n {
            let (x, y) = (v[p * n + k], v[q * n + k])
            v[p * n + k] = c * x - s * y
            v[q * n + k] = s * x + c * y
        }
    }
}
