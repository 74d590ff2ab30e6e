// The bare BLAS call, as the benchmark's yardstick. SPDX-License-Identifier: Apache-2.0

/// x·Wᵀ by one `cblas_sgemm` into memory that is reused, with nothing around it.
package struct RawProduct {
    private let m: Int
    private let n: Int
    private let k: Int
    private let result: Tensor

    package init(m: Int, n: Int, k: Int) {
        self.m = m
        self.n = n
        self.k = k
        result = .zeros([m, n])
    }

    /// - Precondition: x [m, k] and weight [n, k], contiguous float32 on the CPU.
    package func run(_ x: Tensor, _ weight: Tensor) {
        requireShapes(
            x.shape == [m, k] && weight.shape == [n, k] && x.isContiguous && weight.isContiguous,
            "RawProduct", [x.shape, weight.shape])
        withExtendedLifetime((x.storage, weight.storage)) {
            BLAS.multiply(
                m: m, n: n, k: k,
                BLAS.Matrix(
                    pointer: UnsafePointer(x.floatAddress), leading: k, isTransposed: false),
                BLAS.Matrix(
                    pointer: UnsafePointer(weight.floatAddress), leading: k, isTransposed: true),
                beta: 0, into: result.floatAddress, leading: n)
        }
    }
}
