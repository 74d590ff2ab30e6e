// The recipe of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// `system = "vqvae"`.
public struct TokenizerTrainingSystem: TrainingSystem {
    public let name = "vqvae"
    public let summary = "multi-scale VQ-VAE tokenizer"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(
            recipe, context: context, keys: ["augmentation", "discriminator"])
        let sizes = try Self.model(recipe)
        let (training, heldOut) = try recipe.pictures(imageSize: sizes.imageSize)
        var configuration = TokenizerTrainingConfiguration(
            model: sizes, optimizer: try recipe.optimizer(), batch: try recipe.batch,
            seed: try recipe.seed)
        let loss = try recipe.section(
            "loss",
            keys: [
                "l1", "l2", "perceptual", "perceptual_features", "quantizer", "commitment",
                "entropy", "entropy_reaches", "restart_every", "codebook_start", "scale_dropout",
            ])
        func weight(_ key: String, _ fallback: Double) throws -> Float {
            Float(try loss.double(key, default: fallback, in: 0...1000))
        }
        configuration.absoluteWeight = try weight("l1", 1)
        configuration.squaredWeight = try weight("l2", 1)
        configuration.perceptualWeight = try weight("perceptual", 0)
        configuration.quantizerWeight = try weight("quantizer", 1)
        configuration.commitment = try weight("commitment", 0.25)
        configuration.entropyWeight = try weight("entropy", 0)
        let reach = try loss.string("entropy_reaches", default: CodeEntropy.Reach.codebook.rawValue)
        guard let reach = CodeEntropy.Reach(rawValue: reach) else {
            throw loss.invalidValue(
                "entropy_reaches",
                expected: CodeEntropy.Reach.allCases.map(\.rawValue).joined(separator: " or "))
        }
        configuration.entropyReach = reach
        configuration.restartInterval = try loss.int(
            "restart_every", default: 200, in: 0...1_000_000)
        configuration.codebookStart = try loss.int("codebook_start", default: 0, in: 0...1_000_000)
        configuration.scaleDropout = Float(
            try loss.double("scale_dropout", default: 0, in: 0...1))
        configuration.measureInterval = try recipe.measureInterval
        configuration.augmentation = try recipe.augmentation(classes: training.classes)
        configuration.adversarial = try Self.discriminator(recipe)
        let perceptual =
            configuration.perceptualWeight > 0
            ? try PerceptualFeatures(
                archive: TensorArchive.open(
                    path: recipe.dataFile(
                        loss.string(
                            "perceptual_features", default: "vgg16_hed_relu3_3.safetensors"),
                        folder: "features")))
            : nil
        return try TokenizerTraining(
            configuration, images: training, heldOut: heldOut, perceptual: perceptual,
            parallel: context.parallel)
    }

    private static func model(_ recipe: Recipe) throws -> VQVAEConfiguration {
        let model = try recipe.section(
            "model",
            keys: [
                "image_size", "channels", "channel_multipliers", "residual_blocks",
                "latent_channels", "codebook_size", "patch_nums", "phi_count", "norm_groups",
            ])
        let configuration = VQVAEConfiguration(
            channels: try model.int("channels", in: 32...4096),
            channelMultipliers: try model.ints("channel_multipliers", in: 1...64),
            residualBlocks: try model.int("residual_blocks", default: 2, in: 1...16),
            latentChannels: try model.int("latent_channels", in: 1...4096),
            vocabulary: try model.int("codebook_size", in: 2...65_536),
            patchNums: try model.ints("patch_nums", in: 1...256),
            phiCount: try model.int("phi_count", default: 4, in: 1...64),
            normGroups: try model.int("norm_groups", default: 32, in: 1...4096))
        let size = configuration.imageSize
        if let wanted = try model.intIfPresent("image_size"), wanted != size {
            throw model.invalidValue(
                "image_size",
                expected: "\(size): the last of patch_nums times "
                    + "\(configuration.downsampling)")
        }
        return configuration
    }

    /// The critic of `[discriminator]`; nil without that table or with weight 0.
    private static func discriminator(_ recipe: Recipe) throws -> AdversarialConfiguration? {
        let section = try recipe.section(
            "discriminator", keys: ["weight", "start", "width", "layers", "learning_rate"])
        let weight = try section.double("weight", default: 0, in: 0...1000)
        guard weight > 0 else { return nil }
        return AdversarialConfiguration(
            weight: Float(weight), start: try section.double("start", default: 0.4, in: 0...1),
            width: try section.int("width", default: 32, in: 8...512),
            layers: try section.int("layers", default: 3, in: 1...6),
            learningRate: Float(
                try section.double("learning_rate", default: 4e-4, in: 1e-8...1)))
    }
}
