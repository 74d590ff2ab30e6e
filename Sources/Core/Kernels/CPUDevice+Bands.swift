// Convolutions of pictures too large to hold what lies between operators.
// SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    /// Rows of x [B, C, H, W] that make a band; nil where x is small enough to be whole.
    private func bandRows(_ x: Tensor) -> Int? {
        let bytes = x.count * MemoryLayout<Float>.size
        guard bytes > bandLimit else { return nil }
        let row = x.shape[1] * x.shape[3] * MemoryLayout<Float>.size
        return max(1, bandLimit / 8 / row)
    }

    /// convolution(SiLU(norm(x))) where x is large and the kernel keeps its size; nil elsewhere.
    func activatedBands(
        _ x: Tensor, _ prologue: ConvolutionPrologue, _ weight: Tensor, _ bias: Tensor?,
        _ shape: inout ck_convolution, _ geometry: ConvolutionGeometry
    ) -> Tensor? {
        let halo = weight.shape[2] / 2
        guard case .groupNormSiLU(let gain, let shift, let groups, let epsilon) = prologue,
            let rows = bandRows(x), weight.shape[2] == 2 * halo + 1,
            weight.shape[3] == 2 * halo + 1, geometry.padding == .same(halo),
            geometry.stride == 1, geometry.groups == 1
        else { return nil }
        let map = groupNormMap(x, gain, shift, groups: groups, epsilon: epsilon)
        let y = Tensor.empty(
            geometry.outputShape(input: x.shape, weight: weight.shape), device: self)
        withExtendedLifetime((x.storage, weight.storage, bias?.storage, map.storage)) {
            ck_activated_bands(
                pool, &shape, x.floatAddress, map.floatAddress, map.floatAddress + map.count / 2,
                weight.floatAddress, bias?.floatAddress, rows, y.floatAddress)
        }
        return y
    }
}
