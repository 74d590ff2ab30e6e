// Resizing and pooling on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func resized(_ x: Tensor, height: Int, width: Int, method: ResizeMethod) -> Tensor {
        resample(
            x, rows: resamplingMatrices.pair(from: x.shape[1], to: height, method).forward,
            columns: resamplingMatrices.pair(from: x.shape[2], to: width, method).forward)
    }

    public func resizedGradient(
        _ dy: Tensor, height: Int, width: Int, method: ResizeMethod
    ) -> Tensor {
        resample(
            dy, rows: resamplingMatrices.pair(from: height, to: dy.shape[1], method).adjoint,
            columns: resamplingMatrices.pair(from: width, to: dy.shape[2], method).adjoint)
    }

    private func resample(
        _ x: Tensor, rows: ResamplingMatrix, columns: ResamplingMatrix
    ) -> Tensor {
        let result = Tensor.empty([x.shape[0], rows.to, columns.to], device: self)
        withExtendedLifetime(x.storage) {
            rows.withBands { rowBands in
                columns.withBands { columnBands in
                    ck_resize(
                        pool, x.floatAddress, x.shape[0], rowBands, columnBands,
                        result.floatAddress)
                }
            }
        }
        return result
    }

    public func upsampledNearest2x(_ x: Tensor) -> Tensor {
        let (planes, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let result = Tensor.empty([planes, 2 * height, 2 * width], device: self)
        withExtendedLifetime(x.storage) {
            ck_upsample_nearest_2x(
                pool, x.floatAddress, planes, height, width, result.floatAddress)
        }
        return result
    }

    public func upsampledNearest2xGradient(_ dy: Tensor) -> Tensor {
        let (planes, height, width) = (dy.shape[0], dy.shape[1] / 2, dy.shape[2] / 2)
        let result = Tensor.empty([planes, height, width], device: self)
        withExtendedLifetime(dy.storage) {
            ck_sum_2x2(pool, dy.floatAddress, planes, height, width, result.floatAddress)
        }
        return result
    }

    public func maxPool2D(
        _ x: Tensor, size: Int, stride: Int
    ) -> (values: Tensor, positions: Tensor) {
        let shape = pooledShape(x.shape, size, stride)
        let values = Tensor.empty(shape, device: self)
        let positions = Tensor.empty(shape, dtype: .int32, device: self)
        withExtendedLifetime(x.storage) {
            ck_max_pool(
                pool, x.floatAddress, x.shape[0], x.shape[1], x.shape[2], size, stride,
                values.floatAddress, positions.int32Address)
        }
        return (values, positions)
    }

    public func maxPool2DGradient(_ dy: Tensor, positions: Tensor, shape: [Int]) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        withExtendedLifetime((dy.storage, positions.storage)) {
            ck_max_pool_backward(
                pool, dy.floatAddress, positions.int32Address, shape[0],
                dy.shape[1] * dy.shape[2], shape[1] * shape[2], result.floatAddress)
        }
        return result
    }

    public func averagePool2D(_ x: Tensor, size: Int, stride: Int) -> Tensor {
        let result = Tensor.empty(pooledShape(x.shape, size, stride), device: self)
        withExtendedLifetime(x.storage) {
            ck_average_pool(
                pool, x.floatAddress, x.shape[0], x.shape[1], x.shape[2], size, stride,
                result.floatAddress)
        }
        return result
    }

    public func averagePool2DGradient(
        _ dy: Tensor, shape: [Int], size: Int, stride: Int
    ) -> Tensor {
        let result = Tensor.empty(shape, device: self)
        withExtendedLifetime(dy.storage) {
            ck_average_pool_backward(
                pool, dy.floatAddress, shape[0], shape[1], shape[2], size, stride,
                result.floatAddress)
        }
        return result
    }

    private func pooledShape(_ shape: [Int], _ size: Int, _ stride: Int) -> [Int] {
        [shape[0], (shape[1] - size) / stride + 1, (shape[2] - size) / stride + 1]
    }
}

extension ResamplingMatrix {
    /// The matrix as the kernel reads it.
    fileprivate func withBands(_ body: (UnsafePointer<ck_band_matrix>) -> Void) {
        first.withUnsafeBufferPointer { first in
            count.withUnsafeBufferPointer { count in
                weights.withUnsafeBufferPointer { weights in
                    var bands = ck_band_matrix(
                        from: from, to: to, width: width, first: first.baseAddress,
                        count: count.baseAddress, weights: weights.baseAddress)
                    body(&bands)
                }
            }
        }
    }
}
