// Loading an image model by its card.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Loads cards of the system `hmar`: a tokenizer with an HMAR, a VAR, or both.
///
/// File roles: `tokenizer` (required), `hmar`, `var`.
public struct HMARLoader: ModelLoader {
    public let system = "hmar"

    public init() {}

    public func load(
        _ entry: ModelEntry, cancellation: Cancellation
    ) throws -> any LoadedModel {
        try HMARSession(entry, cancellation: cancellation)
    }
}

/// An image model in memory: what panes and commands speak to.
public final class HMARSession: ImageEditing, ImageTokenizing {
    public let card: ModelCard
    public let geometry: ScaleGeometry
    public let variants: [SamplingVariant]
    public let summaryLines: [String]
    public let weightBytes: Int
    /// The tokenizer.
    public let tokenizer: VQVAE
    /// The assembled HMAR, where the card has one.
    public let hmar: HMAR?
    /// The VAR baseline, where the card has one.
    public let `var`: VAR?
    /// For samples on a device that can replay work.
    let residents = ResidentGenerations()

    /// Opens the files of a card and checks that they belong together.
    ///
    /// - Throws: `CheckpointError`, `FileFormatError`, ``ConfigurationError``,
    ///   `CancellationError`.
    public convenience init(_ entry: ModelEntry, cancellation: Cancellation = Cancellation()) throws
    {
        func archive(_ role: String) throws -> TensorArchive? {
            try cancellation.check()
            return try entry.path(role: role).map { try TensorArchive.open(path: $0) }
        }
        try self.init(
            card: entry.card, tokenizer: archive("tokenizer"), hmar: archive("hmar"),
            varBaseline: archive("var"))
        try cancellation.check()
    }

    /// Builds a session from opened checkpoints.
    ///
    /// - Throws: `CheckpointError`, ``ConfigurationError``.
    public convenience init(
        card: ModelCard, tokenizer: TensorArchive?, hmar: TensorArchive?,
        varBaseline varArchive: TensorArchive?
    ) throws {
        guard let tokenizer else {
            throw CheckpointError.unknownKind(
                file: card.name, tensorCount: 0, firstNames: [],
                hint: "the card names no file with the role tokenizer")
        }
        guard hmar != nil || varArchive != nil else {
            throw CheckpointError.unknownKind(
                file: card.name, tensorCount: 0, firstNames: [],
                hint: "the card names no file with the role hmar or var")
        }
        let hmarModel = try hmar.map { try HMAR(archive: $0, patchNums: card.patchNums) }
        let varModel = try varArchive.map { try VAR(archive: $0, patchNums: card.patchNums) }
        let configurations = [hmarModel?.configuration, varModel?.configuration]
            .compactMap { $0 }
        let sides = configurations[0].patchNums
        let vqvae = try VQVAE(
            archive: tokenizer, patchNums: sides, imageSize: card.imageSize)
        for (configuration, archive) in zip(configurations, [hmar, varArchive].compactMap { $0 }) {
            try Self.check(
                configuration, path: archive.path, against: vqvae.configuration,
                tokenizerPath: tokenizer.path, classes: card.classes)
        }
        func format(_ archive: TensorArchive?) -> String? { archive?.format.rawValue }
        self.init(
            card: card, tokenizer: vqvae, hmar: hmarModel, varBaseline: varModel,
            sources: [format(tokenizer), format(hmar), format(varArchive)])
    }

