// What Winograd's convolutions do to a picture of published size.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct DecoderPrecisionTests {
    /// Weights of published names and shapes with the deviation of an untrained network's, each a
    /// piece of the same noise.
    private func weights() -> [String: Tensor] {
        let noise = randomTensor([4 << 20], seed: 9)
        var start = 0
        func piece(_ shape: [Int]) -> Tensor {
            let count = shape.reduce(1, *)
            start = (start + 99_991) % (noise.count - count)
            let fanIn = Float(shape.dropFirst().reduce(1, *))
            return noise.narrowed(axis: 0, start: start, length: count).reshaped(shape)
                * (1 / fanIn.squareRoot())
        }
        var result: [String: Tensor] = [:]
        for tensor in PublishedTensors.tokenizer() {
            let isGain = tensor.name.contains("norm") && tensor.name.hasSuffix("weight")
            result[tensor.name] =
                tensor.shape.count == 4
                ? piece(tensor.shape) : .full(tensor.shape, isGain ? 1 : 0)
        }
        return result
    }

    @Test func theDecodersPictureIsThatOfDirectSums() throws {
        let model = try VQVAE(
            configuration: .published256, store: ParameterStore(tensors: weights()))
        let feature = randomTensor([1, 32, 16, 16], seed: 4).floats()
        func picture(on device: CPUDevice) -> [Float] {
            withoutGradients {
                model.decodedRaw(Tensor(feature, shape: [1, 32, 16, 16], device: device)).floats()
            }
        }
        let transformed = picture(on: .shared)
        let direct = picture(on: CPUDevice(transformsConvolutions: false))
        #expect(transformed != direct)
        let largest = direct.reduce(0) { max($0, abs($1)) }
        let error = zip(transformed, direct).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 1e-4 * largest, "error \(error) of \(largest)")
    }
}
