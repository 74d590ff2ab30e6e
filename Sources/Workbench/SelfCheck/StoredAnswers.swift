// What a model answered when it was shipped. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The answers of a model to a formula picture and to one class, stored beside its card.
///
/// They compare two machines, so codes must be nearly all equal and numbers close, not identical.
struct StoredAnswers: Codable {
    /// The first pass of one variant: the likeliest codes of the coarsest map.
    struct FirstPass: Codable {
        var variant: SamplingVariant
        var codes: [Int32]
        var probabilities: [Float]
    }

    /// The format; 1.
    var format = 1
    var model: String
    /// Tokens of the formula picture.
    var tokens: TokenMaps?
    /// The decoded tokens, shrunk to 16×16 pixels: 768 numbers 0…255.
    var picture: [UInt8]?
    var firstPasses: [FirstPass]

    static func path(_ entry: ModelEntry) -> String {
        "\(entry.folder)/\(entry.card.name).selftest.json"
    }

    /// Asks a model.
    init(of model: any LoadedModel, cancellation: Cancellation) throws {
        self.model = model.card.name
        firstPasses = []
        if let tokenizer = model as? any ImageTokenizing {
            let tokens = try tokenizer.encode(
                Self.formulaPicture(side: tokenizer.geometry.imageSize))
            self.tokens = tokens
            picture = try Self.thumbnail(tokenizer.decode(tokens, throughScale: nil))
        }
        guard let sampler = model as? any ImageSampling else { return }
        for variant in sampler.variants {
            try cancellation.check()
            firstPasses.append(try Self.firstPass(sampler, variant))
        }
    }

    /// - Throws: `FileFormatError`, `SelfCheck.Failure` for a file of another format.
    init(contentsOfFile path: String) throws {
        let file = try MappedFile(path: path)
        do {
            self = try JSONDecoder().decode(
                Self.self, from: Data(file.copy(0..<file.byteCount)))
        } catch let error as DecodingError {
            throw FileFormatError.malformed(path: path, offset: nil, reason: error.sentence)
        }
        guard format == 1 else {
            throw FileFormatError.unsupported(
                path: path, what: "format \(format) of stored answers",
                hint: "record them again with selftest --record")
        }
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(self)), to: path)
    }

    // MARK: Questions

    /// Waves and an edge, the same bytes everywhere: integers only.
    static func formulaPicture(side: Int) -> RGBImage {
        var image = RGBImage(width: side, height: side)
        for y in 0..<side {
            for x in 0..<side {
                let (u, v) = (x * 256 / side, y * 256 / side)
                let wave = UInt8((u * v / 128 + u) & 255)
                let ring = (u - 128) * (u - 128) + (v - 128) * (v - 128) < 64 * 64
                image[x, y] = (ring ? 230 : wave, ring ? 230 : UInt8(v & 255), UInt8(u & 255))
            }
        }
        return image
    }

    private static func thumbnail(_ image: RGBImage) -> [UInt8] {
        image.resized(width: 16, height: 16).pixels
    }

    /// The distribution of the coarsest map for class 0: nothing is drawn before it.
    private static func firstPass(
        _ model: any ImageSampling, _ variant: SamplingVariant
    ) throws -> FirstPass {
        let request = SamplingRequest(
            variant: variant, classLabel: 0,
            schedule: .nextScaleOnly(patchNums: model.geometry.patchNums))
        let result = try model.sample(request, control: SamplingControl())
        let candidates = result.grids.first?.candidates.first ?? []
        return FirstPass(
            variant: variant, codes: candidates.map(\.code),
            probabilities: candidates.map(\.probability))
    }

    // MARK: Comparison

    /// Expects a model to answer as stored.
    ///
    /// - Throws: `SelfCheck.Failure`; errors of the model.
    func compare(with model: any LoadedModel, cancellation: Cancellation) throws -> String {
        var remarks: [String] = []
        if let tokens, let picture, let tokenizer = model as? any ImageTokenizing {
            let found = try tokenizer.encode(
                Self.formulaPicture(side: tokenizer.geometry.imageSize))
            try SelfCheck.require(
                found.patchNums == tokens.patchNums,
                "the maps are \(found.patchNums), stored are \(tokens.patchNums).")
            let pairs = zip(found.scales.joined(), tokens.scales.joined())
            let total = tokens.scales.reduce(0) { $0 + $1.count }
            let different = pairs.count { $0 != $1 }
            try SelfCheck.require(
                different * 50 <= total, "\(different) of \(total) codes differ.")
            let decoded = try Self.thumbnail(tokenizer.decode(tokens, throughScale: nil))
            let worst = zip(decoded, picture).map { abs(Int($0) - Int($1)) }.max() ?? 0
            try SelfCheck.require(
                decoded.count == picture.count && worst <= 2,
                "the decoded picture differs by \(worst) of 255.")
            remarks.append("\(total - different) of \(total) codes equal, pixels within \(worst)")
        }
        guard let sampler = model as? any ImageSampling else {
            return remarks.joined(separator: "; ")
        }
        for stored in firstPasses {
            try cancellation.check()
            try compare(stored, with: Self.firstPass(sampler, stored.variant))
        }
        remarks.append("\(firstPasses.count) first passes equal")
        return remarks.joined(separator: "; ")
    }

    private func compare(_ stored: FirstPass, with found: FirstPass) throws {
        // Codes of nearly equal probability may change places, so probabilities go by code.
        let values = Dictionary(
            zip(found.codes, found.probabilities), uniquingKeysWith: { a, _ in a })
        let least = stored.probabilities.min() ?? 0
        for (code, probability) in zip(stored.codes, stored.probabilities) {
            let difference = abs((values[code] ?? least) - probability)
            try SelfCheck.require(
                difference <= 2e-3,
                "\(stored.variant.rawValue): code \(code) has probability "
                    + "\(values[code].map { "\($0)" } ?? "below the tenth"), stored \(probability)."
            )
        }
    }
}

extension SelfCheck {
    /// Checksums of every installed model, and its stored answers where it has them.
    static func models(_ access: ModelAccess, _ cancellation: Cancellation) -> [SelfCheck] {
        let problems = access.catalog.problems.map { problem in
            SelfCheck(name: "catalogue") { throw problem }
        }
        return problems
            + access.catalog.entries.flatMap { entry -> [SelfCheck] in
                let name = entry.card.name
                return [
                    SelfCheck(name: "checksums of \(name)") {
                        try ModelCatalog.verify(entry, cancellation: cancellation)
                        return "\(entry.card.files.count) files"
                    },
                    SelfCheck(name: "stored answers of \(name)") {
                        let path = StoredAnswers.path(entry)
                        guard FileManager.default.fileExists(atPath: path) else {
                            return "none are stored"
                        }
                        let answers = try StoredAnswers(contentsOfFile: path)
                        let model = try access.registry.load(entry, cancellation: cancellation)
                        return try answers.compare(with: model, cancellation: cancellation)
                    },
                ]
            }
    }
}
