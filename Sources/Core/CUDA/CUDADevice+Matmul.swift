// Matrix products on CUDA, by cuBLASLt. SPDX-License-Identifier: Apache-2.0
import CCUDA

extension CUDADevice {
    public var operandType: DType { precision == .bfloat16 ? .bfloat16 : .float32 }

    public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor { matmul(a, b, as: .float32) }

    public func matmul(_ a: Tensor, _ b: Tensor, as dtype: DType) -> Tensor {
        let (m, k) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
        let n = b.shape[b.rank - 1]
        let batch = Shape.broadcast(
            Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), operation: "matmul")
        let result = Tensor.empty(batch + [m, n], dtype: dtype, device: self)
        if result.count == 0 { return result }
        if k == 0 {
            clear(result.storage)
            return result
        }
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
        linear(x, weight, bias, as: .float32)
    }

    public func linear(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, as dtype: DType
    ) -> Tensor {
        let (rows, k) = (x.shape[0], x.shape[1])
        let n = weight.shape[0]
        let result = Tensor.empty([rows, n], dtype: dtype, device: self)
        if result.count == 0 || skinnyLinear(x, weight, bias, into: result, activates: false) {
            return result
        }
        let bias = bias.map { inType(dtype, $0) }
        if k == 0 {
            clear(result.storage)
            if let bias { copy(bias.expanded(to: [rows, n]), into: result) }
            return result
        }
        multiply(
            CUDAMatrix(operand(x), rows: rows, columns: k),
            CUDAMatrix(operand(weight), rows: n, columns: k).transposed, into: result, rows: rows,
            epilogue: bias == nil ? .plain : .bias, bias: bias)
        return result
    }

    /// Partial sums [parts, rows, N] of x·weightᵀ, each over a part of the inner dimension, in float32.
    ///
    /// - Precondition: operands in the type of products, dense; `parts` divides the inner dimension.
    func partialProducts(_ x: Tensor, _ weight: Tensor, parts: Int) -> Tensor {
        let (rows, n, k) = (x.shape[0], weight.shape[0], x.shape[1] / parts)
        let result = Tensor.empty([parts, rows, n], device: self)
        func first(_ x: Tensor) -> Tensor { x.narrowed(axis: 1, start: 0, length: k) }
        multiply(
            CUDAMatrix(first(x), rows: rows, columns: k, batchStride: k),
            CUDAMatrix(first(weight), rows: n, columns: k, batchStride: k).transposed,
            into: result, rows: rows, batch: parts)
        return result
    }

    /// A vector in the type of a product's result, where the library wants its biases.
    private func inType(_ dtype: DType, _ x: Tensor) -> Tensor {
        let x = x.contiguous()
        if x.dtype == dtype { return x }
        return dtype == .bfloat16 && x.dtype == .float32 ? bfloat16(x) : cast(x, to: dtype)
    }

    public func linearGELU(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, keepsInput: Bool
    ) -> (activated: Tensor, input: Tensor?)? {
        let (rows, k, n) = (x.shape[0], x.shape[1], weight.shape[0])
        guard operandType == .bfloat16, x.count > 0, n % 8 == 0 else { return nil }
        let activated = Tensor.empty([rows, n], dtype: .bfloat16, device: self)
        if !keepsInput, skinnyLinear(x, weight, bias, into: activated, activates: true) {
            return (activated, nil)
        }
        let input = keepsInput ? Tensor.empty([rows, n], dtype: .bfloat16, device: self) : nil
        let isDone = multiply(
            CUDAMatrix(operand(x), rows: rows, columns: k),
            CUDAMatrix(operand(weight), rows: n, columns: k).transposed, into: activated,
            rows: rows, epilogue: keepsInput ? .biasGELUInput : .biasGELU,
            bias: inType(.bfloat16, bias), input: input, ifSupported: true)
        return isDone ? (activated, input) : nil
    }

    public func linearGELUGradient(
        _ dy: Tensor, _ weight: Tensor, input: Tensor
    ) -> (dinput: Tensor, dbias: Tensor) {
        let (rows, width) = (input.shape[0], input.shape[1])
        // The library's own epilogue for this runs at a seventh of the product's rate (cuBLAS 13).
        let dinput = matmul(dy, weight, as: .bfloat16)
        let columns = (width + 255) / 256
        let parts = max(1, min(multiprocessors * 8 / columns, rows / 32))
        let sums = Tensor.empty([parts, width], device: self)
        launch(
            kernel("gelu_gradient_rows_bf16", in: .elementwise), grid: (columns, parts, 1),
            block: (256, 1, 1), .tensor(dinput), .tensor(input), .tensor(sums), .int(rows),
            .int(width))
        return (dinput, sum(sums, outer: 1, length: parts, inner: width, scale: 1))
    }

    public func biasGradient(_ dy: Tensor) -> Tensor {
        let (rows, width) = (dy.shape[0], dy.shape[1])
        guard dy.dtype == .bfloat16 else {
            return sum(dy, outer: 1, length: rows, inner: width, scale: 1)
        }
        guard width % 2 == 0, rows > 0, UInt(bitPattern: dy.address) % 4 == 0 else {
            return biasGradient(cast(dy, to: .float32))
        }
        let columns = (width + 63) / 64
        let parts = max(1, min(multiprocessors * 8 / columns, rows / 64))
        let sums = Tensor.empty([parts, width], device: self)
        launch(
            kernel("sum_columns_bf16", in: .reductions), grid: (columns, parts, 1),
            block: (256, 1, 1), .tensor(dy), .tensor(sums), .int(rows), .int(width))
        if parts == 1 { return sums.reshaped([width]) }
        return sum(sums, outer: 1, length: parts, inner: width, scale: 1)
    }

    /// An operand in the type of the products, laid out so that the library can read it.
    func operand(_ x: Tensor) -> Tensor {
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

    /// C [rows, columns of b] = a · b with an epilogue, batched; row-major, so the library sees
    /// Cᵀ = bᵀ · aᵀ.
    ///
    /// - Parameters:
    ///   - bias: of the type of C.
    ///   - input: what GELU is applied to, as C.
    ///   - ifSupported: do nothing where the library has no kernel for it, instead of failing.
    /// - Returns: false if nothing was done.
    @discardableResult
    private func multiply(
        _ a: CUDAMatrix, _ b: CUDAMatrix, into c: Tensor, rows: Int, offset: Int = 0,
        batch: Int = 1, epilogue: CUDAEpilogue = .plain, bias: Tensor? = nil,
        input: Tensor? = nil, ifSupported: Bool = false
    ) -> Bool {
        let columns = b.columns
        let isBFloat16 = a.tensor.dtype == .bfloat16
        let isDone = perform { () throws(CUDAError) in
            for tensor in [a.tensor, b.tensor, c] + [bias, input].compactMap({ $0 }) {
                capture?.touch(tensor.storage, memory)
            }
            let size = isBFloat16 ? 2 : 4
            let aStart = try address(a.tensor) + UInt64(a.offset * size)
            let bStart = try address(b.tensor) + UInt64(b.offset * size)
            let cStart = try address(c) + UInt64(offset * c.dtype.byteCount)
            let biasStart = try bias.map { (x) throws(CUDAError) in try address(x) } ?? 0
            let inputStart = try input.map { (x) throws(CUDAError) in try address(x) } ?? 0
            let shape = CUDAProductShape(
                transposeA: b.isTransposed, transposeB: a.isTransposed, isBFloat16: isBFloat16,
                hasNarrowResult: c.dtype == .bfloat16, epilogue: epilogue, batch: batch,
                m: columns, n: rows, k: a.columns, leadingA: b.leading, leadingB: a.leading,
                leadingD: columns, strideA: b.batchStride, strideB: a.batchStride,
                strideD: rows * columns,
                alignment: CUDAProductShape.alignment([
                    bStart, aStart, cStart, biasStart, inputStart,
                ]))
            if ifSupported, !products.supports(shape) { return false }
            try timed(shape.summary, .operations(shape.operations)) { () throws(CUDAError) in
                try products.run(
                    shape, a: bStart, b: aStart, bias: biasStart, input: inputStart, d: cStart,
                    stream: stream)
            }
            return true
        }
        // After a failure nothing is computed any more, whichever way is taken.
        return isDone ?? true
    }

    private func address(_ x: Tensor) throws(CUDAError) -> UInt64 {
        try x.storage.deviceAddress("matmul") + UInt64(x.offset * x.dtype.byteCount)
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
