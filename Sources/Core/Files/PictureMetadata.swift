// The recipe inside a picture.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Stores what made a picture in the picture: a JSON document in a PNG text named `workbench`.
public enum PictureMetadata {
    /// The key of the text.
    public static let key = "workbench"

    /// The text that holds a recipe; keys sorted, so that equal recipes give equal bytes.
    ///
    /// - Throws: what the encoder throws.
    public static func text(for recipe: some Encodable) throws -> PNG.Text {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return PNG.Text(
            key: key, value: String(decoding: try encoder.encode(recipe), as: UTF8.self))
    }

    /// Writes a picture with its recipe, atomically.
    ///
    /// - Throws: ``FileFormatError``.
    public static func write(
        _ image: RGBImage, recipe: some Encodable, to path: String
    ) throws {
        try PNG.write(image, to: path, texts: [text(for: recipe)])
    }

    /// The recipe inside a picture as JSON text; nil when there is none.
    ///
    /// - Throws: ``FileFormatError`` when the file is no sound PNG.
    public static func readText(path: String) throws -> String? {
        try PNG.readTexts(path: path).first { $0.key == key }?.value
    }

    /// The recipe inside a picture.
    ///
    /// - Throws: ``FileFormatError`` when there is none or it is not of this form.
    public static func read<Recipe: Decodable>(_: Recipe.Type, path: String) throws -> Recipe {
        guard let text = try readText(path: path) else {
            throw FileFormatError.unsupported(
                path: path, what: "a picture without a recipe",
                hint: "give a PNG that this program has written")
        }
        do {
            return try JSONDecoder().decode(Recipe.self, from: Data(text.utf8))
        } catch let error as DecodingError {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "its recipe: \(error.sentence)")
        } catch {
            throw FileFormatError.malformed(
                path: path, offset: nil, reason: "its recipe: \(error)")
        }
    }
}
