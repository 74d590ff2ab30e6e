// The sizes of published models that can be measured without their weights.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Models

/// A published size by its usual name.
enum PublishedSize: String, ExpressibleByArgument, CaseIterable {
    case d16, d20, d24, d30

    /// Blocks of a tower.
    var depth: Int {
        switch self {
        case .d16: 16
        case .d20: 20
        case .d24: 24
        case .d30: 30
        }
    }

    /// Sizes of the transformer and of the tokenizer for a side of the picture.
    ///
    /// - Throws: `InputError` for a side without published token maps.
    func configurations(
        imageSize: Int
    ) throws -> (transformer: TransformerConfiguration, tokenizer: VQVAEConfiguration) {
        guard let sides = PublishedSchedule.patchNums(imageSize: imageSize) else {
            throw InputError(
                "--resolution is \(imageSize); give "
                    + PublishedSchedule.imageSizes.map(String.init).joined(separator: ", ") + ".")
        }
        var transformer = TransformerConfiguration.published256(depth: depth)
        transformer.patchNums = sides
        var tokenizer = VQVAEConfiguration.published256
        tokenizer.patchNums = sides
        return (transformer, tokenizer)
    }

    /// A session over generated weights.
    ///
    /// - Parameter variant: which transformer it holds, HMAR or VAR.
    func session(
        imageSize: Int, variant: SamplingVariant, seed: UInt64
    ) throws -> HMARSession {
        let (transformer, tokenizer) = try configurations(imageSize: imageSize)
        let weights = GeneratedWeights(seed: seed)
        let card = ModelCard(
            name: "\(rawValue) at \(imageSize) pixels", system: "hmar",
            summary: "Generated weights of published size.", imageSize: imageSize,
            patchNums: transformer.patchNums, data: "none", dataLicence: "none", licence: "none")
        return HMARSession(
            card: card,
            tokenizer: try VQVAE(configuration: tokenizer, store: weights.store(stream: 1)),
            hmar: variant == .var
                ? nil : try HMAR(configuration: transformer, store: weights.store(stream: 2)),
            varBaseline: variant == .var
                ? try VAR(configuration: transformer, store: weights.store(stream: 2)) : nil,
            sources: [])
    }
}
