// OpenBLAS, as Core uses it. SPDX-License-Identifier: Apache-2.0
import CBLAS

/// Calls into OpenBLAS.
package enum BLAS {
    /// A row-major matrix operand: `leading` elements from row to row.
    struct Matrix {
        var pointer: UnsafePointer<Float>
        var leading: Int
        var isTransposed: Bool
    }

    /// Sets the library's own number of threads; it is one setting for the whole process.
    static func setThreads(_ count: Int) { openblas_set_num_threads(Int32(count)) }

    /// The library's description of itself: version, target kernel, threading.
    package static var configuration: String { String(cString: openblas_get_config()) }
    /// The kernel set chosen at run time, "Zen", "Haswell"…
    package static var core: String { String(cString: openblas_get_corename()) }

    /// C ← α·A·B + β·C with A [m, k], B [k, n], C [m, n].
    static func multiply(
        m: Int, n: Int, k: Int, alpha: Float = 1, _ a: Matrix, _ b: Matrix, beta: Float,
        into c: UnsafeMutablePointer<Float>, leading: Int
    ) {
        if m == 0 || n == 0 { return }
        cblas_sgemm(
            CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
            b.isTransposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha,
            a.pointer, Int32(a.leading), b.pointer, Int32(b.leading), beta, c, Int32(leading))
    }
}
