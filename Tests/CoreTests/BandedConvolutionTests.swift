// Convolutions by bands against whole ones. SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Core

@Suite struct BandedConvolutionTests {
    /// Too few channels out for Winograd's path; heights of whole bands and of a last one of one row.
    @Test(arguments: [[1, 32, 64, 32], [2, 16, 9, 20], [1, 24, 7, 5]])
    func anActivatedConvolutionIsThatOfWholePictures(shape: [Int]) {
        func convolved(on device: CPUDevice) -> [Float] {
            func tensor(_ shape: [Int], _ seed: UInt64, _ offset: Float = 0) -> Tensor {
                Tensor(
                    randomTensor(shape, seed: seed, offset: offset).floats(), shape: shape,
                    device: device)
            }
            return fusedConvolution2D(
                tensor(shape, 5, 3),
                prologue: .groupNormSiLU(
                    weight: tensor([shape[1]], 2, 1), bias: tensor([shape[1]], 3), groups: 8,
                    epsilon: 1e-6),
                weight: tensor([3, shape[1], 3, 3], 4) * 0.1, bias: tensor([3], 1),
                padding: .same(1)
            ).floats()
        }
        let row = shape[1] * shape[3] * 4
        for limit in [1, 3 * 8 * row] {
            expectClose(
                convolved(on: CPUDevice(threads: 2, bandLimit: limit)), convolved(on: .shared),
                absolute: 1e-5, relative: 1e-5, "\(shape), limit \(limit)")
        }
    }
}
