// Rotation of pictures. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Square pictures turned about their centre, bilinear, zeros outside.
///
/// Output pixel (r, c) has the centred coordinates X = c − (S−1)/2, Y = r − (S−1)/2 and reads the
/// input at (X·u₀ − Y·u₁, X·u₁ + Y·u₀): u = (cos θ, sin θ) turns **counter-clockwise on screen** by θ.
///
/// - Parameters:
///   - x: [B, C, S, S].
///   - u: [B, 2]; a shorter vector than 1 also magnifies.
/// - Returns: as x; differentiable in both.
///
/// Source: the affine grid [[u₀, −u₁, 0], [u₁, u₀, 0]] without aligned corners; Jaderberg et al.,
/// arXiv 1506.02025.
public func rotated(_ x: Tensor, by u: Tensor) -> Tensor {
    requireShapes(
        x.rank == 4 && x.shape[2] == x.shape[3] && u.shape == [x.shape[0], 2], "rotated",
        [x.shape, u.shape])
    if x.count == 0 { return x }
    let (x, u) = (x.contiguous(), u.contiguous())
    let y = x.device.rotated(x.detached(), u.detached())
    return recorded(y, inputs: [x, u]) { dy in
        let (dx, du) = dy.device.rotatedGradient(
            dy.contiguous(), x.detached(), u.detached(), wantsInput: needsGradient(x))
        return [dx.map { .init($0) }, .init(du)]
    }
}

/// Square pictures [B, C, S, S], each turned counter-clockwise by its angle in degrees.
public func rotated(_ x: Tensor, degrees: [Float]) -> Tensor {
    let u = degrees.flatMap { angle -> [Float] in
        let radians = Double(angle) * .pi / 180
        return [Float(cos(radians)), Float(sin(radians))]
    }
    return rotated(x, by: Tensor(u, shape: [degrees.count, 2], device: x.device))
}
