// Forward entries of the class-pose networks against the published values.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct SymmetryEntryTests {
    private let values: [String: Tensor]
    private let folder: TemporaryFolder
    private let weights: TensorArchive

    init() throws {
        let values = try Fixture.tensors("symmetry/ieae_tiny_eval.safetensors")
        folder = try TemporaryFolder()
        let path = folder.path + "/weights.safetensors"
        try Safetensors.write(
            values.filter { $0.key.hasPrefix("w.") }.map {
                Safetensors.Item(name: String($0.key.dropFirst(2)), tensor: $0.value)
            }, metadata: [:], to: path)
        self.values = values
        weights = try TensorArchive.open(path: path)
    }

    private func run(
        _ entry: String, _ inputs: [String: String], settings: [String: String] = [:],
        gradients: Bool = false
    ) throws -> [String: Tensor] {
        let path = folder.path + "/in.safetensors"
        try Safetensors.write(
            try inputs.map {
                Safetensors.Item(name: $0.key, tensor: try #require(values[$0.value]))
            }, metadata: [:], to: path)
        let found = try ForwardEntries.entry(named: entry).checkedRun(
            ForwardRequest(
                weights: weights, input: TensorArchive.open(path: path), settings: settings,
                wantsGradients: gradients))
        return Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.tensor) })
    }

    private func expect(_ found: Tensor?, _ name: String) throws {
        let expected = try #require(values[name])
        expectClose(
            try #require(found).reshaped(expected.shape), expected.floats(), absolute: 2e-5,
            relative: 1e-4, name)
    }

    @Test func encoderDecoderAndLevelEqualTheReference() throws {
        let encoded = try run("ssl-sym.encode", ["x": "x"], settings: ["maps": "true"])
        try expect(encoded["emb"], "out.emb")
        try expect(encoded["v"], "out.v")
        try expect(encoded["block.6"], "act.block6")
        let decoded = try run("ssl-sym.decode", ["emb": "out.emb", "v": "out.v"])
        try expect(decoded["canonical"], "out.canonical")
        #expect(decoded["recon"] != nil)
        let plain = try run("ssl-sym.decode", ["emb": "out.emb"])
        #expect(plain.keys.sorted() == ["canonical"])
        try expect(try run("ssl-sym.level", ["x": "x"])["theta"], "out.theta")
    }

    @Test func lossEqualsTheReferenceAndHasGradients() throws {
        let found = try run(
            "ssl-sym.loss", ["x": "x"], settings: ["group": "0.06"], gradients: true)
        try expect(found["recon_loss"], "out.recon_loss")
        try expect(found["group_loss"], "out.group_loss")
        let gradient = try #require(found["grad.encoder.block2.0.weights"])
        #expect(gradient.floats().contains { $0 != 0 } && gradient.floats().allSatisfy(\.isFinite))
        #expect(!found.keys.contains { $0.hasPrefix("grad.theta_function") })
    }
}
