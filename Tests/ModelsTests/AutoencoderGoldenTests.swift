// The class-pose autoencoder against the published network, and its exact symmetries.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

/// `Fixtures/symmetry/ieae_tiny_eval.safetensors`: ssl-sym's code, h = 3, E = 8.
@Suite struct AutoencoderGoldenTests {
    private let values: [String: Tensor]

    init() throws { values = try Fixture.tensors("symmetry/ieae_tiny_eval.safetensors") }

    /// The stored weights as a checkpoint file with a prefix.
    private func network(prefix: String = "") throws -> InvariantEquivariantAutoencoder {
        let folder = try TemporaryFolder()
        let path = folder.path + "/weights.safetensors"
        let items = values.filter { $0.key.hasPrefix("w.") }.map {
            Safetensors.Item(name: prefix + $0.key.dropFirst(2), tensor: $0.value)
        }
        try Safetensors.write(items, metadata: [:], to: path)
        return try InvariantEquivariantAutoencoder(archive: TensorArchive.open(path: path))
    }

    private func expect(
        _ actual: Tensor, _ name: String, tolerance: Float = 1e-5,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try #require(values[name], sourceLocation: sourceLocation)
        let largest = expected.floats().map(Swift.abs).max() ?? 0
        expectClose(
            actual.reshaped(expected.shape), expected.floats(),
            absolute: tolerance * largest + 1e-6,
            relative: 0, name, sourceLocation: sourceLocation)
    }

    private func expect(_ actual: Tensor, _ expected: Tensor) throws {
        expectClose(actual, expected.floats(), shape: expected.shape, absolute: 1e-5)
    }

    @Test(arguments: ["", "model.", "module."])
    func everyOutputEqualsTheReference(prefix: String) throws {
        let network = try network(prefix: prefix)
        let x = try #require(values["x"])
        for (index, map) in network.encoder.maps(x).enumerated() {
            let name = "act.block\(index + 1)"
            let count = try #require(values[name]).shape[0]
            try expect(map.narrowed(axis: 0, start: 0, length: count).contiguous(), name)
        }
        let output = network(x)
        try expect(output.embedding, "out.emb")
        try expect(output.vector, "out.v")
        try expect(output.canonical, "out.canonical")
        // A rotation carries the last bits of the pose over 14 pixels.
        try expect(output.reconstruction, "out.recon", tolerance: 1e-4)
        try expect(network.standardized(x), "out.oriented", tolerance: 1e-4)
        let rotation = try #require(values["out.rot"]).reshaped([x.shape[0], 6])
        let direction = Tensor.concatenated(
            [0, 3].map { rotation.narrowed(axis: 1, start: $0, length: 1) }, axis: 1)
        try expect(output.direction, direction)
        let canonical = try #require(values["out.canonical"])
        try expect(rotated(canonical, by: direction), "out.recon")
        let theta = try #require(network.theta)
        try expect(theta(x), "out.theta")
        let losses = InvariantEquivariantAutoencoder.losses(output, images: x)
        try expect(losses.reconstruction, "out.recon_loss")
        try expect(losses.group, "out.group_loss")
        let degrees = try #require(values["out.degrees"]).floats()
        for (found, expected) in zip(
            InvariantEquivariantAutoencoder.degrees(output.vector), degrees)
        {
            #expect(abs(SymmetryPose.wrap(found - Double(expected))) < 1e-2)
        }
    }

    @Test func savedWeightsLoadAgain() throws {
        let first = try network()
        let folder = try TemporaryFolder()
        let path = folder.path + "/weights.safetensors"
        let (tensors, metadata) = first.exported()
        try Safetensors.write(
            tensors.map { Safetensors.Item(name: $0.name, tensor: $0.tensor) },
            metadata: metadata, to: path)
        let names = Set(try TensorArchive.open(path: path).names)
        #expect(
            names == Set(values.keys.filter { $0.hasPrefix("w.") }.map { String($0.dropFirst(2)) }))
        let second = try InvariantEquivariantAutoencoder(archive: TensorArchive.open(path: path))
        #expect(second.configuration == first.configuration)
        let x = try #require(values["x"])
        #expect(second(x).reconstruction.floats() == first(x).reconstruction.floats())
    }

    /// rot90(x) has the same embedding, and a pose vector turned by a quarter.
    @Test(arguments: [EncoderPooling.none, .symmetric])
    func quarterTurnsAreExact(pooling: EncoderPooling) throws {
        let encoder = Self.encoder(pooling)
        let x = try #require(values["x"])
        let count = x.shape[0]
        let turned = rotated(
            x,
            by: Tensor([Float](repeating: 0, count: 1) + [1], shape: [1, 2])
                .expanded(to: [count, 2]).contiguous())
        let (before, after) = (encoder(x), encoder(turned))
        let scale = before.embedding.floats().map(abs).max() ?? 1
        expectClose(
            after.embedding, before.embedding.floats(), absolute: 1e-5 * scale, relative: 0)
        let v = before.vector.floats()
        let length = v.map(abs).max() ?? 1
        let quarter = (0..<count).flatMap { [-v[2 * $0 + 1], v[2 * $0]] }
        expectClose(after.vector, quarter, absolute: 1e-5 * length, relative: 0)
        #expect(length > 1e-6, "the vectors are alive")
    }

    /// The same test fails with the pool that is off centre: it is what breaks equivariance.
    @Test func offCentrePoolBreaksQuarterTurns() throws {
        let encoder = Self.encoder(.asymmetric)
        let x = try #require(values["x"])
        let quarter = [Float](repeating: 90, count: x.shape[0])
        let before = encoder(x).embedding.floats()
        let after = encoder(rotated(x, degrees: quarter)).embedding.floats()
        let scale = before.map(abs).max() ?? 1
        let worst = zip(before, after).map { abs($0 - $1) }.max() ?? 0
        #expect(worst > 1e-3 * scale)
    }

    /// A fresh encoder whose running moments are those of the digits, so that no vector is dead.
    private static func encoder(_ pooling: EncoderPooling) -> SteerableEncoder {
        let store = ParameterStore(seed: 5)
        let encoder = SteerableEncoder(
            store.scope,
            configuration: SteerableEncoderConfiguration(
                hiddenWidth: 3, embeddingWidth: 6, pooling: pooling, hasDiscMask: true))
        var generator = RandomGenerator(seed: 6)
        for parameter in store.parameters where parameter.name.hasSuffix("log_bias") {
            parameter.value = .full(parameter.shape, -2)
        }
        let noise = Tensor.uniform([16, 1, 28, 28], generator: &generator)
        for _ in 0..<20 { _ = encoder(noise, isTraining: true) }
        return encoder
    }
}
