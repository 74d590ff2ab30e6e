// Pooling. SPDX-License-Identifier: Apache-2.0

/// The mean of size × size pixels, without padding; incomplete windows are dropped.
///
/// - Parameters:
///   - x: [B, C, H, W], at least `size` on each side.
///   - size: side of the window.
///   - stride: pixels between windows; `size` when nil.
/// - Returns: [B, C, (H − size)/stride + 1, …].
public func averagePool2D(_ x: Tensor, size: Int, stride: Int? = nil) -> Tensor {
    let stride = stride ?? size
    let (planes, shape, outputShape) = poolingShapes(x, size, stride, "averagePool2D")
    let x = x.contiguous()
    let y = x.device.averagePool2D(x.detached().reshaped(planes), size: size, stride: stride)
    let pooled = y.shape
    return recorded(y.reshaped(outputShape), inputs: [x]) { dy in
        [
            .init(
                dy.device.averagePool2DGradient(
                    dy.contiguous().reshaped(pooled), shape: planes, size: size, stride: stride
                ).reshaped(shape))
        ]
    }
}

/// The largest of size × size pixels, without padding; the gradient goes to the first on ties.
///
/// - Parameters: as ``averagePool2D(_:size:stride:)``.
public func maxPool2D(_ x: Tensor, size: Int, stride: Int? = nil) -> Tensor {
    let stride = stride ?? size
    let (planes, shape, outputShape) = poolingShapes(x, size, stride, "maxPool2D")
    let x = x.contiguous()
    let (y, positions) = x.device.maxPool2D(
        x.detached().reshaped(planes), size: size, stride: stride)
    let pooled = y.shape
    return recorded(y.reshaped(outputShape), inputs: [x]) { dy in
        [
            .init(
                dy.device.maxPool2DGradient(
                    dy.contiguous().reshaped(pooled), positions: positions, shape: planes
                ).reshaped(shape))
        ]
    }
}

private func poolingShapes(
    _ x: Tensor, _ size: Int, _ stride: Int, _ operation: StaticString
) -> (planes: [Int], shape: [Int], output: [Int]) {
    requireShapes(
        x.rank == 4 && size > 0 && stride > 0 && x.shape[2] >= size && x.shape[3] >= size,
        operation, [x.shape, [size, stride]])
    let s = x.shape
    return (
        [s[0] * s[1], s[2], s[3]], s,
        [s[0], s[1], (s[2] - size) / stride + 1, (s[3] - size) / stride + 1]
    )
}
