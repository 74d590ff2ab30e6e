// Rows by index, nearest rows and sorting on CUDA. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func gatherRows(_ table: Tensor, _ indices: Tensor) -> Tensor {
        let width = table.shape[1...].reduce(1, *)
        let result = Tensor.empty(indices.shape + table.shape[1...], device: self)
        if result.count == 0 { return result }
        launch(
            kernel("gather_rows", in: .rows), grid: ((result.count + 255) / 256, 1, 1),
            block: (256, 1, 1), .tensor(table), .tensor(indices), .tensor(result),
            .long(indices.count), .long(width), .long(table.shape[0]))
        return result
    }

    public func scatterAddRows(_ rows: Tensor, _ indices: Tensor, count: Int) -> Tensor {
        let result = Tensor.zeros([count, rows.shape[1]], device: self)
        if result.count == 0 || indices.count == 0 { return result }
        launch(
            kernel("scatter_add_rows", in: .rows), grid: (count, 1, 1), block: (256, 1, 1),
            .tensor(rows), .tensor(indices), .tensor(result), .long(indices.count),
            .long(rows.shape[1]))
        return result
    }

    public func nearestRows(_ z: Tensor, _ table: Tensor) -> Tensor {
        let result = Tensor.empty([z.shape[0]], dtype: .int32, device: self)
        if result.count == 0 { return result }
        let width = z.shape[1]
        // Table rows and their squares within 32 KiB of shared memory, and one row of z a warp.
        let (tile, warps) = (max(1, min(table.shape[0], 8192 / (width + 2))), 8)
        launch(
            kernel("nearest_rows", in: .rows), grid: ((result.count + warps - 1) / warps, 1, 1),
            block: (32 * warps, 1, 1), shared: 4 * (tile * (width + 2) + warps * width),
            .tensor(z), .tensor(table), .tensor(result), .long(result.count),
            .int(table.shape[0]), .int(width), .int(tile))
        return result
    }

    public func argsort(_ x: Tensor, descending: Bool) -> Tensor {
        let width = x.shape[x.rank - 1]
        let result = Tensor.empty(x.shape, dtype: .int32, device: self)
        if x.count == 0 { return result }
        var padded = 2
        while padded < width { padded *= 2 }
        if padded <= 4096 {
            launch(
                kernel("argsort_rows", in: .rows), grid: (x.count / width, 1, 1),
                block: (min(512, max(32, padded / 2)), 1, 1), shared: 8 * padded, .tensor(x),
                .tensor(result), .int(width), .int(padded), .int(descending ? 1 : 0))
        } else {
            launch(
                kernel("argsort_by_rank", in: .rows), grid: ((x.count + 255) / 256, 1, 1),
                block: (256, 1, 1), .tensor(x), .tensor(result), .long(x.count), .int(width),
                .int(descending ? 1 : 0))
        }
        return result
    }
}
