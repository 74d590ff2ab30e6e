// What a training of the tokenizer may choose.
// SPDX-License-Identifier: Apache-2.0
import Core

/// A recipe for the tokenizer.
///
/// Source: the quantizer's loss is the published one; the published tokenizer's other losses and
/// recipe were never released, so the rest is ours.
public struct TokenizerTrainingConfiguration: Sendable, Equatable, Codable {
    public var model: VQVAEConfiguration
    public var optimizer: OptimizerConfiguration
    public var batch: Int
    public var seed: UInt64
    /// Weight of the mean absolute pixel error.
    public var absoluteWeight: Float
    /// Weight of the mean squared pixel error.
    public var squaredWeight: Float
    /// Weight of the distance in ``PerceptualFeatures``; 0 = they are not used.
    public var perceptualWeight: Float
    /// The critic of reconstructions; nil = none.
    public var adversarial: AdversarialConfiguration?
    /// Weight of the quantizer's loss.
    public var quantizerWeight: Float
    /// β of the quantizer's loss.
    public var commitment: Float
    /// Weight of ``CodeEntropy``'s penalty; 0 = it is not computed.
    public var entropyWeight: Float
    /// What that penalty's gradient reaches.
    public var entropyReach = CodeEntropy.Reach.codebook
    /// Steps between restarts of codes that nothing used; 0 = never.
    public var restartInterval: Int
    /// Steps that encoder and decoder learn without quantizer, before the codebook is made of what
    /// the encoder then gives.
    public var codebookStart: Int
    /// Share of pictures that are reconstructed from a random number of coarse scales only: the
    /// coarse maps learn to stand alone, as previews show them.
    public var scaleDropout: Float
    public var augmentation: PictureAugmentation
    /// Steps between readings of figures from the device.
    public var measureInterval: Int

    public init(
        model: VQVAEConfiguration, optimizer: OptimizerConfiguration, batch: Int = 64,
        seed: UInt64 = 0, absoluteWeight: Float = 1, squaredWeight: Float = 1,
        perceptualWeight: Float = 0, adversarial: AdversarialConfiguration? = nil,
        quantizerWeight: Float = 1, commitment: Float = 0.25, entropyWeight: Float = 0,
        restartInterval: Int = 200,
        codebookStart: Int = 0, scaleDropout: Float = 0,
        augmentation: PictureAugmentation = .none, measureInterval: Int = 1
    ) {
        self.model = model
        self.optimizer = optimizer
        self.batch = batch
        self.seed = seed
        self.absoluteWeight = absoluteWeight
        self.squaredWeight = squaredWeight
        self.perceptualWeight = perceptualWeight
        self.adversarial = adversarial
        self.quantizerWeight = quantizerWeight
        self.commitment = commitment
        self.entropyWeight = entropyWeight
        self.restartInterval = restartInterval
        self.codebookStart = codebookStart
        self.scaleDropout = scaleDropout
        self.augmentation = augmentation
        self.measureInterval = measureInterval
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try model.validate()
        try optimizer.validate()
        try adversarial?.validate()
        try ConfigurationError.requireBatch(batch)
        try ConfigurationError.require(
            model.vocabulary >= model.scaleCount, "codebook_size", "\(model.vocabulary)",
            "\(model.scaleCount) or more: one code for every token map")
        try ConfigurationError.require(
            restartInterval >= 0, "restart_interval", "\(restartInterval)", "0 (never) or more")
        try ConfigurationError.require(
            codebookStart >= 0 && codebookStart < optimizer.steps, "codebook_start",
            "\(codebookStart)", "0 to below the number of steps")
        try ConfigurationError.require(
            scaleDropout >= 0 && scaleDropout <= 1, "scale_dropout", "\(scaleDropout)", "0 to 1")
        try ConfigurationError.requireMeasureInterval(measureInterval)
        try ConfigurationError.require(
            perceptualWeight == 0 || model.imageSize % 4 == 0, "perceptual",
            "\(perceptualWeight)", "0 for pictures whose side is no multiple of 4")
    }
}
