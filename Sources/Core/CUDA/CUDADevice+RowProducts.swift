// Products of up to a few hundred rows by Hopper's warpgroup products. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Rows of the kernels' tiles and their stages, as `product_sm90.cu` has them.
    private static let rowTiles = [
        (rows: 64, stages: 6), (rows: 96, stages: 5), (rows: 128, stages: 4),
        (rows: 208, stages: 6),
    ]
    /// Columns of a block, and values of the inner dimension in a stage.
    private static let blockColumns = 64
    private static let stageDepth = 64

    /// Whether the kernel takes a product of these sizes in parts: more rows are better off in the library's
    /// tiles, fewer in the kernel for them.
    func takesRows(_ rows: Int, columns: Int, inner: Int) -> Bool {
        computeCapability == "9.0" && rows > 32 && rows <= (Self.rowTiles.last?.rows ?? 0)
            && columns % Self.blockColumns == 0 && inner % Self.stageDepth == 0
    }

    /// Into how many parts the inner dimension is cut: a block for every multiprocessor, or two, which small
    /// tiles have room for, where both have much to do.
    private func rowParts(rows: Int, columns: Int, inner: Int) -> Int {
        let steps = inner / Self.stageDepth
        var wanted = min(steps, max(1, multiprocessors * Self.blockColumns / columns))
        if rows <= 128, steps >= 24 * wanted { wanted *= 2 }
        let share = (steps + wanted - 1) / wanted
        return (steps + share - 1) / share
    }

    /// Partial sums [parts, rows, columns] of x·weightᵀ, each over a part of the inner dimension, in float32.
    ///
    /// - Precondition: dense operands in bfloat16 that ``takesRows(_:columns:inner:)`` has found fit.
    func rowProducts(_ x: Tensor, _ weight: Tensor) -> Tensor {
        let (rows, columns, inner) = (x.shape[0], weight.shape[0], weight.shape[1])
        let steps = inner / Self.stageDepth
        let parts = rowParts(rows: rows, columns: columns, inner: inner)
        let result = Tensor.empty([parts, rows, columns], device: self)
        guard let tile = Self.rowTiles.first(where: { $0.rows >= rows }) else { return result }
        launch(
            kernel("rows_product_\(tile.rows)", in: .productSM90),
            grid: (columns / Self.blockColumns, parts, 1), block: (256, 1, 1),
            shared: tile.stages * (Self.blockColumns + tile.rows) * Self.stageDepth * 2,
            isEarly: isConstant(weight),
            [
                .tensor(x), .tensor(weight), .tensor(result), .int(rows), .int(columns),
                .int(inner), .int((steps + parts - 1) / parts * Self.stageDepth),
            ])
        return result
    }
}
