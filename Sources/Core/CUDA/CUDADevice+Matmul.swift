// Matrix products on CUDA, by cuBLASLt. SPDX-License-Identifier: Apache-2.0
import CCUDA

extension CUDADevice {
    public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
        let (m, k) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
        let n = b.shape[b.rank - 1]
        let batch = Shape.broadcast(
            Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), operation: "matmul")
        let result = Tensor.empty(batch + [m, n], device: self)
        if result.count == 0 { return result }
        if k == 0 { return full(result.shape, 0) }
        let (a, b) = (operand(a), operand(b))
        let count = batch.reduce(1, *)
        // [..., M, K] × [K, N] with dense rows is one product of all rows.
        if b.rank == 2, a.isContiguous, count > 1 {
            multiply(
                CUDAMatrix(a, rows: count * m, columns: k),
                CUDAMatrix(b, rows: k, columns: n), into: result, rows: count * m)
            return result
        }
        let aStrides = Shape.broadcastStrides(a, to: batch + [m, k])
        let bStrides = Shape.broadcastStrides(b, to: batch + [k, n])
        let (counts, strides) = Shape.collapse(
            batch,
            [
                Array(aStrides.dropLast(2)), Array(bStrides.dropLast(2)),
                Array(result.strides.dropLast(2)),
            ])
        // The innermost batch dimension is the library's; those outside it are a loop.
        let inner = counts.last ?? 1
        let outer = counts.dropLast().reduce(1, *)
        for index in 0..<outer {
            var rest = index
            var offsets = [0, 0, 0]
            for d in stride(from: counts.count - 2, through: 0, by: -1) {
                let i = rest % counts[d]
                rest /= counts[d]
                for t in 0..<3 { offsets[t] += i * strides[t][d] }
            }
            multiply(
                CUDAMatrix(
                    a, rows: m, columns: k, offset: offsets[0], batchStride: strides[0].last ?? 0),
                CUDAMatrix(
                    b, rows: k, columns: n, offset: offsets[1], batchStride: strides[1].last ?? 0),
                into: result, rows: m, offset: offsets[2], batch: inner)
        }
        return result
    }

    public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        let (rows, k) = (x.shape[0], x.shape[1])
        let n = weight.shape[0]
        let result = Tensor.empty([rows, n], device: self)
        if result.count == 0 { return result }
        let bias = bias.map {
            ($0.dtype == .float32 ? $0 : cast($0.contiguous(), to: .float32)).contiguous()
        }
        if k == 0 {
            clear(result.storage)
            if let bias { copy(bias.expanded(to: [rows, n]), into: result) }
            return result
        }
        let w = operand(weight)
        multiply(
            CUDAMatrix(operand(x), rows: rows, columns: k),
            CUDAMatrix(w, rows: n, columns: k).transposed, into: result, rows: rows, bias: bias)
        return result
    }

    /// An operand in the type of the products, laid out so that the library can read it.
    private func operand(_ x: Tensor) -> Tensor {
        var x = x
        switch (precision, x.dtype) {
        case (.bfloat16, .bfloat16), (.float32, .float32): break
        case (.bfloat16, .float32):
            // Converting copies anyway, so a layout that needs another copy is made dense first.
            x = bfloat16(CUDAMatrix.isReadable(x) ? x : x.contiguous())
        case (.bfloat16, _): x = bfloat16(cast(x.contiguous(), to: .float32))
        case (.float32, _): x = cast(x.contiguous(), to: .float32)
        }
        return CUDAMatrix.isReadable(x) ? x : x.contiguous()
    }

    /// C [rows, columns of b] = a · b (+ bias), batched; row-major, so the library sees Cᵀ = bᵀ · aᵀ.
    private func multiply(
        _ a: CUDAMatrix, _ b: CUDAMatrix, into c: Tensor, rows: Int, offset: Int = 0,
        batch: Int = 1, bias: Tensor? = nil
    ) {
        let columns = b.columns
        let isBFloat16 = a.tensor.dtype == .bfloat16
        perform { () throws(CUDAError) in
            let size = isBFloat16 ? 2 : 4
            for tensor in [a.tensor, b.tensor, c] + (bias.map { [$0] } ?? []) {
                capture?.touch(tensor.storage, memory)
            }
            let aStart =
                try a.tensor.storage.deviceAddress("matmul")
                + UInt64((a.tensor.offset + a.offset) * size)
            let bStart =
                try b.tensor.storage.deviceAddress("matmul")
                + UInt64((b.tensor.offset + b.offset) * size)
            let cStart = try c.storage.deviceAddress("matmul") + UInt64((c.offset + offset) * 4)
            var biasStart: UInt64 = 0
            if let bias {
                biasStart = try bias.storage.deviceAddress("matmul") + UInt64(bias.offset * 4)
            }
            let shape = CUDAProductShape(
                transposeA: b.isTransposed, transposeB: a.isTransposed, isBFloat16: isBFloat16,
                hasBias: bias != nil, batch: batch, m: columns, n: rows, k: a.columns,
                leadingA: b.leading, leadingB: a.leading, leadingD: columns,
                strideA: b.batchStride, strideB: a.batchStride, strideD: rows * columns,
                alignment: CUDAProductShape.alignment([bStart, aStart, cStart, biasStart]))
            try timed(shape.summary, .operations(shape.operations)) { () throws(CUDAError) in
                try products.run(
                    shape, a: bStart, b: aStart, bias: biasStart, d: cStart, stream: stream)
            }
        }
    }
}

/// A matrix as a row-major BLAS would read it.
struct CUDAMatrix {
    var tensor: Tensor
    /// Elements added to the tensor's own offset.
    var offset = 0
    var rows: Int
    var columns: Int
    /// Elements from row to row, or from column to column when transposed.
    var leading: Int
    var isTransposed: Bool
    var batchStride = 0

    /// The last two dimensions of a tensor; with more rows than it says when leading ones are merged.
    ///
    /// - Precondition: ``isReadable(_:)``.
    init(_ x: Tensor, rows: Int, columns: Int, offset: Int = 0, batchStride: Int = 0) {
        tensor = x
        self.rows = rows
        self.columns = columns
        self.offset = offset
        self.batchStride = batchStride
        let (rowStride, columnStride) = (x.strides[x.rank - 2], x.strides[x.rank - 1])
        let isPlain = (columnStride == 1 || columns == 1) && (rowStride >= columns || rows == 1)
        isTransposed = !isPlain
        leading = isPlain ? max(rowStride, columns) : max(columnStride, rows)
        // A single row or column has a stride that nobody walks.
        if isPlain, rows == 1 { leading = columns }
        if !isPlain, columns == 1 { leading = rows }
    }

    /// Whether one of the last two dimensions is dense and the other does not overlap it.
    static func isReadable(_ x: Tensor) -> Bool {
        let (rows, columns) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let (rowStride, columnStride) = (x.strides[x.rank - 2], x.strides[x.rank - 1])
        let plain = (columnStride == 1 || columns == 1) && (rowStride >= columns || rows == 1)
        let swapped = (rowStride == 1 || rows == 1) && (columnStride >= rows || columns == 1)
        return plain || swapped
    }

    /// The same memory read the other way round.
    var transposed: CUDAMatrix {
        var result = self
        swap(&result.rows, &result.columns)
        result.isTransposed.toggle()
        return result
    }
}
