// Convolutions that take Winograd's path, against sums in double precision.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@Suite struct WinogradTests {
    struct Case: Sendable {
        var inputs: Int
        var outputs: Int
        var height: Int
        var width: Int
        var padding = Padding2D.same(1)
    }

    // Whole tiles, tiles cut off at the right and below, odd channels, several blocks of tiles and of
    // outputs, uneven paddings.
    static let cases = [
        Case(inputs: 32, outputs: 32, height: 16, width: 16),
        Case(inputs: 33, outputs: 50, height: 17, width: 47),
        Case(inputs: 35, outputs: 90, height: 21, width: 29, padding: Padding2D(top: 2, right: 2)),
        Case(
            inputs: 40, outputs: 33, height: 15, width: 33,
            padding: Padding2D(top: 3, bottom: 2, left: 1)),
        Case(inputs: 24, outputs: 48, height: 5, width: 160),
        // More outputs than tiles: weights outside.
        Case(inputs: 25, outputs: 90, height: 16, width: 16),
    ]

    private static func normal(_ shape: [Int], seed: UInt64, on device: CPUDevice) -> Tensor {
        Tensor(randomTensor(shape, seed: seed).floats(), shape: shape, device: device)
    }

    @Test(arguments: cases.indices)
    func agreesWithTheDefinition(index: Int) {
        let test = Self.cases[index]
        let x = randomTensor([1, test.inputs, test.height, test.width], seed: 1)
        let weight = randomTensor([test.outputs, test.inputs, 3, 3], seed: 2)
        let bias = randomTensor([test.outputs], seed: 3)
        let y = convolution2D(x, weight: weight, bias: bias, padding: test.padding)
        let exact = OperatorTable.naiveConvolution(
            OracleTensor(x), OracleTensor(weight), OracleTensor(bias), stride: 1,
            padding: test.padding, groups: 1)
        let largest = exact.values.reduce(0) { max($0, abs($1)) }
        let error = zip(y.floats(), exact.values).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
        #expect(y.shape == exact.shape)
        #expect(error <= 3e-6 * largest, "error \(error) of \(largest)")
    }

    /// ⟨conv(x), dy⟩ = ⟨x, convᵀ(dy)⟩ = ⟨w, ∂⟩ for every dy.
    @Test(arguments: cases.indices)
    func gradientsAreAdjoint(index: Int) throws {
        let test = Self.cases[index]
        let x = randomTensor([2, test.inputs, test.height, test.width], seed: 1).leaf()
        let weight = randomTensor([test.outputs, test.inputs, 3, 3], seed: 2).leaf()
        let y = convolution2D(x, weight: weight, padding: test.padding)
        let dy = randomTensor(y.shape, seed: 4)
        let gradients = (y * dy).sum().backward()
        func product(_ a: Tensor, _ b: Tensor) -> Double {
            zip(a.floats(), b.floats()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let forward = product(y, dy)
        let scale = (product(y, y) * product(dy, dy)).squareRoot()
        #expect(abs(product(x, try #require(gradients[x])) - forward) < 1e-6 * scale)
        #expect(abs(product(weight, try #require(gradients[weight])) - forward) < 1e-6 * scale)
    }

    @Test func neitherBatchNorThreadsChangeABit() {
        let (one, three) = (CPUDevice(threads: 1), CPUDevice(threads: 3))
        func run(_ device: CPUDevice, picture: Int?) -> [Float] {
            var x = Self.normal([3, 36, 19, 64], seed: 5, on: device)
            if let picture { x = x.narrowed(axis: 0, start: picture, length: 1) }
            let weight = Self.normal([44, 36, 3, 3], seed: 6, on: device)
            return convolution2D(x, weight: weight, padding: .same(1)).floats()
        }
        let together = run(three, picture: nil)
        #expect(run(one, picture: nil) == together)
        let size = together.count / 3
        for picture in 0..<3 {
            let part = Array(together[picture * size..<(picture + 1) * size])
            #expect(run(three, picture: picture) == part)
        }
    }

    private static func weightGradient(
        _ test: Case, batch: Int, on device: CPUDevice
    ) -> [Float] {
        let x = normal([batch, test.inputs, test.height, test.width], seed: 7, on: device)
        let weight = normal([test.outputs, test.inputs, 3, 3], seed: 8, on: device).leaf()
        let y = convolution2D(x, weight: weight, padding: test.padding)
        let dy = normal(y.shape, seed: 9, on: device)
        return (y * dy).sum().backward()[weight]?.floats() ?? []
    }

    @Test(arguments: cases.indices)
    func weightGradientsAgreeWithDirectSums(index: Int) {
        let test = Self.cases[index]
        let transformed = Self.weightGradient(test, batch: 3, on: .shared)
        let direct = Self.weightGradient(
            test, batch: 3, on: CPUDevice(transformsConvolutions: false))
        #expect(transformed.count == test.outputs * test.inputs * 9)
        let largest = direct.reduce(0) { max($0, abs($1)) }
        let error = zip(transformed, direct).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 5e-6 * largest, "error \(error) of \(largest)")
    }

    @Test func threadsDoNotChangeABitOfAWeightGradient() {
        let test = Case(inputs: 36, outputs: 70, height: 33, width: 64)
        let one = Self.weightGradient(test, batch: 2, on: CPUDevice(threads: 1))
        #expect(one.count == 36 * 70 * 9)
        #expect(Self.weightGradient(test, batch: 2, on: CPUDevice(threads: 3)) == one)
    }
}
