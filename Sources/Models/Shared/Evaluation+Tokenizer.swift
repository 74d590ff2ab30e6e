// Figures of a tokenizer on held-out pictures.
// SPDX-License-Identifier: Apache-2.0
import Core

extension Evaluation {
    /// Encodes and decodes pictures and compares.
    ///
    /// PSNR is that of the mean squared error of all pictures together, on 8-bit values. Code use is
    /// the share of the codebook that occurs at least once at a scale.
    /// - Parameters:
    ///   - classifier: for rFD-cls and the share of reconstructions that keep their class; nil
    ///     leaves both out.
    ///   - progress: pictures done and in all.
    /// - Throws: errors of the pictures; `CancellationError`.
    public static func tokenizer(
        _ tokenizer: VQVAE, classifier: ImageClassifier?, images: any Dataset,
        cancellation: Cancellation, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [ModelCard.Metric] {
        let (scales, vocabulary) = (
            tokenizer.configuration.scaleCount, tokenizer.configuration.vocabulary
        )
        var used = [[Bool]](repeating: [Bool](repeating: false, count: vocabulary), count: scales)
        var (error, similarity) = (0.0, 0.0)
        var originals = classifier.map { FeatureMatrix(width: $0.configuration.features) }
        var decoded = originals
        var kept = 0
        for indices in images.batchesInOrder(ofSize: batch) {
            try cancellation.check()
            let source = try indices.map { try images.image(at: $0) }
            let input = Tensor.images(source)
            let tokens = tokenizer.tokens(input)
            for (scale, map) in tokens.enumerated() {
                for code in map.int32s() { used[scale][Int(code)] = true }
            }
            let result = withoutGradients { tokenizer.decode(tokens: tokens) }.pictures()
            for (a, b) in zip(source, result) {
                error += meanSquaredError(a, b)
                similarity += SSIM.between(a, b)
            }
            if let classifier {
                let before = try classify(source, by: classifier, cancellation: cancellation)
                let after = try classify(result, by: classifier, cancellation: cancellation)
                originals?.append(before.features)
                decoded?.append(after.features)
                for i in indices.indices where after.bestClass(i) == images.label(at: indices[i]) {
                    kept += 1
                }
            }
            progress((indices.last ?? 0) + 1, images.count)
        }
        let count = Double(max(1, images.count))
        var metrics: [ModelCard.Metric] = [
            .init(
                name: "tokenizer.psnr",
                // A card holds no infinity, which equal pictures would give.
                value: min(100, PSNR.decibels(meanSquaredError: error / count, peak: 255)),
                unit: "dB"),
            .init(name: "tokenizer.ssim", value: similarity / count),
        ]
        if let originals, let decoded {
            metrics += [
                .init(
                    name: "tokenizer.rfd_cls", value: FrechetDistance.between(originals, decoded),
                    note: "reconstructions against their originals"),
                .init(
                    name: "tokenizer.class_kept", value: 100 * Double(kept) / count, unit: "%",
                    note: "reconstructions that the classifier gives their label"),
            ]
        }
        for (scale, flags) in used.enumerated() {
            metrics.append(
                .init(
                    name: "tokenizer.code_use.\(scale)",
                    value: 100 * Double(flags.filter { $0 }.count) / Double(vocabulary), unit: "%"))
        }
        return metrics
    }

    private static func meanSquaredError(_ a: RGBImage, _ b: RGBImage) -> Double {
        var sum = 0
        for (x, y) in zip(a.pixels, b.pixels) {
            let difference = Int(x) - Int(y)
            sum += difference * difference
        }
        return Double(sum) / Double(a.pixels.count)
    }
}
