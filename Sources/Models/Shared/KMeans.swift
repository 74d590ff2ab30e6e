// A first codebook from data.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Lloyd's k-means over rows; used to start a codebook on encoder outputs.
enum KMeans {
    /// Centres [count, Z] of rows [N, Z].
    ///
    /// Starts on random rows (repeated and disturbed when there are fewer than `count`); a centre
    /// that loses all rows moves to a random one.
    static func centres(
        of rows: Tensor, count: Int, iterations: Int, generator: inout RandomGenerator
    ) -> Tensor {
        let values = rows.floats()
        let (n, width) = (rows.shape[0], rows.shape[1])
        let order = generator.permutation(n)
        var centres: [Float] = []
        centres.reserveCapacity(count * width)
        for i in 0..<count {
            let row = order[i % n]
            for j in 0..<width {
                let noise = i < n ? 0 : 0.01 * Float(generator.nextNormal())
                centres.append(values[row * width + j] + noise)
            }
        }
        for _ in 0..<iterations {
            let codes = nearestCodes(
                rows.contiguous(), codebook: Tensor(centres, shape: [count, width])
            ).int32s()
            var sums = [Float](repeating: 0, count: count * width)
            var members = [Int](repeating: 0, count: count)
            for (row, code) in codes.enumerated() {
                members[Int(code)] += 1
                for j in 0..<width { sums[Int(code) * width + j] += values[row * width + j] }
            }
            for code in 0..<count {
                let replacement = members[code] == 0 ? generator.nextInt(below: n) : 0
                for j in 0..<width {
                    centres[code * width + j] =
                        members[code] > 0
                        ? sums[code * width + j] / Float(members[code])
                        : values[replacement * width + j]
                }
            }
        }
        return Tensor(centres, shape: [count, width])
    }
}
