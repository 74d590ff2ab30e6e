// The recipe that travels inside a saved picture. SPDX-License-Identifier: Apache-2.0

/// Everything needed to make a picture again; stored as JSON in the text chunk of its PNG.
///
/// An edit carries its source and mask along, so a picture can be replayed without other files.
public struct PictureRecipe: Sendable, Equatable, Codable {
    /// What an edit needs beyond the sampling settings.
    public struct Edit: Sendable, Equatable, Codable {
        public var mode: EditMode
        public var anchor: EditAnchor
        public var keepScales: Int
        public var dilate: Int
        public var maskSteps: [Int]
        public var pasteBack: Bool
        public var share: Double
        public var source: StoredImage
        public var mask: StoredMask

        /// Takes an edit apart.
        public init(_ request: EditRequest) {
            mode = request.mode
            anchor = request.anchor
            keepScales = request.keepScales
            dilate = request.dilate
            maskSteps = request.maskSteps
            pasteBack = request.pasteBack
            share = request.share
            source = StoredImage(request.source)
            mask = StoredMask(request.mask)
        }

        /// The edit to run again with these sampling settings.
        ///
        /// - Throws: `DecodingError` when the stored picture or mask does not have its stated size.
        public func request(sampling: SamplingRequest) throws -> EditRequest {
            EditRequest(
                source: try source.image(), mask: try mask.mask(), mode: mode, anchor: anchor,
                keepScales: keepScales, dilate: dilate, maskSteps: maskSteps,
                pasteBack: pasteBack, share: share, sampling: sampling)
        }
    }

    /// The recipe format; 1.
    public var format: Int
    /// The version of the program that made the picture.
    public var program: String
    /// The model's name.
    public var model: String
    /// SHA-256 of the model's weight files by role.
    public var checksums: [String: String]
    /// Which picture of the batch this is, from 0.
    public var index: Int
    /// The schedule in it is the one that really ran.
    public var sampling: SamplingRequest
    public var edit: Edit?

    public init(
        program: String, card: ModelCard, index: Int, sampling: SamplingRequest,
        schedule: SamplingSchedule, edit: EditRequest? = nil
    ) {
        format = 1
        self.program = program
        model = card.name
        checksums = Dictionary(
            card.files.map { ($0.role, $0.sha256) }, uniquingKeysWith: { first, _ in first })
        self.index = index
        self.sampling = sampling
        self.sampling.schedule = schedule
        self.edit = edit.map(Edit.init)
    }

    /// The recipe inside a picture.
    ///
    /// - Throws: ``FileFormatError`` when there is none, it is damaged, or of a later format, of
    ///   which something would be lost unseen.
    public static func read(path: String) throws -> PictureRecipe {
        let recipe = try PictureMetadata.read(PictureRecipe.self, path: path)
        guard recipe.format == 1 else {
            throw FileFormatError.unsupported(
                path: path, what: "a recipe of format \(recipe.format)",
                hint: "it was written by version \(recipe.program) of the program; use that one")
        }
        return recipe
    }

    /// The edit to run again.
    ///
    /// - Throws: `DecodingError` when the stored picture or mask does not have its stated size.
    public func editRequest() throws -> EditRequest? {
        try edit?.request(sampling: sampling)
    }
}
