// What a result must not depend on: the batch, the number of threads, the layout of the inputs.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@Suite struct KernelInvarianceTests {
    /// Everything that a picture goes through, as functions of a batch.
    private static let imageOperators: [(name: String, apply: @Sendable (Tensor) -> Tensor)] = [
        ("3×3", { convolution2D($0, weight: normal([9, 12, 3, 3]), padding: .same(1)) }),
        (
            "3×3, stride 2",
            { convolution2D($0, weight: normal([9, 12, 3, 3]), stride: 2, padding: .same(1)) }
        ),
        ("1×1", { convolution2D($0, weight: normal([9, 12, 1, 1])) }),
        (
            "groupNorm",
            {
                groupNorm(
                    $0, groups: 4, weight: normal([12]), bias: normal([12]), activation: .silu)
            }
        ),
        ("bicubic", { resized($0, to: (17, 19), method: .bicubic) }),
        ("linear", { linear($0, normal([20, $0.shape[3]])) }),
        ("layerNorm", { layerNorm($0) }),
        ("softmax", { softmax($0) }),
        ("attention", { attention($0, $0, $0, scale: 0.3) }),
    ]

    private static func normal(_ shape: [Int]) -> Tensor { randomTensor(shape, seed: 7) }

    @Test(arguments: imageOperators.indices)
    func onePictureOfABatchIsBitForBitThePictureAlone(index: Int) {
        let (name, apply) = Self.imageOperators[index]
        let batch = Self.normal([5, 12, 13, 11])
        let together = apply(batch)
        for i in 0..<5 {
            let alone = apply(batch.narrowed(axis: 0, start: i, length: 1))
            #expect(
                alone.floats() == together.narrowed(axis: 0, start: i, length: 1).floats(),
                "\(name), picture \(i)")
        }
    }

    @Test func rowsOfAProductDoNotDependOnTheOthers() {
        let weight = Self.normal([300, 700])
        let x = Self.normal([330, 700])
        let bias = Self.normal([300])
        let together = linear(x, weight, bias)
        for rows in [1, 2, 3, 4, 7, 100, 329] {
            let some = linear(x.narrowed(axis: 0, start: 1, length: rows), weight, bias)
            #expect(
                some.floats() == together.narrowed(axis: 0, start: 1, length: rows).floats(),
                "\(rows) rows")
        }
    }

    @Test func gradientsDoNotDependOnThreads() {
        func gradients(threads: Int) -> [[Float]] {
            let device = CPUDevice(threads: threads)
            func on(_ shape: [Int], _ seed: UInt64) -> Tensor {
                Tensor(randomTensor(shape, seed: seed).floats(), shape: shape, device: device)
            }
            let x = on([6, 16, 9, 10], 1).leaf()
            let weight = on([8, 16, 3, 3], 2).leaf()
            let few = on([16, 2, 3, 3], 3).leaf()
            let gain = on([90], 4).leaf()
            let bias = on([90], 5).leaf()
            let table = on([5, 90], 6).leaf()
            let y = convolution2D(x, weight: weight, padding: .same(1)).reshaped([48, 90])
            let z = layerNorm(y, weight: gain, bias: bias)
            let rows = embedding(
                table,
                indices: Tensor(
                    int32: (0..<48).map { Int32($0 * $0 % 5) }, shape: [48], device: device))
            let narrow = convolution2D(
                x.narrowed(axis: 1, start: 0, length: 2), weight: few, padding: .same(1))
            let loss =
                crossEntropy(
                    z + rows,
                    targets: Tensor(
                        int32: (0..<48).map { Int32($0) }, shape: [48], device: device)
                ).sum() + narrow.square().mean()
            let all = loss.backward()
            return [x, weight, few, gain, bias, table].map { all[$0]?.floats() ?? [] }
        }
        let one = gradients(threads: 1)
        #expect(one.allSatisfy { !$0.isEmpty })
        #expect(gradients(threads: 3) == one)
    }

    @Test func attentionReadsHeadsWhereTheyLie() {
        // One projection [B, L, 3, H, D] serves as q, k and v without a copy.
        let (b, l, h, d) = (2, 60, 3, 5)
        let qkv = Self.normal([b, l, 3, h, d]).leaf()
        func part(_ x: Tensor, _ i: Int) -> Tensor {
            x.narrowed(axis: 2, start: i, length: 1).squeezed(2).transposed(1, 2)
        }
        let weights = randomTensor([b, h, l, d], seed: 3)
        let mask = AttentionMask.blockCausal([1, 4, 9, 46])
        let strided = attention(part(qkv, 0), part(qkv, 1), part(qkv, 2), scale: 0.5, mask: mask)
        let copies = (0..<3).map { part(qkv, $0).contiguous() }
        let dense = attention(copies[0], copies[1], copies[2], scale: 0.5, mask: mask)
        #expect(strided.floats() == dense.floats())
        #expect(strided.transposed(1, 2).isContiguous)
        let a = (strided * weights).sum().backward()[qkv]
        let c = (dense * weights).sum().backward()[qkv]
        #expect(a?.floats() == c?.floats())
    }

    @Test func maskedRowsOfOtherBlocksChangeNothing() {
        let mask = AttentionMask.blockDiagonal([1, 4, 9, 46])
        let q = Self.normal([1, 2, 60, 8])
        let before = attention(q, q, q, scale: 1, mask: mask)
        var values = q.floats()
        // Rows 5 ..< 14 are the third block.
        for head in 0..<2 {
            for row in 5..<14 {
                for d in 0..<8 { values[(head * 60 + row) * 8 + d] *= -3 }
            }
        }
        let moved = Tensor(values, shape: q.shape)
        let after = attention(moved, moved, moved, scale: 1, mask: mask)
        for (start, length) in [(0, 5), (14, 46)] {
            #expect(
                before.narrowed(axis: 2, start: start, length: length).floats()
                    == after.narrowed(axis: 2, start: start, length: length).floats())
        }
    }
}
