// Rows by index, nearest rows and sorting on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func gatherRows(_ table: Tensor, _ indices: Tensor) -> Tensor {
        let width = table.shape[1...].reduce(1, *)
        let result = Tensor.empty(indices.shape + table.shape[1...], device: self)
        withExtendedLifetime((table.storage, indices.storage)) {
            requireIndices(indices, below: table.shape[0], "embedding")
            ck_gather_rows(
                pool, table.floatAddress, indices.int32Address, indices.count, width,
                result.floatAddress)
        }
        return result
    }

    public func scatterAddRows(_ rows: Tensor, _ indices: Tensor, count: Int) -> Tensor {
        let result = Tensor.zeros([count, rows.shape[1]], device: self)
        withExtendedLifetime((rows.storage, indices.storage)) {
            ck_scatter_add_rows(
                pool, rows.floatAddress, indices.int32Address, indices.count, rows.shape[1],
                result.floatAddress)
        }
        return result
    }

    public func nearestRows(_ z: Tensor, _ table: Tensor) -> Tensor {
        let result = Tensor.empty([z.shape[0]], dtype: .int32, device: self)
        withExtendedLifetime((z.storage, table.storage)) {
            ck_nearest_rows(
                pool, z.floatAddress, table.floatAddress, z.shape[0], table.shape[0], z.shape[1],
                result.int32Address)
        }
        return result
    }

    public func argsort(_ x: Tensor, descending: Bool) -> Tensor {
        let width = x.shape[x.rank - 1]
        let result = Tensor.empty(x.shape, dtype: .int32, device: self)
        if x.count == 0 { return result }
        withExtendedLifetime(x.storage) {
            ck_argsort(
                pool, x.floatAddress, x.count / width, width, descending ? 1 : 0,
                result.int32Address)
        }
        return result
    }
}
