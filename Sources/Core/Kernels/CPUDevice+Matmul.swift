// Matrix products on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
        let m = a.shape[a.rank - 2]
        let k = a.shape[a.rank - 1]
        let n = b.shape[b.rank - 1]
        let batch = Shape.broadcast(
            Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), operation: "matmul")
        let result = Tensor.empty(batch + [m, n], device: self)
        if k == 0 { clear(result.storage) }
        let a = Self.multiplicable(a)
        let b = Self.multiplicable(b)
        let count = batch.reduce(1, *)
        // [..., M, K] × [K, N] with dense rows is one product of all rows.
        if b.rank == 2, a.isContiguous, count > 1 {
            multiply(a.view(shape: [count * m, k], strides: [k, 1], offset: a.offset), b, result)
            return result
        }
        let aStrides = Shape.broadcastStrides(a, to: batch + [m, k]).dropLast(2)
        let bStrides = Shape.broadcastStrides(b, to: batch + [k, n]).dropLast(2)
        for index in 0..<count {
            var rest = index
            var ao = a.offset
            var bo = b.offset
            for d in stride(from: batch.count - 1, through: 0, by: -1) {
                let i = rest % batch[d]
                rest /= batch[d]
                ao += i * aStrides[d]
                bo += i * bStrides[d]
            }
            multiply(
                a.view(shape: [m, k], strides: Array(a.strides.suffix(2)), offset: ao),
                b.view(shape: [k, n], strides: Array(b.strides.suffix(2)), offset: bo),
                result.view(shape: [m, n], strides: [n, 1], offset: index * m * n))
        }
        return result
    }

    public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        let rows = x.shape[0]
        let n = weight.shape[0]
        let result = Tensor.empty([rows, n], device: self)
        let bias = bias.map { $0.dtype == .float32 ? $0 : cast($0.contiguous(), to: .float32) }
        let x = Self.multiplicable(x)
        if Self.prefersOwnProduct, x.shape[1] > 0 {
            let type = Self.floatType(weight.dtype)
            let w =
                type == CK_FLOAT32
                ? Self.multiplicable(weight) : weight.strides[1] == 1 ? weight : weight.contiguous()
            let bias = bias?.contiguous()
            withExtendedLifetime((x.storage, w.storage, bias?.storage)) {
                ck_linear(
                    pool, rows, n, x.shape[1], x.floatAddress, x.strides[0], x.strides[1],
                    w.address, type, w.strides[0], w.strides[1], bias?.floatAddress,
                    result.floatAddress)
            }
            return result
        }
        let weight = weight.dtype == .float32 ? weight : cast(weight.contiguous(), to: .float32)
        let w = Self.multiplicable(weight)
        if let bias {
            // Filling the result with the bias first saves a pass over it.
            copy(bias.expanded(to: [rows, n]), into: result)
        }
        multiply(x, w.transposed(), result, beta: bias == nil ? 0 : 1)
        return result
    }

    /// Itself if BLAS can read it as it lies (possibly transposed), else a contiguous copy.
    private static func multiplicable(_ x: Tensor) -> Tensor {
        let rows = x.strides[x.rank - 2]
        let columns = x.strides[x.rank - 1]
        let plain =
            (columns == 1 || x.shape[x.rank - 1] == 1) && rows >= max(1, x.shape[x.rank - 1])
        let swapped =
            (rows == 1 || x.shape[x.rank - 2] == 1) && columns >= max(1, x.shape[x.rank - 2])
        return plain || swapped ? x : x.contiguous()
    }

    private func multiply(_ a: Tensor, _ b: Tensor, _ c: Tensor, beta: Float = 0) {
        withExtendedLifetime((a.storage, b.storage)) {
            if Self.prefersOwnProduct {
                ck_gemm(
                    pool, a.shape[0], b.shape[1], a.shape[1], a.floatAddress, a.strides[0],
                    a.strides[1], b.floatAddress, b.strides[0], b.strides[1], c.floatAddress,
                    max(1, b.shape[1]), beta == 0 ? 0 : 1)
            } else {
                BLAS.multiply(
                    m: a.shape[0], n: b.shape[1], k: a.shape[1], Self.operand(a),
                    Self.operand(b), beta: beta, into: c.floatAddress, leading: max(1, b.shape[1]))
            }
        }
    }

    /// Debian 12's OpenBLAS falls back to AVX2 kernels on AMD processors with AVX-512, at half the rate
    /// of ours; without AVX-512 it is at least as fast.
    private static let prefersOwnProduct = ck_gemm_is_preferred() != 0

    public var readsNarrowWeights: Bool { Self.prefersOwnProduct }

    private static func floatType(_ dtype: DType) -> ck_float_type {
        switch dtype {
        case .float16: CK_FLOAT16
        case .bfloat16: CK_BFLOAT16
        case .float32: CK_FLOAT32
        case .int32, .int64, .uint8: preconditionFailure("a weight cannot be \(dtype)")
        }
    }

    private static func operand(_ x: Tensor) -> BLAS.Matrix {
        let (rows, columns) = (x.shape[0], x.shape[1])
        let isPlain = (x.strides[1] == 1 || columns == 1) && x.strides[0] >= max(1, columns)
        return BLAS.Matrix(
            pointer: UnsafePointer(x.floatAddress),
            leading: max(1, isPlain ? max(x.strides[0], columns) : max(x.strides[1], rows)),
            isTransposed: !isPlain)
    }
}
