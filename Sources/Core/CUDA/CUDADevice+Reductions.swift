// Reductions on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func sum(_ x: Tensor, outer: Int, length: Int, inner: Int, scale: Float) -> Tensor {
        let result = Tensor.empty([outer * inner], device: self)
        if result.count == 0 { return result }
        if length == 0 { return full([outer * inner], 0) }
        if inner == 1 {
            sumRows(x, rows: outer, length: length, scale: scale, into: result)
        } else if inner >= 16, outer < 65_536 {
            sumColumns(x, outer: outer, length: length, inner: inner, scale: scale, into: result)
        } else {
            launch(
                kernel("sum_strided", in: .reductions), grid: ((result.count + 255) / 256, 1, 1),
                block: (256, 1, 1), .tensor(x), .tensor(result), .long(result.count),
                .long(length), .long(inner), .float(scale))
        }
        return result
    }

    /// Few long rows are cut into chunks whose sums are added by a second launch.
    private func sumRows(
        _ x: Tensor, rows: Int, length: Int, scale: Float, into result: Tensor
    ) {
        if length <= 1024 {
            launch(
                kernel("sum_rows_warp", in: .reductions), grid: ((rows + 7) / 8, 1, 1),
                block: (256, 1, 1), .tensor(x), .tensor(result), .long(rows), .long(length),
                .int(1), .float(scale))
            return
        }
        let wanted = max(1, multiprocessors * 4 / rows)
        let chunks = min(wanted, (length + 8191) / 8192)
        let target = chunks == 1 ? result : Tensor.empty([rows * chunks], device: self)
        launch(
            kernel("sum_rows_block", in: .reductions), grid: (rows * chunks, 1, 1),
            block: (256, 1, 1), .tensor(x), .tensor(target), .long(length), .int(chunks),
            .float(chunks == 1 ? scale : 1))
        if chunks > 1 {
            sumRows(target, rows: rows, length: chunks, scale: scale, into: result)
        }
    }

    private func sumColumns(
        _ x: Tensor, outer: Int, length: Int, inner: Int, scale: Float, into result: Tensor
    ) {
        let columns = (inner + 31) / 32
        let wanted = max(1, multiprocessors * 8 / (columns * outer))
        let chunks = min(wanted, (length + 127) / 128, 1024)
        let target = chunks == 1 ? result : Tensor.empty([outer * chunks * inner], device: self)
        launch(
            kernel("sum_columns", in: .reductions), grid: (columns, chunks, outer),
            block: (32, 8, 1), .tensor(x), .tensor(target), .long(length), .long(inner),
            .int(chunks), .float(chunks == 1 ? scale : 1))
        if chunks > 1 {
            sumColumns(
                target, outer: outer, length: chunks, inner: inner, scale: scale, into: result)
        }
    }

    public func maximum(_ x: Tensor, axis: Int) -> (values: Tensor, indices: Tensor) {
        requireShapes(x.shape[axis] > 0, "max", [x.shape, [axis]])
        var shape = x.shape
        let length = shape.remove(at: axis)
        let values = Tensor.empty(shape, device: self)
        let indices = Tensor.empty(shape, dtype: .int32, device: self)
        let inner = x.shape[(axis + 1)...].reduce(1, *)
        if values.count == 0 { return (values, indices) }
        if inner == 1, length >= 32 {
            launch(
                kernel("max_rows", in: .reductions), grid: (values.count, 1, 1),
                block: (length >= 512 ? 256 : 64, 1, 1), .tensor(x), .tensor(values),
                .tensor(indices), .long(length))
        } else {
            launch(
                kernel("max_strided", in: .reductions), grid: ((values.count + 255) / 256, 1, 1),
                block: (256, 1, 1), .tensor(x), .tensor(values), .tensor(indices),
                .long(values.count), .long(length), .long(inner))
        }
        return (values, indices)
    }

    public func scatterAlong(
        _ axis: Int, _ values: Tensor, at indices: Tensor, shape: [Int]
    ) -> Tensor {
        let result = Tensor.zeros(shape, device: self)
        launch(
            kernel("scatter_along", in: .reductions), grid: ((values.count + 255) / 256, 1, 1),
            block: (256, 1, 1), .tensor(values), .tensor(indices), .tensor(result),
            .long(values.count), .long(shape[axis]), .long(shape[(axis + 1)...].reduce(1, *)))
        return result
    }

    public func sumOfSquares(_ x: Tensor) -> Double { sumOfSquares([x]) }

    public func sumOfSquares(_ tensors: [Tensor]) -> Double {
        let pieces = CUDAPieces(counts: tensors.map(\.count))
        guard pieces.count > 0 else { return 0 }
        let tables = upload(pieces, addresses: tensors.map { [$0.address] })
        let partial = Tensor.empty([2 * pieces.count], device: self)
        let total = Tensor.empty([2], device: self)
        keepForCapture(tensors)
        launch(
            kernel("squares_of_many", in: .reductions), grid: (pieces.count, 1, 1),
            block: (256, 1, 1), .tensor(tables.addresses), .tensor(tables.counts),
            .tensor(tables.pieces), .int(CUDAPieces.size), .tensor(partial))
        launch(
            kernel("sum_doubles", in: .reductions), grid: (1, 1, 1), block: (1024, 1, 1),
            .tensor(partial), .tensor(total), .long(pieces.count))
        // A failure must not pass for a norm of 0.
        var value = Double.nan
        withUnsafeMutableBytes(of: &value) { download(total, into: $0) }
        return hasFailed ? .nan : value
    }
}
