// Writing pictures with their recipes. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Names and writes the pictures of one run.
struct PictureOutput {
    let model: any ImageSampling
    /// Where single pictures go; nil = they are not written.
    let folder: String?

    init(model: any ImageSampling, folder: String?) throws {
        self.model = model
        self.folder = folder
        guard let folder else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError("\(folder): this folder cannot be made; give another with --out.")
        }
    }

    /// Writes every picture and returns the paths.
    func write(_ result: SamplingResult, request: SamplingRequest) throws -> [String] {
        guard let folder else { return [] }
        // Class names come from cards: "tench, Tinca tinca", "and/or".
        let name = (request.classLabel.map { model.geometry.classes[$0] } ?? "any").map {
            $0.isLetter || $0.isNumber || "-_.".contains($0) ? String($0) : "_"
        }.joined()
        return try result.images.enumerated().map { index, image in
            let path = "\(folder)/\(model.card.name)-\(name)-\(request.seed)-\(index).png"
            let recipe = PictureRecipe(
                program: Version.current, card: model.card, index: index, sampling: request,
                schedule: result.schedule)
            try PictureMetadata.write(image, recipe: recipe, to: path)
            return path
        }
    }
}