    /// Joins models that are in memory already and belong together.
    ///
    /// - Parameter sources: where tokenizer, HMAR and VAR came from, for the summary.
    /// - Precondition: at least one transformer.
    package init(
        card: ModelCard, tokenizer: VQVAE, hmar: HMAR?, varBaseline: VAR?, sources: [String?]
    ) {
        let configurations = [hmar?.configuration, varBaseline?.configuration].compactMap { $0 }
        precondition(!configurations.isEmpty, "a session without a transformer")
        self.card = card
        self.tokenizer = tokenizer
        self.hmar = hmar
        self.var = varBaseline
        geometry = ScaleGeometry(
            imageSize: tokenizer.configuration.imageSize, patchNums: configurations[0].patchNums,
            vocabulary: tokenizer.configuration.vocabulary,
            classes: card.classes ?? (0..<configurations[0].classCount).map { "\($0)" })
        variants =
            (hmar == nil ? [] : [.hmar, .hmarNextScale]) + (varBaseline == nil ? [] : [.var])
        let groups = [
            ("tokenizer", tokenizer.parameters), ("hmar", hmar?.parameters ?? []),
            ("var", varBaseline?.network.parameters ?? []),
        ]
        summaryLines = zip(groups, sources).filter { !$0.0.1.isEmpty }.map { group, source in
            let count = group.1.reduce(0) { $0 + $1.value.count }
            return "\(group.0): \(source ?? "made here"), \(CountText.short(count)) parameters"
        }
        weightBytes = groups.reduce(0) { total, group in
            total + group.1.reduce(0) { $0 + $1.value.count * $1.value.dtype.byteCount }
        }
    }

    private static func check(
        _ transformer: TransformerConfiguration, path: String,
        against tokenizer: VQVAEConfiguration, tokenizerPath: String, classes: [String]?
    ) throws {
        func refuse(_ what: String, _ a: String, _ b: String) -> CheckpointError {
            .incompatible(
                file: path, other: tokenizerPath, reason: "\(what) \(a) against \(b)",
                hint: "use a tokenizer and a transformer that were trained together")
        }
        if transformer.patchNums != tokenizer.patchNums {
            throw refuse(
                "token maps", "\(transformer.patchNums)", "\(tokenizer.patchNums)")
        }
        if transformer.vocabulary != tokenizer.vocabulary {
            throw refuse(
                "codebook size", "\(transformer.vocabulary)", "\(tokenizer.vocabulary)")
        }
        if transformer.latentChannels != tokenizer.latentChannels {
            throw refuse(
                "latent channels", "\(transformer.latentChannels)",
                "\(tokenizer.latentChannels)")
        }
        if let classes, classes.count != transformer.classCount {
            throw CheckpointError.inconsistent(
                file: path, tensor: "class_emb.weight",
                reason: "it has \(transformer.classCount) classes and the card names "
                    + "\(classes.count)", hint: "correct the card's list of classes")
        }
    }
}

// MARK: - Tokenizing

extension HMARSession {
    public func encode(_ image: RGBImage) throws -> TokenMaps {
        try checkSize("picture", width: image.width, height: image.height)
        return TokenMaps(
            patchNums: geometry.patchNums,
            scales: tokenizer.tokens(.images([image])).map { $0.int32s() })
    }

    public func decode(_ tokens: TokenMaps, throughScale: Int?) throws -> RGBImage {
        guard tokens.patchNums == geometry.patchNums,
            zip(tokens.scales, geometry.patchNums).allSatisfy({ $0.count == $1 * $1 }),
            tokens.scales.count == geometry.patchNums.count
        else {
            throw SamplingError.wrongShape(
                name: "tokens", found: tokens.scales.map(\.count),
                expected: "maps of sides \(geometry.patchNums)")
        }
        for map in tokens.scales {
            if let code = map.first(where: { $0 < 0 || Int($0) >= geometry.vocabulary }) {
                throw SamplingError.outOfRange(
                    name: "a token", found: "\(code)", allowed: "0 to \(geometry.vocabulary - 1)")
            }
        }
        if let throughScale, !geometry.patchNums.indices.contains(throughScale) {
            throw SamplingError.outOfRange(
                name: "the last scale", found: "\(throughScale)",
                allowed: "0 to \(geometry.patchNums.count - 1)")
        }
        let maps = tokens.scales.map { Tensor(int32: $0, shape: [1, $0.count]) }
        return tokenizer.decode(tokens: maps, throughScale: throughScale).pictures()[0]
    }

    /// Refuses a picture or mask that is not of the model's size.
    func checkSize(_ what: String, width: Int, height: Int) throws {
        guard width == geometry.imageSize, height == geometry.imageSize else {
            throw SamplingError.wrongSize(
                what: what, width: width, height: height, expected: geometry.imageSize)
        }
    }
}
