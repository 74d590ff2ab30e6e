// Reductions on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func sum(_ x: Tensor, outer: Int, length: Int, inner: Int, scale: Float) -> Tensor {
        let result = Tensor.empty([outer * inner], device: self)
        withExtendedLifetime(x.storage) {
            ck_sum_f32(pool, x.floatAddress, result.floatAddress, outer, length, inner, scale)
        }
        return result
    }

    public func maximum(_ x: Tensor, axis: Int) -> (values: Tensor, indices: Tensor) {
        requireShapes(x.shape[axis] > 0, "max", [x.shape, [axis]])
        var shape = x.shape
        let length = shape.remove(at: axis)
        let values = Tensor.empty(shape, device: self)
        let indices = Tensor.empty(shape, dtype: .int32, device: self)
        withExtendedLifetime(x.storage) {
            ck_max_f32(
                pool, x.floatAddress, values.floatAddress, indices.int32Address,
                x.shape[..<axis].reduce(1, *), length, x.shape[(axis + 1)...].reduce(1, *))
        }
        return (values, indices)
    }

    public func scatterAlong(
        _ axis: Int, _ values: Tensor, at indices: Tensor, shape: [Int]
    ) -> Tensor {
        let result = Tensor.zeros(shape, device: self)
        let inner = shape[(axis + 1)...].reduce(1, *)
        let length = shape[axis]
        withExtendedLifetime((values.storage, indices.storage)) {
            for t in 0..<values.count {
                let row = t / inner * length + Int(indices.int32Address[t])
                result.floatAddress[row * inner + t % inner] = values.floatAddress[t]
            }
        }
        return result
    }

    public func sumOfSquares(_ x: Tensor) -> Double {
        withExtendedLifetime(x.storage) { ck_sum_of_squares_f32(pool, x.floatAddress, x.count) }
    }
}
