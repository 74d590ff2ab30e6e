// The self-test's samples on a GPU and on the CPU. SPDX-License-Identifier: Apache-2.0
import Core
import Models

extension SelfCheck {
    /// Draws, masks and summaries of random logits, and whole samples that are recorded and replayed.
    static func sampling(_ device: any Device) -> [SelfCheck] {
        let draws = [
            (4096, 900, 0.96), (4096, 0, 0.0), (512, 0, 0.9), (1024, 50, 0.0), (37, 7, 0.5),
        ]
        .map { width, topK, topP in
            SelfCheck(name: "draw of \(width) codes, top-k \(topK), top-p \(topP)") {
                let expected = draw(width, topK, topP, on: CPUDevice.shared)
                let found = draw(width, topK, topP, on: device)
                try device.throwPendingError()
                // A draw within rounding of a border may fall on either side of it.
                let wrong = zip(found.codes, expected.codes).count { $0 != $1 }
                try require(wrong <= 1, "\(wrong) of \(expected.codes.count) codes differ")
                return try describe([found.numbers], [expected.numbers], limit: 1e-4)
            }
        }
        return draws + [
            SelfCheck(name: "mask of least confidence") {
                let expected = masks(on: CPUDevice.shared)
                let found = masks(on: device)
                try device.throwPendingError()
                return try describe([found], [expected], limit: 0)
            },
            SelfCheck(name: "pictures as bytes") {
                var generator = RandomGenerator(seed: 9)
                let values = (0..<(2 * 3 * 35)).map { _ in
                    Float(2.4 * generator.nextUniform() - 1.2)
                }
                func bytes(_ device: any Device) -> [Float] {
                    device.pixels(Tensor(values, shape: [2, 3, 5, 7], device: device)).map {
                        Float($0)
                    }
                }
                return try describe([bytes(device)], [bytes(CPUDevice.shared)], limit: 0)
            },
        ]
            + [SamplingVariant.hmar, .var].map { variant in
                SelfCheck(name: "samples of \(variant.rawValue), replayed") {
                    try compareSamples(variant, on: device)
                }
            }
    }

    private static func draw(
        _ width: Int, _ topK: Int, _ topP: Double, on device: any Device
    ) -> (codes: [Int32], numbers: [Float]) {
        withDevice(device) {
            let rows = 70
            var generator = RandomGenerator(seed: 7)
            let logits = Tensor(
                (0..<(rows * width)).map { _ in 2 * Float(generator.nextNormal()) },
                shape: [rows, width])
            let uniforms = Tensor.empty([rows], dtype: .int64, device: device)
            device.write((0..<rows).map { _ in generator.nextUniform().bitPattern }, into: uniforms)
            let chosen = Tensor((0..<rows).map { $0 % 5 == 0 ? 0 : 1 }, shape: [rows])
            let target = DrawTarget(
                codes: Tensor(int32: [Int32](repeating: 3, count: rows), shape: [rows]),
                confidence: .zeros([rows]), failure: Tensor(int32: [0], shape: [1]))
            let summary = SummaryTarget(
                entropy: .zeros([8]),
                codes: Tensor(int32: [Int32](repeating: 0, count: 80), shape: [8, 10]),
                probabilities: .zeros([8, 10]))
            device.drawCodes(
                logits, uniforms: uniforms, chosen: chosen, topK: topK, topP: topP, call: 1,
                into: target)
            device.summarizeRows(logits, chosen: nil, into: summary)
            return (
                target.codes.int32s(),
                target.confidence.floats() + summary.entropy.floats()
                    + summary.probabilities.floats()
                    + summary.codes.int32s().map { Float($0) / 4096 }
            )
        }
    }

    private static func masks(on device: any Device) -> [Float] {
        withDevice(device) {
            var generator = RandomGenerator(seed: 8)
            let confidence = Tensor(
                (0..<200).map { _ in Float((8 * generator.nextUniform()).rounded()) / 8 },
                shape: [2, 100])
            let positions = Tensor(int32: [Int32](repeating: 0, count: 200), shape: [2, 100])
            let flags = Tensor.full([2, 100, 1], 7)
            device.maskLeastConfident(
                confidence, positions: positions, length: nil, number: 60, flags: flags)
            device.maskLeastConfident(
                -confidence, positions: positions, length: 60, number: 33, flags: flags)
            let kept = positions.narrowed(axis: 1, start: 0, length: 33).contiguous()
            return kept.int32s().map { Float($0) } + flags.floats()
        }
    }

    /// Three samples of a small network: the first runs, the second is recorded, the third replayed.
    private static func compareSamples(
        _ variant: SamplingVariant, on device: any Device
    ) throws -> String {
        let gpu = device as? CUDADevice
        let before = gpu?.precision
        gpu?.precision = .float32
        defer { if let before { gpu?.precision = before } }
        let expected = try withDevice(CPUDevice.shared) { try samples(variant) }
        let found = try withDevice(device) { try samples(variant) }
        try device.throwPendingError()
        var remarks: [String] = []
        for (a, b) in zip(found, expected) {
            let wrong = zip(a.tokens, b.tokens).reduce(0) { sum, pair in
                sum + zip(pair.0.scales.joined(), pair.1.scales.joined()).count { $0 != $1 }
            }
            remarks.append("\(wrong) codes differ")
            try require(wrong == 0, "in sample \(remarks.count): \(wrong) codes differ")
            let off =
                zip(a.images[1].pixels, b.images[1].pixels)
                .map { abs(Int($0) - Int($1)) }.max() ?? 0
            try require(off <= 1, "pictures differ by \(off) levels")
        }
        return remarks.joined(separator: ", ")
    }

    private static func samples(_ variant: SamplingVariant) throws -> [SamplingResult] {
        let sides = [1, 2, 3, 4]
        let sizes = VQVAEConfiguration(
            channels: 32, channelMultipliers: [1, 2], residualBlocks: 1, latentChannels: 8,
            vocabulary: 64, patchNums: sides)
        let model = TransformerConfiguration(
            depth: 4, width: 64, heads: 2, classCount: 4, vocabulary: 64, latentChannels: 8,
            patchNums: sides, maskDepth: variant == .var ? 0 : 2)
        let session = HMARSession(
            card: ModelCard(
                name: "drawn", system: "hmar", summary: "drawn weights", imageSize: sizes.imageSize,
                patchNums: sides, data: "none", dataLicence: "none", licence: "none"),
            tokenizer: try VQVAE(configuration: sizes, store: ParameterStore(seed: 5)),
            hmar: variant == .var
                ? nil : try HMAR(configuration: model, store: ParameterStore(seed: 6)),
            varBaseline: variant == .var
                ? try VAR(configuration: model, store: ParameterStore(seed: 6)) : nil, sources: [])
        var schedule = SamplingSchedule.nextScaleOnly(patchNums: sides)
        if variant == .hmar {
            try schedule.setRow([1, 3], scale: 1)
            try schedule.setRow([1, 1, 2, 5], scale: 2)
        }
        return try (0..<3).map { i in
            try session.sample(
                SamplingRequest(
                    variant: variant, classLabel: i, count: 2, seed: UInt64(i), cfg: 1.5, topK: 40,
                    topP: 0.95, schedule: schedule, mode: .exact),
                control: SamplingControl())
        }
    }
}
