// Evaluation of a tiny random model: every figure there, in range, and the same each time.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct HMAREvaluationTests {
    private let sides = [1, 2, 4]

    private func model(_ folder: TemporaryFolder) throws -> HMARSession {
        let tokenizer = VQVAEConfiguration(
            channels: 32, channelMultipliers: [1, 1], residualBlocks: 1, latentChannels: 8,
            vocabulary: 16, patchNums: sides)
        let transformer = TransformerConfiguration(
            depth: 2, width: 16, heads: 2, classCount: 4, vocabulary: 16, latentChannels: 8,
            patchNums: sides, maskDepth: 1)
        func archive(
            _ name: String, _ parameters: [Parameter], _ buffers: [String: Tensor],
            _ metadata: [String: String] = [:]
        ) throws -> TensorArchive {
            let path = "\(folder.path)/\(name).safetensors"
            let items =
                parameters.map { ($0.name, $0.value) }
                + buffers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            try Safetensors.write(
                items.map { Safetensors.Item(name: $0.0, tensor: $0.1) }, metadata: metadata,
                to: path)
            return try TensorArchive.open(path: path)
        }
        let vqvae = try VQVAE(configuration: tokenizer, store: ParameterStore(seed: 1))
        let hmar = try HMAR(configuration: transformer, store: ParameterStore(seed: 2))
        let baseline = try VAR(configuration: transformer, store: ParameterStore(seed: 3))
        return try HMARSession(
            card: ModelCard(
                name: "tiny", system: "hmar", summary: "random", imageSize: 8, patchNums: sides,
                classes: ["a", "b", "c", "d"], data: "", dataLicence: "", licence: "",
                defaults: .init(schedule: [[1], [1, 3], [8, 8]])),
            tokenizer: try archive("tokenizer", vqvae.parameters, vqvae.buffers),
            hmar: try archive("hmar", hmar.parameters, hmar.buffers),
            varBaseline: try archive(
                "var", baseline.network.parameters, baseline.network.buffers,
                ["attention": "blockCausal"]))
    }

    private func evaluation(
        _ model: HMARSession, cancellation: Cancellation = Cancellation()
    ) throws -> HMAREvaluation {
        let classifier = try ImageClassifier(
            configuration: .init(imageSize: 8, classCount: 4, width: 8, features: 5),
            store: ParameterStore(seed: 4))
        return try HMAREvaluation(
            model: model, classifier: classifier, training: barPictures(count: 24),
            test: barPictures(count: 12), sampleCount: 16, seed: 9, cancellation: cancellation)
    }

    @Test func figuresAreCompleteInRangeAndRepeatable() throws {
        let folder = try TemporaryFolder()
        let model = try model(folder)
        let first = try evaluation(model).run()
        let values = Dictionary(uniqueKeysWithValues: first.metrics.map { ($0.name, $0.value) })
        for metric in first.metrics {
            #expect(metric.value.isFinite, "\(metric.name)")
            if metric.unit == "%" { #expect((0...100).contains(metric.value), "\(metric.name)") }
        }
        let expected =
            ["psnr", "ssim", "rfd_cls", "code_use.0", "code_use.2"].map { "tokenizer." + $0 }
            + ["hmar", "var"].flatMap { ["\($0).bits_per_token.1", "\($0).accuracy.2"] }
            + ["hmar.masked_accuracy@0.25", "hmar.masked_accuracy@0.75.2"]
            + ["hmar", "hmar-next-scale", "var"].flatMap {
                [
                    "samples.\($0).fd_cls", "samples.\($0).class_agreement",
                    "samples.\($0).nearest_training.pixels",
                ]
            }
            + ["held_out.fd_cls_floor", "held_out.nearest_training.features"]
            + ["editing.psnr_outside", "editing.class_raised", "editing.seam_fd_cls.hmar"]
        for name in expected { #expect(values[name] != nil, "\(name)") }
        // The guarantee of the anchor holds for any weights.
        #expect(values["editing.kept_tokens_equal"] == 100)
        #expect(first.grid.count == 16)
        let again = try evaluation(model).run([.likelihood, .editing])
        for metric in again.metrics { #expect(values[metric.name] == metric.value) }
    }

    @Test func pictureThatIsInTheTrainingSetIsFoundAtNoDistance() throws {
        let folder = try TemporaryFolder()
        let values = try evaluation(model(folder)).run([.samples]).metrics
        // The bars of the held-out part repeat those of the training part.
        let distance = values.first { $0.name == "held_out.nearest_training.pixels" }
        #expect(distance?.value == 0)
    }

    @Test func cancellationEndsIt() throws {
        let folder = try TemporaryFolder()
        let cancellation = Cancellation()
        cancellation.cancel()
        let evaluation = try evaluation(model(folder), cancellation: cancellation)
        for part in HMAREvaluation.Part.allCases {
            #expect(throws: CancellationError.self) { try evaluation.run([part]) }
        }
    }

    @Test func otherClassesAreRefused() throws {
        let folder = try TemporaryFolder()
        let model = try model(folder)
        let classifier = try ImageClassifier(
            configuration: .init(imageSize: 8, classCount: 3, width: 8, features: 5),
            store: ParameterStore(seed: 4))
        #expect(throws: ConfigurationError.self) {
            try HMAREvaluation(
                model: model, classifier: classifier, training: barPictures(count: 8),
                test: barPictures(count: 8), sampleCount: 16)
        }
    }

    @Test func packedWeightsKeepNamesAndStayWithinHalfPrecision() throws {
        let folder = try TemporaryFolder()
        let source = "\(folder.path)/a.safetensors"
        var generator = RandomGenerator(seed: 1)
        let items: [Safetensors.Item] = [
            .init(
                name: "blocks.0.w.weight",
                tensor: .normal([64, 64], standardDeviation: 1, generator: &generator)),
            .init(
                name: "blocks.0.w.bias",
                tensor: .normal([4096], standardDeviation: 1, generator: &generator)),
            .init(
                name: "quantize.embedding.weight",
                tensor: .normal([256, 8], standardDeviation: 1, generator: &generator)),
            .init(
                name: "blocks.0.norm.bias",
                tensor: .normal([64], standardDeviation: 1, generator: &generator)),
            .init(name: "wide.weight", tensor: .full([64, 64], 1e5)),
            .init(name: "attn_bias_for_masking", tensor: .full([1, 1, 64, 64], -.infinity)),
        ]
        try Safetensors.write(items, metadata: ["attention": "blockCausal"], to: source)
        let archive = try TensorArchive.open(path: source)
        let packed = "\(folder.path)/b.safetensors"
        try Safetensors.write(
            WeightPacking.items(archive), metadata: archive.metadata, to: packed)
        let found = try TensorArchive.open(path: packed)
        #expect(
            Set(found.names)
                == Set(archive.names).subtracting(["attn_bias_for_masking"]))
        #expect(found.metadata == archive.metadata)
        #expect(found["blocks.0.w.weight"]?.dtype == .float16)
        #expect(found["blocks.0.w.bias"]?.dtype == .float16)
        #expect(found["blocks.0.norm.bias"]?.dtype == .float32)
        #expect(found["quantize.embedding.weight"]?.dtype == .float32)
        #expect(found["wide.weight"]?.dtype == .float32)
        for record in archive.records {
            guard let other = found[record.name] else { continue }
            for (a, b) in zip(Tensor(record: record).floats(), Tensor(record: other).floats()) {
                #expect(a == b || abs(a - b) <= 0.000_5 * max(abs(a), 1e-3), "\(record.name)")
            }
        }
        #expect(WeightPacking.parameterCount(archive) == 3 * 4096 + 2048 + 64)
    }
}
