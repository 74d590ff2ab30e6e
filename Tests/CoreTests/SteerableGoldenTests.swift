// Steerable layers and rotation against values of the public implementations.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

/// `Fixtures/symmetry`: e2cnn 0.2.3, ssl-sym and PIL.
@Suite struct SteerableGoldenTests {
    @Test func basisFiltersEqualTheReference() throws {
        let values = try Fixture.tensors("symmetry/steerable_basis.safetensors")
        for kernel in [1, 3, 5, 7] {
            for (input, output) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let basis = SteerableBasis(kernel: kernel, input: input, output: output)
                let name = "k\(kernel).in\(input).out\(output)"
                guard let expected = values[name] else {
                    #expect(basis.elements.isEmpty, "\(name) has no filters in the reference")
                    continue
                }
                #expect(basis.elements.count == expected.shape[0], "\(name)")
                expectClose(
                    basis.values, expected.floats(), absolute: 1e-6, relative: 0, name)
            }
        }
    }

    @Test(arguments: [
        ("lift7", 7, 1, FieldType(scalars: 1), FieldType(scalars: 4, vectors: 2)),
        (
            "mid5", 5, 2, FieldType(scalars: 4, vectors: 2),
            FieldType(scalars: 4, vectors: 2)
        ),
        (
            "last3", 3, 2, FieldType(scalars: 4, vectors: 2),
            FieldType(scalars: 4, vectors: 2)
        ),
        ("head1", 1, 0, FieldType(scalars: 4, vectors: 2), FieldType(scalars: 3, vectors: 1)),
    ])
    func convolutionEqualsTheReference(
        name: String, kernel: Int, padding: Int, inputs: FieldType, outputs: FieldType
    ) throws {
        let values = try Fixture.tensors("symmetry/steerable_conv.safetensors")
        let store = ParameterStore(tensors: [
            "weights": try #require(values[name + ".weights"])
        ])
        let layer = SteerableConvolution(
            store.scope, inputs: inputs, outputs: outputs, kernel: kernel, padding: padding)
        #expect(store.finish().isEmpty)
        let filter = try #require(values[name + ".filter"])
        expectClose(layer.filter(), filter.floats(), shape: filter.shape, name + ".filter")
        let y = try #require(values[name + ".y"])
        expectClose(
            layer(try #require(values[name + ".x"])), y.floats(), shape: y.shape, absolute: 3e-6,
            name + ".y")
        expectClose(
            layer.deviations, try #require(values[name + ".init_std"]).floats(), absolute: 1e-6,
            name + ".init_std")
    }

    @Test func keptFilterFollowsItsWeights() {
        let store = ParameterStore(seed: 3)
        let layer = SteerableConvolution(
            store.scope, inputs: FieldType(scalars: 1), outputs: FieldType(scalars: 1, vectors: 1),
            kernel: 3)
        let before = layer.filter().floats()
        #expect(layer.filter().floats() == before)
        layer.weights.value = layer.weights.value * 2
        expectClose(layer.filter(), before.map { 2 * $0 })
    }

    @Test func normalisationAndNonlinearityEqualTheReference() throws {
        let values = try Fixture.tensors("symmetry/steerable_conv.safetensors")
        let prefix = "bnnl.before."
        var tensors: [String: Tensor] = [:]
        for (name, value) in values where name.hasPrefix(prefix) {
            tensors[String(name.dropFirst(prefix.count))] = value.copied()
        }
        let store = ParameterStore(tensors: tensors)
        let layer = FieldNorm(
            store.scope, type: FieldType(scalars: 4, vectors: 2),
            names: .init(
                scalars: "merging.submodule_0.batch_norm_[1]",
                vectorWeight: ("merging.submodule_1.2_weight", [1, 2, 1, 1, 1]),
                vectorVariance: ("merging.submodule_1.2_running_var", [1, 2, 1, 1, 1]),
                logBias: ("merging.submodule_1.log_bias", [1, 2, 1, 1])))
        #expect(store.finish { $0.hasSuffix(".eps") }.isEmpty)
        let x = try #require(values["bnnl.x"])
        func expect(_ actual: Tensor, _ name: String) throws {
            expectClose(
                actual, try #require(values["bnnl." + name]).floats(), absolute: 3e-6, name)
        }
        // The stored running values are those after the reference's one training forward, which the
        // evaluation came before: undo it, by the share that the batch has after a start from 0.
        let after = layer.moments.map { $0.value }
        for moment in layer.moments { moment.value = .zeros(moment.shape) }
        _ = layer(x, isTraining: true)
        for (moment, value) in zip(layer.moments, after) {
            moment.value = (value - moment.value) / 0.9
        }
        try expect(layer(x, activates: false), "eval.bn")
        try expect(layer(x), "eval.out")
        let before = layer.moments.map { $0.value.copied() }
        try expect(layer(x, isTraining: true), "train.out")
        for (moment, value) in zip(layer.moments, after) {
            expectClose(moment.value, value.floats(), moment.name)
        }
        for (moment, value) in zip(layer.moments, before) { moment.value = value }
        try expect(layer(x, isTraining: true, activates: false), "train.bn")
    }

    @Test func rotationEqualsTheReferences() throws {
        let values = try Fixture.tensors("symmetry/warp.safetensors")
        let images = try #require(values["img"])
        let angles = try #require(values["pil_angles"]).floats()
        let turned = try #require(values["pil"])
        for digit in 0..<images.shape[0] {
            let image = images.narrowed(axis: 0, start: digit, length: 1)
            let repeated = image.expanded(to: [angles.count, 1, 28, 28]).contiguous()
            expectClose(
                rotated(repeated, degrees: angles),
                turned.narrowed(axis: 0, start: digit, length: 1).floats(), absolute: 1e-5,
                "PIL, digit \(digit)")
        }
        let rotation = try #require(values["rot"])
        let u = Tensor.stacked(
            [
                rotation.narrowed(axis: 1, start: 0, length: 1)
                    .narrowed(axis: 2, start: 0, length: 1).reshaped([-1]),
                rotation.narrowed(axis: 1, start: 1, length: 1)
                    .narrowed(axis: 2, start: 0, length: 1).reshaped([-1]),
            ], axis: 1)
        let expected = try #require(values["rot_img"])
        let sources = images.narrowed(axis: 0, start: 0, length: 1)
            .expanded(to: expected.shape).contiguous()
        expectClose(
            rotated(sources, by: u), expected.floats(), absolute: 1e-5, "affine grid")
        let inverse = u * Tensor([1, -1], shape: [1, 2])
        expectClose(
            rotated(sources, by: inverse), try #require(values["rot_img_inverse"]).floats(),
            absolute: 1e-5, "inverse")
    }

    @Test func bilinearResizingEqualsTheReference() throws {
        let values = try Fixture.tensors("symmetry/warp.safetensors")
        for (source, target, size) in [("up.x", "up.4", 4), ("up16.x", "up16.28", 28)] {
            let expected = try #require(values[target])
            expectClose(
                resized(
                    try #require(values[source]), to: (size, size), method: .bilinear),
                expected.floats(), shape: expected.shape, absolute: 1e-5, target)
        }
    }

    @Test func rotationByQuarterTurnsMovesPixelsExactly() {
        let x = randomTensor([1, 1, 6, 6])
        let turned = rotated(x, by: Tensor([0, 1], shape: [1, 2])).floats()
        let source = x.floats()
        // Counter-clockwise on screen: the right column becomes the top row.
        for r in 0..<6 {
            for c in 0..<6 { #expect(turned[r * 6 + c] == source[c * 6 + 5 - r]) }
        }
    }
}
