// The figures of an image model's card, measured anew.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Measures tokenizer, transformers, samples and edits of a loaded model.
///
/// Everything is determined by the seed. Distances in the classifier's features are called FD-cls;
/// they cannot be compared with FID.
public struct HMAREvaluation {
    /// What can be measured on its own.
    public enum Part: String, Sendable, CaseIterable {
        case tokenizer, likelihood, samples, editing
    }

    /// What is being done, how much of it is done, and how much there is.
    public typealias Progress = (_ task: String, _ done: Int, _ total: Int) -> Void

    /// The model.
    public let model: HMARSession
    /// The judge of samples; trained on `training`.
    public let classifier: ImageClassifier
    public let training: any Dataset
    /// Held-out pictures.
    public let test: any Dataset
    /// Samples of every variant, an equal number per class.
    public let sampleCount: Int
    public let seed: UInt64
    /// The ways of sampling that are measured.
    public let variants: [SamplingVariant]
    let cancellation: Cancellation
    let progress: Progress

    /// - Parameter variants: those of the model when nil.
    /// - Throws: ``ConfigurationError`` when sizes or classes of model, classifier and data differ, and
    ///   for a variant that the model has not.
    public init(
        model: HMARSession, classifier: ImageClassifier, training: any Dataset, test: any Dataset,
        sampleCount: Int = 5000, seed: UInt64 = 0, variants: [SamplingVariant]? = nil,
        cancellation: Cancellation = Cancellation(),
        progress: @escaping Progress = { _, _, _ in }
    ) throws {
        let (size, classes) = (model.geometry.imageSize, model.geometry.classes.count)
        guard classifier.configuration.imageSize == size else {
            throw ConfigurationError.imageSizeMismatch(
                found: classifier.configuration.imageSize, expected: size)
        }
        for dataset in [training, test] {
            let first = dataset.count > 0 ? try dataset.image(at: 0) : nil
            guard let first, first.width == size, first.height == size else {
                throw ConfigurationError.imageSizeMismatch(
                    found: first?.width ?? 0, expected: size)
            }
            try ConfigurationError.require(
                dataset.classes.count == classes, "the number of classes of \(dataset.name)",
                "\(dataset.classes.count)", "\(classes), those of the model")
        }
        try ConfigurationError.require(
            classifier.configuration.classCount == classes, "the classifier's number of classes",
            "\(classifier.configuration.classCount)", "\(classes), those of the model")
        try ConfigurationError.require(
            sampleCount >= 4 * classes, "the number of samples", "\(sampleCount)",
            "\(4 * classes) or more: four of every class")
        for variant in variants ?? [] where !model.variants.contains(variant) {
            throw ConfigurationError.invalid(
                name: "the way of sampling", found: variant.rawValue,
                allowed: model.variants.map(\.rawValue).joined(separator: ", "))
        }
        self.variants = variants ?? model.variants
        self.model = model
        self.classifier = classifier
        self.training = training
        self.test = test
        self.sampleCount = sampleCount
        self.seed = seed
        self.cancellation = cancellation
        self.progress = progress
    }

    /// What a measurement leaves behind.
    public struct Outcome: Sendable {
        public var metrics: [ModelCard.Metric] = []
        /// Ten samples of every class by the default variant, class by class; empty without samples.
        public var grid: [RGBImage] = []

        public init() {}
    }

    /// Measures the parts asked for, in the order of ``Part``.
    ///
    /// - Throws: `CancellationError`, ``SamplingError``, errors of the data.
    public func run(_ parts: Set<Part> = Set(Part.allCases)) throws -> Outcome {
        var outcome = Outcome()
        if parts.contains(.tokenizer) {
            outcome.metrics += try Evaluation.tokenizer(
                model.tokenizer, classifier: classifier, images: test, cancellation: cancellation
            ) { progress("tokenizer", $0, $1) }
        }
        if parts.contains(.likelihood) { outcome.metrics += try likelihood() }
        if parts.contains(.samples) { try measureSamples(into: &outcome) }
        if parts.contains(.editing) { outcome.metrics += try editing() }
        return outcome
    }

    // MARK: Likelihood

    /// Cross-entropy and accuracy per scale, teacher-forced on held-out tokens, no label dropped.
    func likelihood() throws -> [ModelCard.Metric] {
        let tokens = try withoutGradients {
            try TokenCache(
                encoding: test, tokenizer: model.tokenizer, cancellation: cancellation
            ) { progress("tokens", $0, $1) }
        }
        var metrics: [ModelCard.Metric] = []
        let quantizer = model.tokenizer.quantizer
        if let hmar = model.hmar {
            progress("likelihood of HMAR", 0, 2)
            metrics += try nextScale("hmar", tokens) {
                hmar.nextScaleLogits(labels: $0, nextScaleInput: $1)
            }
            progress("likelihood of HMAR", 1, 2)
            for ratio in [0.25, 0.5, 0.75] {
                let figures = try Evaluation.masked(
                    quantizer: quantizer, tokens: tokens, ratio: ratio, seed: seed,
                    cancellation: cancellation
                ) { hmar.maskedLogits(labels: $0, nextScaleInput: $1, maskInput: $2, masked: $3) }
                metrics += figures.map {
                    // "masked_accuracy.3" at 0.5 becomes "hmar.masked_accuracy@0.5.3".
                    let scale = $0.name.dropFirst("masked_accuracy".count)
                    return .init(
                        name: "hmar.masked_accuracy@\(ratio)\(scale)", value: 100 * $0.value,
                        unit: "%")
                }
            }
        }
        if let baseline = model.var {
            progress("likelihood of VAR", 1, 2)
            metrics += try nextScale("var", tokens) {
                baseline.network.logits(labels: $0, nextScaleInput: $1)
            }
        }
        return metrics
    }

    private func nextScale(
        _ name: String, _ tokens: TokenCache, logits: ([Int32], Tensor) -> Tensor
    ) throws -> [ModelCard.Metric] {
        let sides = model.geometry.patchNums
        let length = sides.reduce(0) { $0 + $1 * $1 }
        let figures = try Evaluation.nextScale(
            quantizer: model.tokenizer.quantizer, tokens: tokens,
            weights: [Float](repeating: 1 / Float(length), count: length),
            cancellation: cancellation, logits: logits)
        return figures.map { figure in
            let parts = figure.name.split(separator: ".")
            switch parts[0] {
            case "ce":
                return .init(
                    name: "\(name).bits_per_token.\(parts[1])", value: figure.value / log(2),
                    unit: "bits")
            case "accuracy":
                return .init(
                    name: "\(name).accuracy.\(parts[1])", value: 100 * figure.value, unit: "%")
            default:
                return .init(
                    name: "\(name).bits_per_token", value: figure.value / log(2), unit: "bits",
                    note: "mean over all tokens")
            }
        }
    }
}
