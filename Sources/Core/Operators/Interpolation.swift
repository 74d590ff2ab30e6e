// Resizing of feature maps and pictures. SPDX-License-Identifier: Apache-2.0

/// Resizes the last two dimensions.
///
/// - Parameters:
///   - x: [B, C, h, w], not empty in h and w.
///   - size: rows and columns of the result.
///   - method: bicubic (usually up), area (usually down), or nearest.
/// - Returns: [B, C, size]; x itself if the size is the same.
///
/// Numerics: separable, columns first, weights rounded from double; within 2e-6 of PyTorch's
/// `interpolate` for `bicubic` (align_corners false, no antialias), `area` and `nearest`.
/// Source: hmar.md §3.1.
public func resized(
    _ x: Tensor, to size: (height: Int, width: Int), method: ResizeMethod
) -> Tensor {
    requireShapes(
        x.rank == 4 && x.shape[2] > 0 && x.shape[3] > 0 && size.height > 0 && size.width > 0,
        "resized", [x.shape, [size.height, size.width]])
    let shape = x.shape
    if shape[2] == size.height && shape[3] == size.width { return x }
    let planes = shape[0] * shape[1]
    let x = x.contiguous()
    let y = x.device.resized(
        x.detached().reshaped([planes, shape[2], shape[3]]), height: size.height,
        width: size.width, method: method)
    return recorded(
        y.reshaped([shape[0], shape[1], size.height, size.width]), inputs: [x]
    ) { dy in
        [
            .init(
                dy.device.resizedGradient(
                    dy.contiguous().reshaped([planes, size.height, size.width]),
                    height: shape[2], width: shape[3], method: method
                ).reshaped(shape))
        ]
    }
}

/// Every pixel of [B, C, h, w] repeated 2 × 2.
public func upsampledNearest2x(_ x: Tensor) -> Tensor {
    requireShapes(x.rank == 4, "upsampledNearest2x", [x.shape])
    let s = x.shape
    let planes = s[0] * s[1]
    let x = x.contiguous()
    let y = x.device.upsampledNearest2x(x.detached().reshaped([planes, s[2], s[3]]))
    return recorded(y.reshaped([s[0], s[1], 2 * s[2], 2 * s[3]]), inputs: [x]) { dy in
        [
            .init(
                dy.device.upsampledNearest2xGradient(
                    dy.contiguous().reshaped([planes, 2 * s[2], 2 * s[3]])
                ).reshaped(s))
        ]
    }
}
