// The recipe of the tokenizer.
// SPDX-License-Identifier: Apache-2.0
import Core

/// `system = "vqvae"`.
public struct TokenizerTrainingSystem: TrainingSystem {
    public let name = "vqvae"
    public let summary = "multi-scale VQ-VAE tokenizer"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(recipe, context: context, keys: [])
        let model = try recipe.section(
            "model",
            keys: [
                "image_size", "channels", "channel_multipliers", "residual_blocks",
                "latent_channels", "codebook_size", "patch_nums", "phi_count",
            ])
        let loss = try recipe.section(
            "loss", keys: ["l1", "l2", "quantizer", "commitment", "restart_every"])
        let configuration = TokenizerTrainingConfiguration(
            model: VQVAEConfiguration(
                channels: try model.int("channels", in: 32...4096),
                channelMultipliers: try model.ints("channel_multipliers", in: 1...64),
                residualBlocks: try model.int("residual_blocks", default: 2, in: 1...16),
                latentChannels: try model.int("latent_channels", in: 1...4096),
                vocabulary: try model.int("codebook_size", in: 2...65_536),
                patchNums: try model.ints("patch_nums", in: 1...256),
                phiCount: try model.int("phi_count", default: 4, in: 1...64)),
            optimizer: try recipe.optimizer(), batch: try recipe.batch, seed: try recipe.seed,
            absoluteWeight: Float(try loss.double("l1", default: 1, in: 0...1000)),
            squaredWeight: Float(try loss.double("l2", default: 1, in: 0...1000)),
            quantizerWeight: Float(try loss.double("quantizer", default: 1, in: 0...1000)),
            commitment: Float(try loss.double("commitment", default: 0.25, in: 0...1000)),
            restartInterval: try loss.int("restart_every", default: 200, in: 0...1_000_000))
        let size = configuration.model.imageSize
        if let wanted = try model.intIfPresent("image_size"), wanted != size {
            throw model.invalidValue(
                "image_size",
                expected: "\(size): the last of patch_nums times "
                    + "\(configuration.model.downsampling)")
        }
        let (training, heldOut) = try recipe.pictures(imageSize: size)
        return try TokenizerTraining(configuration, images: training, heldOut: heldOut)
    }
}
