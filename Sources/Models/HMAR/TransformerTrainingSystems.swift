// The recipes of VAR and of HMAR's two phases.
// SPDX-License-Identifier: Apache-2.0
import Core

/// `system = "hmar-next-scale"` or `"var"`: the next-scale network on cached tokens.
public struct NextScaleTrainingSystem: TrainingSystem {
    public let name: String
    public let summary: String
    private let attention: ScaleAttention

    /// HMAR's phase 1.
    public static let hmar = NextScaleTrainingSystem(
        name: "hmar-next-scale", summary: "HMAR phase 1: next-scale network, block-diagonal",
        attention: .blockDiagonal)
    /// The VAR baseline.
    public static let `var` = NextScaleTrainingSystem(
        name: "var", summary: "VAR: next-scale network, block-causal", attention: .blockCausal)

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(
            recipe, context: context, keys: ["tokenizer", "augmentation", "copies"])
        let model = try recipe.section("model", keys: ["depth", "width", "heads"])
        let loss = try recipe.section("loss", keys: ["weighting", "label_dropout"])
        let weightingName = try loss.string(
            "weighting", default: attention == .blockCausal ? "uniform" : "lognorm")
        guard let weighting = LossWeighting(rawValue: weightingName) else {
            let known = LossWeighting.allCases.map { "\"\($0.rawValue)\"" }
            throw loss.invalidValue("weighting", expected: known.joined(separator: " or "))
        }
        let tokenizer = try VQVAE(archive: recipe.archive("tokenizer"))
        let sizes = tokenizer.configuration
        let (training, heldOut) = try recipe.pictures(imageSize: sizes.imageSize)
        let configuration = NextScaleTrainingConfiguration(
            model: TransformerConfiguration(
                depth: try model.int("depth", in: 1...256),
                width: try model.int("width", in: 1...65_536),
                heads: try model.int("heads", in: 1...1024), classCount: training.classes.count,
                vocabulary: sizes.vocabulary, latentChannels: sizes.latentChannels,
                patchNums: sizes.patchNums, maskDepth: 0),
            attention: attention, weighting: weighting, optimizer: try recipe.optimizer(),
            batch: try recipe.batch, seed: try recipe.seed,
            labelDropout: try loss.double("label_dropout", default: 0.1, in: 0...0.99),
            measureInterval: try recipe.measureInterval)
        try configuration.validate()
        return try NextScaleTraining(
            configuration, tokenizer: tokenizer,
            tokens: try recipe.tokens(of: training, tokenizer: tokenizer),
            heldOut: try heldOut.map { try $0.cached(tokenizer, context.cancellation) },
            parallel: context.parallel)
    }
}

/// `system = "hmar-masked"`: phase 2 from the weights of phase 1.
public struct MaskedTrainingSystem: TrainingSystem {
    public let name = "hmar-masked"
    public let summary = "HMAR phase 2: mask tower; exports the assembled model"

    public init() {}

    public func makeRun(recipe: TOMLTable, context: TrainingContext) throws -> any TrainingRun {
        let recipe = try Recipe(
            recipe, context: context, keys: ["tokenizer", "next_scale", "augmentation", "copies"])
        let model = try recipe.section("model", keys: ["mask_blocks"])
        let loss = try recipe.section("loss", keys: ["label_dropout"])
        let tokenizer = try VQVAE(archive: recipe.archive("tokenizer"))
        let firstPhase = try NextScaleTransformer(
            archive: recipe.archive("next_scale"), kind: .nextScale)
        let (training, heldOut) = try recipe.pictures(
            imageSize: tokenizer.configuration.imageSize)
        return try MaskedTraining(
            MaskedTrainingConfiguration(
                maskDepth: try model.int("mask_blocks", in: 1...firstPhase.configuration.depth),
                optimizer: try recipe.optimizer(), batch: try recipe.batch,
                seed: try recipe.seed,
                labelDropout: try loss.double("label_dropout", default: 0.1, in: 0...0.99),
                measureInterval: try recipe.measureInterval),
            firstPhase: firstPhase, tokenizer: tokenizer,
            tokens: try recipe.tokens(of: training, tokenizer: tokenizer),
            heldOut: try heldOut.map { try $0.cached(tokenizer, context.cancellation) },
            parallel: context.parallel)
    }
}

extension Recipe {
    /// The tokens trained on: `copies` of every picture, changed as `[augmentation]` says.
    fileprivate func tokens(of training: any Dataset, tokenizer: VQVAE) throws -> TokenCache {
        try TokenCache(
            encoding: training, tokenizer: tokenizer,
            augmentation: augmentation(classes: training.classes),
            copies: table.int("copies", default: 1, in: 1...64), seed: seed,
            parallel: context.parallel, cancellation: context.cancellation)
    }
}

extension Dataset {
    /// Tokens of the first pictures, enough for the figures that a training reports on its way.
    fileprivate func cached(
        _ tokenizer: VQVAE, _ cancellation: Cancellation
    ) throws -> TokenCache {
        try TokenCache(
            encoding: self, tokenizer: tokenizer, limit: 1024, cancellation: cancellation)
    }
}
